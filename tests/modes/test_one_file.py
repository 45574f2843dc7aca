"""A mode is one file, its name in `MODES` and a row for what it measures: one more is put into a copy, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import benchbench
from benchbench.analysis.cases import counted_by_purpose
from tests.report.builder import outcome

PACKAGE = Path(benchbench.__file__).parent
ROOT = PACKAGE.parent
MODEL = PACKAGE / "demo" / "fashion_mnist" / "fashion_mnist_float32.tflite"
EDITS = {  # all that is edited beside the file of the mode
    "modes/__init__.py": (
        ("from benchbench.modes.canary", "from benchbench.modes.bursts import Bursts\n{}"),
        ("Outputs())\n", "Outputs(), Bursts())\n"),
    ),
    "values/quantities.py": (
        (
            "QUANTITIES: tuple[Quantity, ...] = (\n",
            '{}    Quantity("burst_hz", NUMBER, "bursts", "bursts", "bursts a second", case="median",\n'
            '        better="higher", test="launches", heading="Bursts", purpose="bursts"),\n',
        ),
    ),
}
MATRIX = """\
name = "bursts"
devices = ["host"]
delegates = ["xnnpack"]
[[model]]
family = "net"
variants = ["net.tflite"]
[measure]
rounds = 1
canary = false
profile = true
runs = 3
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""
USE = """
import json, shutil
from pathlib import Path
import benchbench
from benchbench.analysis.compare_quantities import compare_quantities
from benchbench.values.quantities import RACED

(folder,) = Path("reports").iterdir()
shutil.copytree(folder, "slower")
outcomes = Path("slower", "outcomes.jsonl")
outcomes.write_text(outcomes.read_text().replace('"burst_hz":10', '"burst_hz":5'))
base, new = benchbench.load(folder), benchbench.load("slower")
axes = base.plot("burst_hz")
page = (folder / "index.html").read_text(encoding="utf-8")
print(json.dumps({
    "trials": {row.trial.rpartition("/")[2]: row.burst_hz for row in base.trials.fillna(0).itertuples()},
    "case": base.cases[["burst_hz", "launches_all"]].values.tolist(),
    "compared": [(c.base, c.new, c.verdict) for c in compare_quantities([base], new) if c.quantity.name == "burst_hz"],
    "plotted": sorted(x for line in axes.lines[:1] for x in line.get_xdata()),
    "raced": "burst_hz" in RACED,
    "page": json.loads(page.split('<script type="application/json" id="data">')[1].split("</script>")[0]),
    "csv": str(folder / "cases.csv"),
}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with one more mode, a model, a matrix and this machine as a device."""
    folder = tmp_path_factory.mktemp("modes")
    package = folder / "benchbench"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "demo"))
    shutil.copyfile(ROOT / "tests" / "beds" / "bursts.py", package / "modes" / "bursts.py")
    for name, edits in EDITS.items():
        text = (package / name).read_text(encoding="utf-8")
        for before, after in edits:
            assert text.count(before) == 1
            text = text.replace(before, after.format(before))
        (package / name).write_text(text, encoding="utf-8")
    shutil.copyfile(MODEL, folder / "net.tflite")
    (folder / "matrix.toml").write_text(MATRIX)
    (folder / "devices").mkdir()
    (folder / "devices" / "host.toml").write_text(f'address = {{ transport = "local" }}\nworkdir = "{folder}/work"\n')
    return folder


def python(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": os.defpath, "HOME": str(folder), "MPLBACKEND": "agg"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=900,  # against hangs only
        check=True,
    ).stdout


def test_what_a_mode_measures_is_known_everywhere(folder: Path) -> None:
    python(folder, "-m", "benchbench.cli.main", "run", "matrix.toml")
    said = json.loads(python(folder, "-c", USE))

    told = {"r1": 0, "profile": 0, "bursts1": 101.5, "bursts2": 102.5, "bursts3": 103.5}
    assert said["trials"] == told
    assert said["plotted"] == [101.5, 102.5, 103.5]
    assert said["case"] == [[102.5, 1]]  # launches for latency are those of the rounds
    assert [change[:2] for change in said["compared"]] == [[102.5, 52.5]]
    assert said["raced"] is False
    shown = {one["column"]: one["title"] for one in said["page"]["quantities"]}
    assert shown["burst_hz"] == "Bursts"
    assert said["page"]["tables"]["cases"]["columns"]["burst_hz:text"] == ["102"]
    assert pd.read_csv(folder / said["csv"])["burst_hz"].tolist() == [102.5]


def test_launches_of_a_mode_count_on_the_executor_that_was_timed_and_undisturbed() -> None:
    timed = [outcome(round=n, delegate="gpu") for n in (1, 2)]
    same, disturbed = (outcome(round=n, delegate="gpu", purpose="bursts", ms=None) for n in (3, 4))
    elsewhere = outcome(round=5, delegate="gpu", purpose="bursts", verdict="none")
    failed = outcome(round=6, delegate="gpu", purpose="bursts", status="failed")
    every = [*timed, same, disturbed, elsewhere, failed]

    left_out = {disturbed.trial}
    assert counted_by_purpose(every, left_out) == {"latency": timed, "bursts": [same]}
    assert counted_by_purpose(every[1:], {*left_out, timed[1].trial}) == {"latency": timed[1:], "bursts": [same]}
    assert counted_by_purpose(every[2:], ()) == {"latency": []}
