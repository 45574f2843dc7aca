"""What each case gains in speed and size and costs in accuracy, as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchbench.accuracy.metrics import paired, unpacked, wilson
from benchbench.analysis.fastest import fastest, speed_against
from benchbench.analysis.formatting import LIKENESS, METRICS
from benchbench.analysis.intervals import Ratio
from benchbench.analysis.rows import Row, rows_of
from benchbench.runtimes import ON_CPU

WHERE = ["run", "device", "family"]
_ENDS = ("", "_low", "_high")
_NUMBERS = [f"{name}{end}" for name in ("speedup", "over_best", "accuracy", "accuracy_change") for end in _ENDS]
_NAMES = ["speedup_verdict", "over_best_verdict", "float32", "best_float", "accuracy_base", "metric"]
_SHOWN = {"accuracy_cosine": 4, "accuracy_sqnr_db": 0}  # digits after the point
_FAITHFUL_DB = 60.0  # signal to error above which outputs differ by rounding alone: of float16 it is about that
_ALIKE_IN_SIZE = 1.05
_SCORES = ("n", "compared", "agreement", "cosine", "sqnr_db", "broken")  # that a row always has


def is_broken(row: Row) -> bool:
    """Whether fidelity found an output broken, so that the time is that of wrong answers."""
    broken = row.get("accuracy_broken")
    return not pd.isna(broken) and bool(broken == 1)


def metric_of(rows: Sequence[Row]) -> str | None:
    """The column that stands for accuracy here, the best that can tell right from wrong; None where none can."""
    own = [row for row in rows if row["network"] == ""]
    for name in METRICS:
        able = [row for row in own if name not in LIKENESS or row["relation"] == "same"]
        if any(not math.isnan(row.get(name, math.nan)) and _tells(row, name) for row in able):
            return name
    return None


def _tells(row: Row, name: str) -> bool:
    """Whether a measure says something of these samples, by `telling` of accuracy.scores; old runs do not have it."""
    said = row.get("accuracy_telling")
    return not isinstance(said, str) or name.removeprefix("accuracy_") in said.split()


def tradeoffs(cases: pd.DataFrame, *, same_within: float = 0.03) -> pd.DataFrame:
    """The headline cases of `fastest`, with what each gains and costs.

    speedup (_low, _high, _verdict as of `speed_against`): against float32 on the same delegate, the case in `float32`.
    over_best (same ends): against the device's fastest float case, the one in `best_float`. smaller: float32's size /
    its size. metric: the column that stands for accuracy on this device and family. accuracy (_low, _high): its value,
    with Wilson's interval where it is a share of samples. accuracy_change (_low, _high): against the case in
    `accuracy_base`, float32 on the device's CPU, or the most accurate case where there is no float32. broken: an output
    is, so that the case is no base for others and not on the front. pareto: no other case of the device is at least as
    fast and as accurate, and better in one of them; a case without one of these is not on the front. What is derived
    from the family's network (`relation`) has no likeness to it, and what is another network (`network`) is not
    compared at all.
    """
    best = fastest(cases)
    best = best[best["headline"]]
    scores = dict.fromkeys([*(f"accuracy_{name}" for name in _SCORES), *(name for name in METRICS if name in best)])
    best = best.assign(**{name: _numeric(best[name]) if name in best else math.nan for name in scores})
    if best.empty:
        nothing = dict.fromkeys([*_NUMBERS, "smaller"], math.nan) | dict.fromkeys(_NAMES)
        return best.assign(**nothing, broken=False, pareto=False)
    places: dict[tuple[Any, ...], list[int]] = {}
    for at, where in enumerate(zip(*(best[name] for name in WHERE), strict=True)):
        places.setdefault(where, []).append(at)
    rows = rows_of(best)
    found = [new for ats in places.values() for new in _of_one_device([rows[at] for at in ats], same_within)]
    ordered = best.iloc[[at for ats in places.values() for at in ats]]
    # A column of texts would have NaN for what nobody said of one family where another says it.
    kinds = dict.fromkeys(_NAMES, "object")
    columns = {name: pd.Series([row[name] for row in found], ordered.index, kinds.get(name)) for name in found[0]}
    return ordered.assign(**columns)


def _numeric(column: pd.Series) -> pd.Series:
    """Numbers; whatever else a stranger's file holds is missing."""
    return pd.to_numeric(column, errors="coerce").astype("float64")


