"""Files from before TensorFlow 2.4: operators in the deprecated field alone, and no signature."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from benchbench.pipeline import quantize
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.modern import SIGNATURE, modernized
from benchbench.runtimes.tflite.quantize.schemes import SCHEMES
from benchbench.values.errors import ToolError
from tests.runtimes.tflite.model.small_models import M, O, T, build, dense, zeros
from tests.workbench import FAMILY, Workbench

pytest.importorskip("litert_quantizer", reason="the extra 'quantize' is not installed")

FLOAT32 = FAMILY / "fashion_mnist_float32.tflite"


def as_of_2019(raw: bytes) -> bytes:
    """The model without what TensorFlow 2.4 and later write."""
    model = schema.ModelT.InitFromPackedBuf(raw)
    for code in model.operatorCodes:
        code.builtinCode = 0
    model.signatureDefs = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_an_old_file_is_the_same_model_with_what_newer_ones_have(tmp_path: Path) -> None:
    old, new = tmp_path / "old.tflite", tmp_path / "new.tflite"
    old.write_bytes(as_of_2019(FLOAT32.read_bytes()))
    new.write_bytes(modernized(old.read_bytes()))
    before, after = inspect(old), inspect(new)
    assert before.signatures == ()
    assert [signature.key for signature in after.signatures] == [SIGNATURE]
    assert after.arguments == before.arguments
    assert (after.subgraphs, after.parameters) == (before.subgraphs, before.parameters)
    assert modernized(new.read_bytes()) == new.read_bytes()


def test_an_old_file_makes_all_the_schemes(tmp_path: Path) -> None:
    old = tmp_path / "net.tflite"
    old.write_bytes(as_of_2019(FLOAT32.read_bytes()))
    family = quantize(old, SCHEMES, tmp_path / "out", representative=FAMILY / "calibration.npz")
    assert [skipped.scheme for skipped in family.skipped] == []
    assert {made.scheme for made in family.made} == set(SCHEMES)
    assert all(made.fidelity.sqnr_db > 5 for made in family.made if made.fidelity)


def test_a_run_that_made_nothing_but_a_copy_fails_and_leaves_nothing(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    source = tmp_path / "net.tflite"
    source.write_bytes(dense(T((4, 8), data=np.ones((4, 8), "float32"))))
    wanted = ("--scheme", "float32", "--scheme", "dynamic-int8", "--scheme", "int8", "--out", "out")
    told = bench.benchbench("quantize", str(source), *wanted, expect=5).stderr
    assert "no layer has 1,024 weights" in told
    assert "representative data" in told
    assert not (tmp_path / "out").exists()
    bench.benchbench("quantize", str(source), "--scheme", "float32", "--out", "copy")  # that is what was asked for


@pytest.mark.parametrize(
    ("raw", "scheme", "reason"),
    [
        (build(M([T((1, 8)), T((1, 8))], [O("RELU", (0,), (1,))])), "float16", "no layer with weights"),
        (
            build(M([T((1, 8)), T((9, 8), data=zeros(9, 8)), T((1, 9))], [O("CUMSUM", (0, 1), (2,))])),
            "weight-only-int4",
            "no weight-only-int4 for CUMSUM",
        ),
    ],
)
def test_the_reason_is_what_the_model_is_made_of(tmp_path: Path, raw: bytes, scheme: str, reason: str) -> None:
    source = tmp_path / "net.tflite"
    source.write_bytes(raw)
    with pytest.raises(ToolError, match=reason):
        quantize(source, [scheme], tmp_path / "out")
