"""Made files run on a few samples beside float32: what can be compared is, what cannot run is told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.accuracy.fidelity import SQNR_CEILING_DB
from benchbench.accuracy.validation import validation_of
from benchbench.runtimes.models import inspect
from benchbench.runtimes.quantizing.calibration import Calibration
from benchbench.runtimes.quantizing.validator import CannotRun
from benchbench.values.model import ModelInfo
from tests.runtimes.tflite.model.small_models import M, O, T, build, zeros

SHIPPED = Path(__file__).parents[2] / "benchbench/demo/fashion_mnist"
FLOAT32 = inspect(SHIPPED / "fashion_mnist_float32.tflite")
ADD: tuple[str, dict[str, Any]] = ("AddOptions", {})
RNG = np.random.default_rng(0)


def written(path: Path, model: M) -> ModelInfo:
    path.write_bytes(build(model))
    return inspect(path)


def shipped(scheme: str) -> ModelInfo:
    return inspect(SHIPPED / f"fashion_mnist_{scheme}.tflite")


@pytest.fixture(scope="module")
def real() -> Calibration:
    with np.load(SHIPPED / "calibration.npz") as archive:
        return Calibration({"image": archive["x"].astype(np.float32)}, "calibration.npz")


def test_an_integer_input_is_fed_what_float32_is_fed(real: Calibration) -> None:
    found = validation_of(FLOAT32, real).fidelity(shipped("int8-io"))
    assert found is not None
    assert (found.samples, found.agreement, found.flags) == (16, 1.0, ())
    assert found.sqnr_db > 30


def test_a_ruined_variant_is_flagged(real: Calibration) -> None:
    found = validation_of(FLOAT32, real).fidelity(shipped("int8-pertensor-imbalanced"))
    assert found is not None
    assert any("of the top answers are the reference's" in flag for flag in found.flags)


def test_samples_are_taken_from_all_over_the_data(real: Calibration) -> None:
    tried = validation_of(FLOAT32, real).samples["image"]
    np.testing.assert_array_equal(tried[[0, -1]], real.arrays["image"][[0, -1]])


def test_inputs_are_told_apart_by_their_names(tmp_path: Path) -> None:
    """a - b, and a variant of it whose inputs come in the other order."""
    tensors = [T((1, 8)), T((1, 8)), T((1, 8))]
    sub = [O("SUB", (0, 1), (2,), ("SubOptions", {}))]
    plain, turned = (
        written(tmp_path / f"{k}.tflite", M(tensors, sub, inputs=order)) for k, order in enumerate([(0, 1), (1, 0)])
    )
    found = validation_of(plain, None).fidelity(turned)
    assert found is not None
    assert found.sqnr_db == 200


def test_a_model_of_strings_is_run_and_not_compared(tmp_path: Path) -> None:
    tensors = [T((1, 8)), T((1,), "STRING"), T((1, 8))]
    info = written(tmp_path / "text.tflite", M(tensors, [O("ADD", (0, 0), (2,), ADD)], inputs=(0, 1)))
    validation = validation_of(info, None)
    assert validation.failure is None
    assert validation.fidelity(info) is None


def test_numbers_that_a_model_refuses_give_way_to_zeros(tmp_path: Path) -> None:
    """Ten times a random number runs beyond a table of five rows."""
    table, ten = RNG.normal(size=(5, 4)).astype(np.float32), np.array([10], np.int32)
    tensors = [T((1, 3), "INT32"), T((5, 4), data=table), T((1,), "INT32", data=ten), T((1, 3), "INT32"), T((1, 3, 4))]
    scaled = [O("MUL", (0, 2), (3,), ("MulOptions", {})), O("GATHER", (1, 3), (4,), ("GatherOptions", {}))]
    info = written(tmp_path / "ids.tflite", M(tensors, scaled))
    validation = validation_of(info, None)
    assert (validation.failure, validation.reference) == (None, None)
    assert validation.fidelity(info) is None


def test_numbers_that_lead_into_a_table_stay_below_its_length(tmp_path: Path) -> None:
    table = RNG.normal(size=(5, 4)).astype(np.float32)
    tensors = [T((1, 3), "INT32"), T((5, 4), data=table), T((1, 3, 4))]
    info = written(tmp_path / "ids.tflite", M(tensors, [O("GATHER", (1, 0), (2,), ("GatherOptions", {}))]))
    validation = validation_of(info, None)
    assert validation.samples["t0"].max() == 4
    found = validation.fidelity(info)
    assert found is not None
    assert found.sqnr_db == SQNR_CEILING_DB


def test_a_model_of_any_size_is_tried_at_the_size_of_the_samples(tmp_path: Path) -> None:
    tensors = [T((1, 1, 4), signature=(1, -1, 4)), T((1, 1, 4), signature=(1, -1, 4))]
    info = written(tmp_path / "any.tflite", M(tensors, [O("LOGISTIC", (0,), (1,))]))
    calibration = Calibration({"t0": RNG.normal(size=(3, 6, 4)).astype(np.float32)}, "long")
    validation = validation_of(info, calibration)
    assert validation.reference is not None
    assert validation.reference[0].raw.shape == (3, 6, 4)


def test_a_batch_is_filled_with_the_same_sample(tmp_path: Path) -> None:
    info = written(tmp_path / "batch.tflite", M([T((4, 8)), T((4, 8))], [O("LOGISTIC", (0,), (1,))]))
    validation = validation_of(info, None)
    assert validation.reference is not None
    expected = 1 / (1 + np.exp(-validation.samples["t0"]))
    np.testing.assert_allclose(validation.reference[0].raw, np.repeat(expected[:, None], 4, axis=1), atol=1e-3)
    found = validation.fidelity(info)
    assert found is not None
    assert found.samples == 16


def test_outputs_of_another_size_for_each_sample_are_run_and_not_compared(tmp_path: Path) -> None:
    """The places of what is not equal to its neighbour: more of them in one sample than in another."""
    tensors = [T((1, 4), "INT32"), T((4,), "INT32", data=np.arange(4, dtype=np.int32)), T((1, 4), "BOOL")]
    tensors.append(T((1, 2), "INT64", signature=(-1, 2)))
    ops = [O("GREATER", (0, 1), (2,), ("GreaterOptions", {})), O("WHERE", (2,), (3,), ("WhereOptions", {}))]
    info = written(tmp_path / "places.tflite", M(tensors, ops))
    samples = np.array([[1, 1, 0, 0], [9, 9, 9, 9]], np.int32)
    validation = validation_of(info, Calibration({"t0": samples}, "places"))
    assert (validation.failure, validation.reference) == (None, None)


def test_large_pictures_are_few(tmp_path: Path) -> None:
    shape = (1, 1024, 1024, 2)
    info = written(tmp_path / "large.tflite", M([T(shape), T(shape)], [O("LOGISTIC", (0,), (1,))]))
    found = validation_of(info, None).fidelity(info)
    assert found is not None
    assert found.samples == 1


def test_what_is_nan_in_float32_already_is_not_held_against_a_variant(tmp_path: Path) -> None:
    info = written(tmp_path / "log.tflite", M([T((1, 8)), T((1, 8))], [O("LOG", (0,), (1,))]))
    assert validation_of(info, None).fidelity(info) is None


def test_a_variant_that_gives_nan_is_flagged(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.tflite", M([T((1, 8)), T((1, 8))], [O("EXP", (0,), (1,))]))
    ruined = written(tmp_path / "nan.tflite", M([T((1, 8)), T((1, 8))], [O("SQRT", (0,), (1,))]))
    found = validation_of(plain, None).fidelity(ruined)
    assert found is not None
    assert any("not a number" in flag for flag in found.flags)


def test_a_file_that_cannot_run_says_why(tmp_path: Path, real: Calibration) -> None:
    short = tmp_path / "short.tflite"
    short.write_bytes((SHIPPED / "fashion_mnist_float32.tflite").read_bytes()[:1000])
    broken = FLOAT32.model_copy(update={"path": str(short)})
    assert "its runtime failed" in (validation_of(broken, real).failure or "")
    with pytest.raises(CannotRun, match="its runtime failed"):
        validation_of(FLOAT32, real).fidelity(broken)


def test_a_file_with_other_outputs_is_no_variant(tmp_path: Path) -> None:
    one = written(tmp_path / "one.tflite", M([T((1, 8)), T((1, 8))], [O("LOGISTIC", (0,), (1,))]))
    tensors = [T((1, 8)), T((2, 8), data=zeros(2, 8)), T((2, 8))]
    other = written(tmp_path / "other.tflite", M(tensors, [O("ADD", (0, 1), (2,), ADD)]))
    with pytest.raises(CannotRun, match="its outputs are others"):
        validation_of(one, None).fidelity(other)