@dataclass(frozen=True, slots=True)
class _Bases:
    """What the cases of one family on one device are held against."""

    float32: Mapping[str, dict[str, Any]]  # the first with each delegate
    best_float: dict[str, Any] | None  # the fastest with weights of floats
    exact: dict[str, Any] | None  # the float32 file as it is meant to be run, on the CPU where it was
    accuracy: dict[str, Any] | None

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]]) -> _Bases:
        """From rows with their accuracy."""
        sound = [row for row in rows if not row["broken"] and row["network"] == ""]
        kept = [row for row in sound if row["relation"] == "same"]
        floats = [row for row in kept if row["scheme"] in {"float32", "float16"}]
        plain = [row for row in kept if row["scheme"] == "float32"]
        by_kind = (row for kind in (*ON_CPU, None) for row in plain if row["kind"] == kind or kind is None)
        exact = next((row for row in by_kind if not pd.isna(row["kind"])), None)
        ranked = [row for row in sound if not math.isnan(row["accuracy"])]
        most_accurate = max(ranked, key=lambda row: float(row["accuracy"]), default=None)
        return cls(
            {row["delegate"]: row for row in reversed(plain)},
            min(floats, key=lambda row: row["median_ms"], default=None),
            exact,
            exact if exact is not None and not math.isnan(exact["accuracy"]) else most_accurate,
        )


_NO_BASES = _Bases({}, None, None, None)


def _of_one_device(rows: Sequence[dict[str, Any]], same_within: float) -> list[dict[str, Any]]:
    """What `tradeoffs` says more of each of these rows, or says anew."""
    metric = metric_of(rows)
    judged = [_accuracy_of(row, metric) for row in rows]
    whole = [row | accuracy for row, accuracy in zip(rows, judged, strict=True)]
    bases, front = _Bases.of(whole), _front(whole, metric)
    return [
        accuracy | _against(bases if row["network"] == "" else _NO_BASES, row, same_within) | {"pareto": on_front}
        for row, accuracy, on_front in zip(whole, judged, front, strict=True)
    ]


def _against(bases: _Bases, row: dict[str, Any], same_within: float) -> dict[str, Any]:
    """What a case gains and loses; another network has nothing to be held against."""
    same, best = bases.float32.get(row["delegate"]), bases.best_float
    return {
        **_gain("speedup", same, row, same_within),
        **_gain("over_best", best, row, same_within),
        "float32": None if same is None else same["case"],
        "best_float": None if best is None else best["case"],
        "smaller": math.nan if bases.exact is None else bases.exact["size_mb"] / row["size_mb"],
        **_change(bases.accuracy, row),
    }


def _accuracy_of(row: dict[str, Any], metric: str | None) -> dict[str, Any]:
    """A row's accuracy by the metric that its device and family share, and what it may not be judged by."""
    own: dict[str, Any] = {}
    if metric in LIKENESS and not math.isnan(row["accuracy_compared"]):
        own["accuracy_n"] = row["accuracy_compared"]  # the reference may have had time for the first samples only
    else:
        own["accuracy_n"] = row["accuracy_n"]
    alike = row["network"] == "" and row["relation"] == "same"
    own |= {name: row[name] if alike else math.nan for name in LIKENESS}
    value = (row | own)[metric] if metric else math.nan
    low, high = _interval(value, own["accuracy_n"], metric)
    ends = {"accuracy_low": low, "accuracy_high": high}
    return own | {"metric": metric, "accuracy": value, "broken": row["accuracy_broken"] == 1, **ends}


def _interval(share: float, n: float, metric: str | None) -> tuple[float, float]:
    """The two ends of the accuracy itself, 95 %, where it is a share of samples."""
    if metric in {"accuracy_top1", "accuracy_agreement"} and n >= 1 and 0 <= share <= 1:
        return wilson(round(share * n), int(n))
    return math.nan, math.nan


def _gain(name: str, base: Row | None, row: Row, same_within: float) -> dict[str, Any]:
    """How many times faster than `base`, with interval: the ratio of times turned over."""
    nothing = Ratio(math.nan, None, None, "cannot tell")
    found, verdict = nothing, str(nothing.verdict)
    if base is not None:
        found, verdict = speed_against(base["samples_ms"], row["samples_ms"], same_within=same_within)
    low, high = (1 / found.interval.high, 1 / found.interval.low) if found.interval else (math.nan, math.nan)
    is_base = base is not None and base["case"] == row["case"]
    return {
        name: 1 / found.value,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_verdict": "same" if is_base else verdict,
    }


def _change(base: Row | None, row: Row) -> dict[str, Any]:
    """The change against `base`; with an interval where both say which samples they got right."""
    ends = {"accuracy_change_low": math.nan, "accuracy_change_high": math.nan}
    if base is None or pd.isna(row["accuracy"]):
        return {"accuracy_base": None, "accuracy_change": math.nan, **ends}
    found = {"accuracy_base": base["case"], "accuracy_change": row["accuracy"] - base["accuracy"], **ends}
    which = [side.get("accuracy_correct") for side in (base, row)]
    alike = base.get("accuracy_dataset") == row.get("accuracy_dataset")
    if row["metric"] == "accuracy_top1" and alike and all(isinstance(digits, str) for digits in which):
        try:
            n = int(row["accuracy_n"])
            change = paired(unpacked(str(which[0]), n), unpacked(str(which[1]), n))
        except ValueError:  # digits that no benchbench wrote
            return found
        found |= {"accuracy_change_low": change.low / 100, "accuracy_change_high": change.high / 100}
    return found


