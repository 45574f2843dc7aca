"""reports/sample: a run of today's format, on three devices, whose page is made of its data and of nothing else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from benchbench.analysis.frames import Run, load
from benchbench.report import FigureFiles, write_report
from benchbench.run_folder.manifest import FORMAT
from tests.sample import FIGURES, PHONE, ROOT, SAMPLE

MADE = ("index.html", "report.md", "report.json", "cases.csv", "results.csv", "classes.csv", "confusion.csv")


@pytest.fixture(scope="module")
def sample() -> Run:
    return load(SAMPLE)


def test_it_is_a_run_of_three_devices_and_several_families_in_the_format_of_today(sample: Run) -> None:
    assert json.loads((SAMPLE / "run.json").read_text())["format"] == FORMAT
    cases = sample.cases
    assert set(cases["device"]) == {"host", "board", PHONE}
    assert cases["family"].nunique() > 1
    assert set(cases.loc[cases["status"] == "ok", "device"]) == {"host", "board", PHONE}
    assert len(sample.series) > 100
    assert sample.remarks == ()


def test_its_data_gives_the_same_page_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = Path("reports", "sample")  # a page names its folder
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SAMPLE, again)
    shutil.rmtree(again / "figures")
    for name in MADE:
        (again / name).unlink()
    write_report([load(again)], again, FigureFiles(names=FIGURES))
    other = [name for name in MADE if (again / name).read_bytes() != (SAMPLE / name).read_bytes()]
    assert other == [], f"run `benchbench report reports/sample --figures {','.join(FIGURES)}`"
    drawn = {folder: {path.name for path in (folder / "figures").iterdir()} for folder in (again, SAMPLE)}
    assert drawn[again] == drawn[SAMPLE]


def test_it_holds_no_path_of_the_machine_that_made_it() -> None:
    texts = [path for path in SAMPLE.rglob("*") if path.suffix in {".json", ".jsonl", ".txt", ".toml", ".html", ".csv"}]
    assert len(texts) > 100
    told = {
        path.name: found
        for path in texts
        if (found := re.findall(r"(?<![\w./-])/(?:work|root|tmp)/\S+", path.read_text(errors="replace")))
    }
    assert told == {}


def test_the_readme_shows_two_of_its_pictures() -> None:
    shown = set(re.findall(r"reports/sample/figures/\w+\.png", (ROOT / "README.md").read_text()))
    assert shown == {f"reports/sample/figures/{name}.png" for name in FIGURES}
    assert all((ROOT / path).is_file() for path in shown)
