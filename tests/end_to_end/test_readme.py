"""What the README says works as it is written."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from benchbench.analysis.frames import load
from tests.end_to_end.conftest import FAMILY, Lab

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def readme_matrix() -> str:
    found = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert found
    return dedent(found[1])


def shrunk(text: str) -> str:
    """The README's matrix for the test devices and the shipped family, with as few launches as make a run."""
    for theirs, ours in (
        ('["pixel8", "rpi5", "host"]', '["phone", "board", "host"]'),
        ("models/mobilenet_v2/*.tflite", "VARIANTS"),
        ("data/imagenet_200.npz", f"{FAMILY}/test.npz"),
        ("rounds = 5 ", "rounds = 1 "),
        ("runs = 50 ", "runs = 3 "),
        ("min_seconds = 1.0", "min_seconds = 0.02"),
    ):
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    return text.replace('"VARIANTS"', _variants()).replace('test.npz"', 'test.npz"\nsamples = 20')


def _variants() -> str:
    names = ("float32", "int8", "int16x8")
    return "{ " + ", ".join(f'{name} = "{FAMILY}/fashion_mnist_{name}.tflite"' for name in names) + " }"


def test_the_matrix_of_the_readme_runs_on_host_board_and_phone_at_once(lab: Lab) -> None:
    assert tomllib.loads(readme_matrix())["name"] == "mobilenet schemes"
    for bed in (lab.phone, lab.board):
        bed.sys.heat(32)  # below the README's cool-down limit
    # The GPU that is asked for is not there: those trials fail and say so, hence the exit code.
    done = lab.benchbench("run", str(lab.write("matrix.toml", shrunk(readme_matrix()))), expect=1)
    run = load(lab.latest())
    cases = run.cases.set_index("case")
    assert set(cases.device) == {"host", "board", "phone"}
    for device in ("host", "board", "phone"):
        for threads in (1, 2):
            row = cases.loc[f"{device}/mobilenet_v2.int8/xnnpack/t{threads}"]
            assert (row.verdict, row.executor, row.headline) == ("partial", "xnnpack, rest on cpu", True)
            row = cases.loc[f"{device}/mobilenet_v2.int16x8/xnnpack/t{threads}"]
            assert (row.verdict, row.headline) == ("none", False)
    gpu = cases[cases.kind == "gpu"]
    assert not gpu.headline.any()
    assert gpu.median_ms.isna().all()
    skipped = {skip.case.id: skip.reason for skip in run.manifest.skips}
    assert "Android only" in skipped["board/mobilenet_v2.float32/nnapi:google-edgetpu/t1"]
    assert "left out by the matrix" in skipped["phone/mobilenet_v2.int16x8/gpu/t1"]
    assert "report:" in done.stderr
    page = (lab.latest() / "index.html").read_text()
    assert "int16x8" in page


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\.venv/bin/benchbench (\w+)", README))))
def test_every_command_of_the_readme_exists(lab: Lab, command: str) -> None:
    assert "Usage:" in lab.benchbench(command, "--help").stdout


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make (\w+)", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_python_of_the_readme_runs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    model = f"""family = "net"\nvariants = "{FAMILY}/fashion_mnist_int8.tflite"\n"""
    quick = "[measure]\nrounds = 1\nruns = 2\nmin_seconds = 0\nwarmup_min_seconds = 0\n"
    lab.write("matrix.toml", f'name = "x"\ndevices = ["host"]\ndelegates = ["cpu"]\n[[model]]\n{model}{quick}')
    monkeypatch.chdir(lab.folder)
    names: dict[str, Any] = {}
    exec(dedent(block[1]).replace('benchbench.load("reports/A")', "run"), names)
    assert list(names["run"].cases.status) == ["ok"]
