"""`benchbench run a.tflite b.tflite`, through the real command line."""

from __future__ import annotations

import tomllib

import pytest

from benchbench.analysis.frames import load
from tests.conftest import InProcess
from tests.workbench import FAMILY, Workbench

FLOAT32, INT8 = (str(FAMILY / f"fashion_mnist_{scheme}.tflite") for scheme in ("float32", "int8"))


def test_models_run_without_a_matrix_and_it_is_kept_to_run_again(bench: Workbench) -> None:
    asked = ("--devices", "host", "--threads", "1,2", "--delegates", "cpu,xnnpack", "--rounds", "1")
    done = bench.benchbench("run", FLOAT32, INT8, *asked, "--dataset", "random", "--only", "*/t1")
    folder = bench.latest()
    ran = list(load(folder).cases.case)
    assert sorted(ran) == [
        f"host/fashion_mnist.{scheme}/{delegate}/t1"
        for scheme in ("float32", "int8")
        for delegate in ("cpu", "xnnpack")
    ]
    assert all(case in done.stdout for case in ran)
    kept = folder / "matrix.toml"
    assert f"matrix: reports/{folder.name}/matrix.toml" in done.stderr
    read = tomllib.loads(kept.read_text())
    assert (read["devices"], read["threads"], read["measure"]) == (["host"], [1, 2], {"rounds": 1})
    again = bench.benchbench("plan", str(kept))
    assert set(ran) < set(again.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "telling"),
    [
        (["matrix.toml", FLOAT32], "matrix.toml: give one matrix, or nothing but models (.tflite, .onnx)"),
        (["a.toml", "b.toml"], "b.toml: give one matrix, or nothing but models (.tflite, .onnx)"),
        (["matrix.toml", "--threads", "2"], "--threads is for models; a matrix has a key for it"),
        (["--resume", "reports/a", "--rounds", "2"], "--rounds is for models"),
        (
            [FLOAT32, "--resume", "reports/a"],
            "give a matrix, models (.tflite, .onnx), or a run folder with --resume or --again",
        ),
        ([FLOAT32, "--threads", "1,x"], "'1,x' is no list of whole numbers: write 1,4"),
        ([FLOAT32, "--threads", "0"], "command line: threads: item 1: should be 1 or more (it is 0)"),
        (
            [FLOAT32, "--delegates", "gpuu"],
            'command line: delegates 1: no such kind: "gpuu" (did you mean "gpu"?)',
        ),
        ([FLOAT32, "--devices", "hots"], "command line: devices: no device fits 'hots' (did you mean \"host\"?"),
        ([FLOAT32, "--dataset", "none.npz"], "dataset: no such file"),
        (["none.tflite"], "none.tflite cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_measured(
    bench: Workbench, in_process: InProcess, arguments: list[str], telling: str
) -> None:
    bench.matrix()
    done = in_process("run", *arguments, expect=2)
    assert telling in done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert not bench.reports.exists()
