"""The shipped classifier in both formats: right and wrong on the very samples that plain runtimes are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbench.accuracy.metrics import unpacked
from benchbench.analysis.frames import load
from benchbench.demo import onnx_fashion_mnist, ship_fashion_mnist
from tests.workbench import FAMILY, Workbench

pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")

ALL = 300
SCHEMES = ("float32", "int8")
MATRIX = """
name = "family"
devices = ["host"]
delegates = ["xnnpack", "ort-cpu"]
[[model]]
family = "fashion_mnist"
variants = [{files}]
dataset = "{family}/test.npz"
samples = {all}
[measure]
rounds = 1
canary = false
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""


def test_each_sample_is_judged_as_by_the_plain_runtimes(tmp_path: Path) -> None:
    files = [FAMILY / f"fashion_mnist_{scheme}.{form}" for scheme in SCHEMES for form in ("tflite", "onnx")]
    bench = Workbench(tmp_path)
    quoted = ", ".join(f'"{path}"' for path in files)
    (tmp_path / "matrix.toml").write_text(MATRIX.format(files=quoted, family=FAMILY, all=ALL))
    run = load(bench.run(tmp_path / "matrix.toml"))
    found = {outcome.variant.partition(".")[2]: outcome for outcome in run.outcomes if outcome.purpose == "accuracy"}
    with np.load(FAMILY / "test.npz") as archive:
        images, labels = archive["x"][:ALL], archive["y"][:ALL]
    for path in files:
        plain = ship_fashion_mnist if path.suffix == ".tflite" else onnx_fashion_mnist
        expected = plain.predictions(path, images) == labels
        name = path.stem.removeprefix("fashion_mnist_") + (".onnx" if path.suffix == ".onnx" else "")
        outcome = found.pop(name)
        assert outcome.accuracy["top1"] == expected.mean()
        np.testing.assert_array_equal(unpacked(str(outcome.accuracy["correct"]), ALL), expected, name)
    assert found == {}
    assert {case["kind"] for case in run.cases.to_dict("records")} == {"xnnpack", "ort-cpu"}