def slower_than_best_float(row: Row) -> bool:
    """Whether a row of `tradeoffs` is slower than the device's best float case."""
    return row["over_best_verdict"] in {"slower", "seems slower"}


def loss(row: Row) -> float:
    """How much accuracy a row of `tradeoffs` loses, as far as was measured: a share, of a signal to error as an error
    that takes as much off a cosine. NaN where its accuracy is not known.

    One other answer among 32 unlabelled samples proves no loss, so an agreement loses only with its whole interval.
    """
    if row["case"] == row["accuracy_base"]:
        return 0.0
    if row["metric"] == "accuracy_sqnr_db":
        return float(10 ** (-row["accuracy"] / 10) / 2)
    if row["metric"] == "accuracy_agreement" and not pd.isna(row["accuracy_high"]):
        return float(row["accuracy"] - row["accuracy_change"] - row["accuracy_high"])
    return float(-row["accuracy_change"])


def by_faithfulness(rows: Sequence[Row]) -> list[Row]:
    """Rows of one device and family, what is to be preferred of cases as fast first: the most faithful, as far as that
    matters; of those the smallest file; of files alike in size the fastest case.
    """
    sizes = _sizes(rows)
    return sorted(rows, key=lambda row: (*_unfaithfulness(row), sizes[row["case"]], row["median_ms"]))


def _unfaithfulness(row: Row) -> tuple[float, float]:
    sqnr: float = -math.inf if pd.isna(row["accuracy_sqnr_db"]) else row["accuracy_sqnr_db"]
    return -_as_shown(row["accuracy"], row["metric"]), -_as_shown(sqnr, "accuracy_sqnr_db")


def _sizes(rows: Sequence[Row]) -> dict[str, float]:
    """By case the size of the smallest file that its own is alike to."""
    own: dict[str, float] = {
        row["case"]: math.inf if pd.isna(row["size_mb"]) else float(row["size_mb"]) for row in rows
    }
    found: dict[str, float] = {}
    smallest = -math.inf
    for case, size in sorted(own.items(), key=lambda pair: pair[1]):
        smallest = smallest if size <= _ALIKE_IN_SIZE * smallest else size
        found[case] = smallest
    return found


def _as_shown(value: float, metric: str) -> float:
    """By the digits that are shown: two exact paths differ in the ninth."""
    if metric != "accuracy_sqnr_db":
        return round(value, _SHOWN.get(metric, 12))
    return min(value, _FAITHFUL_DB) if math.isinf(value) else float(round(min(value, _FAITHFUL_DB)))


def loses(row: Row, most: float) -> bool:
    """Whether a row of `tradeoffs` loses more accuracy than `most`, as far as was measured."""
    return loss(row) > most


def loss_interval(row: Row) -> tuple[float, float]:
    """Between which losses the samples were too few to tell whether a row of `tradeoffs` loses so much; NaN: none."""
    if row["case"] == row["accuracy_base"]:
        return math.nan, math.nan
    if row["metric"] == "accuracy_agreement":
        base = row["accuracy"] - row["accuracy_change"]
        return float(base - row["accuracy_high"]), float(base - row["accuracy_low"])
    return float(-row["accuracy_change_high"]), float(-row["accuracy_change_low"])


def uncertain(row: Row, most: float) -> bool:
    """Whether the samples were too few to tell if a row of `tradeoffs` loses more accuracy than `most`."""
    low, high = loss_interval(row)
    return low <= most < high if row["metric"] == "accuracy_agreement" else low < most < high


def _front(rows: Sequence[Row], metric: str | None) -> list[bool]:
    """Per row whether no other is at least as good in time and accuracy, and better in one of them.

    Likeness counts by the digits that are shown: two exact paths differ in the ninth.
    """
    digits = _SHOWN.get(metric or "", 12)
    sign = -1 if metric is None or METRICS[metric].better == "higher" else 1
    own = [round(sign * row["accuracy"], digits) if metric else 0.0 for row in rows]
    able = [
        not row["broken"] and row["network"] == "" and not math.isnan(row["median_ms"]) and not math.isnan(accuracy)
        for row, accuracy in zip(rows, own, strict=True)
    ]
    values = np.array([(row["median_ms"], accuracy) for row, accuracy, ok in zip(rows, own, able, strict=True) if ok])
    beaten = iter([bool(((values <= mine).all(axis=1) & (values < mine).any(axis=1)).any()) for mine in values])
    return [ok and not next(beaten) for ok in able]
