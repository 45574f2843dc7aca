"""Runs that are not gone on with, since something is not what they began with."""

from __future__ import annotations

import json
import shutil

import pytest

from benchbench import pipeline as api
from benchbench.run_folder.journal import reopen
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.errors import InputError, ToolError
from tests.execution.runs import lines, run, shortened
from tests.workbench import FAMILY, Workbench, outcomes


@pytest.mark.parametrize("change", ["another", "gone"])
def test_a_run_is_not_resumed_with_a_model_that_is_another_by_now(bench: Workbench, change: str) -> None:
    model = bench.folder / "m.tflite"
    shutil.copy(FAMILY / "fashion_mnist_float32.tflite", model)
    matrix = bench.matrix("float32", rounds=2)
    matrix.write_text(matrix.read_text().replace(f"{FAMILY}/fashion_mnist_float32.tflite", "m.tflite"))
    folder = run(bench, matrix)
    shortened(folder, 1)
    if change == "gone":
        model.unlink()
    else:
        shutil.copy(FAMILY / "fashion_mnist_int8.tflite", model)
    with pytest.raises(InputError, match=r"1 file that .* is not there: .*m\.tflite") as told:
        api.resume(folder)
    assert ("another file is there" in str(told.value)) == (change == "another")
    assert len(outcomes(folder)) == 1


@pytest.mark.parametrize("change", ["samples", "preprocessing"])
def test_a_run_is_not_resumed_with_a_dataset_that_is_another_by_now(bench: Workbench, change: str) -> None:
    shutil.copy(FAMILY / "test.npz", bench.folder / "mine.npz")
    folder = run(bench, bench.matrix("float32", rounds=1, model='dataset = "mine.npz"\nsamples = 3'))
    assert read_manifest(folder).datasets[0].preprocessing is None
    shortened(folder, 1)
    if change == "samples":
        shutil.copy(FAMILY / "calibration.npz", bench.folder / "mine.npz")
    else:
        (bench.folder / "mine.toml").write_text("mean = [127.5]\n")
    with pytest.raises(InputError, match=r"mine\.npz(: its preprocessing is not what| .*another file is there)"):
        api.resume(folder)


def test_a_run_that_is_being_written_is_not_resumed(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32", rounds=1))
    journal = reopen(folder)
    with pytest.raises(InputError, match="another controller is writing this run"):
        api.resume(folder)
    journal.close()


@pytest.mark.parametrize(
    "key", ["variants", "cases", "trials", "skips", "devices", "measure", "datasets", "seed", "tool_choice"]
)
@pytest.mark.parametrize("value", [None, 3, "x", [{"family": "../.."}], {"a": 1}])
def test_a_damaged_manifest_is_one_line(bench: Workbench, key: str, value: object) -> None:
    folder = bench.folder / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"format": 1, key: value}))
    with pytest.raises(InputError, match=rf"run\.json: ({key}|does not hold a plan that can be resumed)") as told:
        api.resume(folder)
    assert told.value.remedy


def test_a_run_is_not_gone_on_with_by_another_tool(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32"))
    manifest = json.loads((folder / "run.json").read_text())
    manifest["devices"][0]["tools"]["tflite"]["sha256"] = "ab" * 32
    (folder / "run.json").write_text(json.dumps(manifest))
    shortened(folder, 1)
    with pytest.raises(ToolError, match="host was measured with another tool"):
        api.resume(folder)
    assert len(lines(folder)) == 1
