"""How true a variant's outputs are to the float32 reference, without labels; and what is plainly broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.outputs import Output
from benchbench.accuracy.tensors import Array
from benchbench.values.errors import InputError
from benchbench.values.formatting import IDENTICAL_DB, percent

SQNR_CEILING_DB = IDENTICAL_DB  # equal to the last bit; beyond what float32 can tell

FlagKind = Literal["nan", "inf", "all-zero", "constant", "saturated", "agreement", "cosine", "gain", "sqnr"]
MeasurementSettings = Literal["agreement", "cosine", "sqnr_db"]
ALIKE = 0.99  # a cosine between the answers to other samples from which on a cosine tells nothing
SHARE_STEP = 1 / 256  # of a share from 0 to 1 in eight bits, also where a float output was made from them
SHARES_OFF = 0.05  # how far the shares of one may sum up to something else, rounded
UNDECIDED_DB = 20.0  # top answers that differ although the values hardly do are those of samples that are undecided
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TensorFidelity:
    """One output tensor against the reference, over all samples; errors are absolute, in the output's real unit.

    NaN and infinite values are counted in `nan` and `inf` and left out of the rest.
    """

    name: str
    agreement: float | None  # share of samples with the same top-1; None where the output is no choice between classes
    cosine: float  # mean over the samples
    cosine_min: float  # of the worst sample
    sqnr_db: float  # 10 log10(sum reference^2 / sum error^2), at most SQNR_CEILING_DB
    max_error: float
    mean_error: float
    gain: float  # the factor that fits the reference to the output best; 1 = none
    nan: float  # shares of values
    inf: float
    saturated: float  # share of values at the end of the quantized range that the reference goes beyond
    all_zero: bool
    constant: bool  # the same output for every sample, where the reference tells them apart
    within_step: bool = False  # no value is further off than the step in which such an output is stored
    telling: frozenset[MeasurementSettings] = frozenset()  # the measures that a wrong output would not pass, too


@dataclass(frozen=True, slots=True)
class Flag:
    """Something wrong with an output; `broken` = the numbers of such a variant mean nothing."""

    tensor: str
    kind: FlagKind
    text: str
    broken: bool


def fidelity(
    reference: Sequence[Output], outputs: Sequence[Output], classes: str | None = None
) -> tuple[TensorFidelity, ...]:
    """Each output against the reference's of the same name, or else in the same place.

    `classes` names the output that labels say is of class scores. Without labels only shares of one tell a choice
    between classes from landmarks or regressions, whose largest value is no answer.
    Raises InputError where the two have other outputs or shapes (but for axes of length one): then they are no variants
    of one model.
    """
    if len(reference) != len(outputs):
        raise InputError(f"the reference has {len(reference)} outputs, this variant {len(outputs)}")
    named = {output.name: output for output in reference}
    alike = len(named) == len(reference) and {output.name for output in outputs} == set(named)
    pairs = [(named[o.name], o) for o in outputs] if alike else list(zip(reference, outputs, strict=True))
    pairs = [(expected, _laid_out_as(expected, got)) for expected, got in pairs]
    for expected, got in pairs:
        if _squeezed(expected) != _squeezed(got):
            raise InputError(
                f"output {got.name!r}: the reference's shape is {list(expected.raw.shape)}, here {list(got.raw.shape)}"
            )
    return tuple(_compare(expected, got, got.name == classes) for expected, got in pairs)


def _laid_out_as(expected: Output, got: Output) -> Output:
    """Maps with channels first where the reference has them last, or the other way round, as the reference has them."""
    if got.raw.ndim != 4 or got.raw.shape == expected.raw.shape:
        return got
    ways = (np.moveaxis(got.raw, 1, -1), np.moveaxis(got.raw, -1, 1))
    return next((replace(got, raw=raw) for raw in ways if raw.shape == expected.raw.shape), got)


def _squeezed(output: Output) -> tuple[int, ...]:
    """Its shape without axes of length one, which converters add and drop."""
    return len(output.raw), *(size for size in output.raw.shape[1:] if size != 1)


def _compare(expected: Output, got: Output, labelled: bool) -> TensorFidelity:
    n = len(got.raw)
    reference, output = (o.real.astype(np.float64).reshape(n, -1) for o in (expected, got))
    finite = np.isfinite(output) & np.isfinite(reference)
    r, o = np.where(finite, reference, 0.0), np.where(finite, output, 0.0)
    error = np.abs(o - r)
    step = got.scale or (SHARE_STEP if _scores(r) else 0.0)
    signal, noise = float((r * r).sum()), float((error * error).sum())
    cosine = _cosine(r, o)
    agreement = _agreement(expected, reference, output) if labelled or _shares_of_one(r) else None
    return TensorFidelity(
        name=got.name,
        agreement=agreement,
        cosine=float(cosine.mean()),
        cosine_min=float(cosine.min()),
        sqnr_db=_decibel(signal, noise),
        max_error=float(error.max(initial=0.0)),
        mean_error=float(error.sum() / max(1, finite.sum())),
        gain=float((r * o).sum() / signal) if signal else 1.0,
        nan=float(np.isnan(output).mean()),
        inf=float(np.isinf(output).mean()),
        saturated=_saturated(reference, got),
        all_zero=not np.any(output) and bool((np.abs(r) > step).any()),
        constant=n > 1 and bool((output == output[0]).all()) and _differ(r, step),
        within_step=bool(step) and bool(finite.all()) and float(error.max(initial=0.0)) <= step,
        telling=_telling(r, step, agreement is not None),
    )


def _scores(r: Reals) -> bool:
    """Whether all values lie from 0 to 1, as shares do."""
    return bool((r >= -1e-3).all() and (r <= 1 + 1e-3).all())


def _shares_of_one(r: Reals) -> bool:
    """Whether the values of each sample are shares of one, as a softmax makes them; eight bits round each of them."""
    return _scores(r) and bool((np.abs(r.sum(axis=1) - 1) < SHARES_OFF).all())


def _differ(r: Reals, step: float) -> bool:
    """Whether a reference answers samples differently, by more than a step and a thousandth of its values."""
    return bool(np.abs(r - r[0]).max(initial=0.0) > max(step, 1e-3 * float(np.abs(r).max(initial=0.0))))


def _telling(r: Reals, step: float, chooses: bool) -> frozenset[MeasurementSettings]:
    """What can tell a right output from a wrong one: the reference's answers to other samples must not do as well.

    Of one value a sample the cosine is 1 whatever it is; where the reference has the same top answer for all samples,
    so has a model that is stuck at it; and top answers are of outputs that choose between classes.
    """
    found: set[MeasurementSettings] = set()
    if len(r) > 1 and not _differ(r, step):
        return frozenset()
    found.add("sqnr_db")
    if r.shape[1] > 1 and (len(r) == 1 or float(_cosine(r, np.roll(r, 1, axis=0)).mean()) < ALIKE):
        found.add("cosine")
    several = len(r) == 1 or len(np.unique(r.argmax(axis=1))) > 1
    if chooses and several:
        found.add("agreement")
    return frozenset(found)


def _agreement(expected: Output, reference: Reals, output: Reals) -> float | None:
    values = [size for size in expected.raw.shape[1:] if size > 1]
    if len(values) != 1:  # one value, or an image: no classes to choose from
        return None
    answered = ~np.isnan(output).any(axis=1)
    return float((answered & (reference.argmax(axis=1) == output.argmax(axis=1))).mean())


def _cosine(r: Reals, o: Reals) -> Reals:
    """Per sample; two zero vectors are alike, a zero vector and another are not."""
    length_r, length_o = np.linalg.norm(r, axis=1), np.linalg.norm(o, axis=1)
    product = length_r * length_o
    both_zero = ((length_r == 0) & (length_o == 0)).astype(np.float64)
    cosine: Reals = np.where(product > 0, (r * o).sum(axis=1) / np.where(product > 0, product, 1.0), both_zero)
    return cosine


def _decibel(signal: float, noise: float) -> float:
    if not noise:
        return SQNR_CEILING_DB
    if not signal:
        return -SQNR_CEILING_DB
    return float(np.clip(10 * np.log10(signal / noise), -SQNR_CEILING_DB, SQNR_CEILING_DB))


def _saturated(reference: Reals, got: Output) -> float:
    if got.limits is None:
        return 0.0
    low, high = got.limits
    kind = np.iinfo(got.raw.dtype)
    raw: Array = got.raw.reshape(len(got.raw), -1)
    # rounding at the end of the range is no saturation: the reference must lie more than a step beyond it
    beyond = ((raw == kind.max) & (reference > high + got.scale)) | ((raw == kind.min) & (reference < low - got.scale))
    return float(beyond.mean())


def flags(tensors: Sequence[TensorFidelity]) -> tuple[Flag, ...]:
    """What is wrong, the broken first; an empty tuple means that nothing stands out."""
    found = [flag for tensor in tensors for flag in _flags(tensor)]
    return tuple(sorted(found, key=lambda flag: not flag.broken))


def _flags(t: TensorFidelity) -> list[Flag]:
    agreement = 1.0 if t.agreement is None else t.agreement
    true = t.within_step
    alike = percent(agreement, 1)
    disagrees = agreement < 0.9 and t.sqnr_db < UNDECIDED_DB and not true
    wrong_gain = not true and t.cosine > 0.9 and not 0.7 < t.gain < 1.4
    doubts: list[tuple[bool, FlagKind, bool, str]] = [
        (t.nan > 0, "nan", True, f"{percent(t.nan, 1)} of the values are not a number"),
        (t.inf > 0, "inf", True, f"{percent(t.inf, 1)} of the values are infinite"),
        (t.all_zero, "all-zero", True, "every value is zero"),
        (t.constant and not t.all_zero, "constant", True, "the same output for every input"),
        (
            disagrees and agreement < 0.5,
            "agreement",
            True,
            f"only {alike} of the top answers are the reference's",
        ),
        (disagrees and agreement >= 0.5, "agreement", False, f"{alike} of the top answers are the reference's"),
        (
            t.cosine < 0.5 and t.sqnr_db < 10 and not true,
            "cosine",
            True,
            f"cosine to the reference {t.cosine:.3f}: another direction",
        ),
        (wrong_gain, "gain", True, f"the reference times {t.gain:.3g}: a wrong scale"),
        (t.sqnr_db < 10 and not wrong_gain and not true, "sqnr", t.sqnr_db < 0, f"signal to error {t.sqnr_db:.1f} dB"),
        (t.saturated > 0.01, "saturated", t.saturated > 0.5, f"{percent(t.saturated, 1)} of the values are cut off"),
    ]
    return [Flag(t.name, kind, f"output {t.name!r}: {text}", broken) for true, kind, broken, text in doubts if true]
