from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchbench.accuracy.fidelity import SQNR_CEILING_DB, fidelity, flags
from benchbench.accuracy.outputs import Output
from benchbench.device_script.tensors import quantize
from benchbench.values.errors import InputError

REAL = np.random.default_rng(0).normal(size=(200, 10)).astype(np.float32)


def reals(array: NDArray[np.float32], name: str = "y") -> Output:
    return Output(name, array.astype(np.float32))


def kinds(array: NDArray[np.float32]) -> dict[str, bool]:
    return {flag.kind: flag.broken for flag in flags(fidelity([reals(REAL)], [reals(array)], classes="y"))}


def test_the_same_outputs_are_true_to_the_last_bit() -> None:
    (same,) = fidelity([reals(REAL)], [reals(REAL)], classes="y")
    assert (same.agreement, same.sqnr_db, same.max_error, same.gain) == (1.0, SQNR_CEILING_DB, 0.0, 1.0)
    assert same.cosine == pytest.approx(1.0)
    assert not flags([same])


def test_noise_of_a_tenth_has_a_signal_to_noise_of_twenty_decibel() -> None:
    noise = np.random.default_rng(1).normal(scale=0.1, size=REAL.shape).astype(np.float32)
    (noisy,) = fidelity([reals(REAL)], [reals(REAL + noise)])
    assert noisy.sqnr_db == pytest.approx(20, abs=0.5)
    assert noisy.max_error == pytest.approx(abs(noise).max(), rel=1e-4)
    assert noisy.mean_error == pytest.approx(abs(noise).mean(), rel=1e-4)


def test_a_quantized_output_is_compared_by_its_real_values() -> None:
    scale = 1 / 16
    (int8,) = fidelity([reals(REAL)], [Output("y", quantize(REAL, scale, 3, "int8"), scale, 3)])
    assert int8.sqnr_db == pytest.approx(10 * np.log10(12 / scale**2), abs=0.5)  # a step's noise is step^2 / 12
    assert int8.max_error <= scale / 2 + 1e-6
    assert not flags([int8])


def test_what_is_plainly_broken_is_flagged_as_such() -> None:
    holes = REAL.copy()
    holes[3, 4] = np.nan
    assert kinds(holes)["nan"]
    holes[3, 4] = np.inf
    assert kinds(holes)["inf"]
    assert kinds(np.zeros_like(REAL))["all-zero"]
    assert kinds(np.broadcast_to(REAL[:1], REAL.shape))["constant"]
    assert kinds(REAL[::-1])["agreement"]
    assert kinds(-REAL)["cosine"]


def test_a_wrong_scale_is_called_by_its_factor() -> None:
    (doubled,) = flags(fidelity([reals(REAL)], [reals(REAL * 2)]))
    assert (doubled.kind, doubled.broken) == ("gain", True)
    assert "times 2" in doubled.text


def test_a_weak_variant_is_a_doubt_and_not_broken() -> None:
    noise = np.random.default_rng(1).normal(scale=0.45, size=REAL.shape).astype(np.float32)
    assert not any(kinds(REAL + noise).values())
    assert "sqnr" in kinds(REAL + noise)


def test_only_a_choice_between_classes_has_a_top_answer() -> None:
    """Landmarks and embeddings have a largest value too, and another one after quantization proves nothing."""
    rng = np.random.default_rng(0)
    softmax = rng.dirichlet(np.ones(10), 200).astype(np.float32)
    assert fidelity([reals(softmax)], [reals(softmax[::-1])])[0].agreement is not None
    for values in (REAL, REAL + 96, rng.uniform(0, 1, (200, 10)).astype(np.float32)):
        near = values + rng.normal(scale=0.12 * np.abs(values).mean(), size=values.shape).astype(np.float32)
        (found,) = fidelity([reals(values)], [reals(near)])
        assert found.agreement is None
        assert not any(flag.broken for flag in flags([found]))
        assert "agreement" not in found.telling
        assert fidelity([reals(values)], [reals(near)], classes="y")[0].agreement is not None  # the labels say so


def test_values_cut_off_by_a_narrow_range_are_counted() -> None:
    scale = 1 / 128  # says -1 to 1 only
    (narrow,) = fidelity([reals(REAL)], [Output("y", quantize(REAL, scale, 0, "int8"), scale, 0)])
    assert narrow.saturated == pytest.approx((abs(REAL) > 1).mean(), abs=0.02)
    assert "saturated" in {flag.kind for flag in flags([narrow])}


def test_shares_too_small_for_eight_bits_are_no_fault_of_their_zeros() -> None:
    """A wake word that is not heard: float32 says 0.00001, eight bits say 0, for every sample."""
    quiet = np.random.default_rng(0).uniform(0, 1e-4, (50, 1)).astype(np.float32)
    for zeros in (Output("p", np.zeros((50, 1), np.uint8), 1 / 256), reals(np.zeros_like(quiet))):
        (found,) = fidelity([reals(quiet)], [zeros])
        assert not flags([found])
        assert not found.telling
    certain = np.eye(4, dtype=np.float32)[np.ones(50, int)] + np.random.default_rng(1).uniform(0, 1e-9, (50, 4))
    stuck = np.broadcast_to(np.array([[0, 0.996, 0, 0]], np.float32), (50, 4))
    assert not flags(fidelity([reals(certain.astype(np.float32))], [reals(stuck)]))


def test_a_probability_of_nought_is_no_saturation() -> None:
    certain = np.eye(10, dtype=np.float32)[np.arange(200) % 10]
    (softmax,) = fidelity([reals(certain)], [Output("y", quantize(certain, 1 / 256, -128, "int8"), 1 / 256, -128)])
    assert softmax.saturated == 0


def test_an_output_that_is_zero_in_the_reference_too_is_no_fault() -> None:
    nothing = np.zeros((5, 10), np.float32)
    assert not flags(fidelity([reals(nothing)], [reals(nothing)]))


def test_an_image_has_no_top_answer() -> None:
    picture = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)
    assert fidelity([reals(picture)], [reals(picture)])[0].agreement is None


def test_outputs_are_matched_by_name_and_else_by_place() -> None:
    a, b = reals(REAL, "a"), reals(REAL * -1, "b")
    assert [t.cosine > 0.99 for t in fidelity([a, b], [b, a])] == [True, True]
    renamed = [reals(REAL, "quantized/a"), reals(REAL * -1, "quantized/b")]
    assert [t.cosine > 0.99 for t in fidelity([a, b], renamed)] == [True, True]


def test_other_outputs_are_no_variant_of_the_same_model() -> None:
    with pytest.raises(InputError, match="has 2 outputs, this variant 1"):
        fidelity([reals(REAL), reals(REAL)], [reals(REAL)])
    with pytest.raises(InputError, match=r"shape is \[200, 10\], here \[200, 5\]"):
        fidelity([reals(REAL)], [reals(REAL[:, :5])])
