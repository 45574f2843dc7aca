"""What each case gains in speed and size and costs in accuracy, as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchbench.accuracy.metrics import paired, unpacked, wilson
from benchbench.analysis.doubts import NOISY
from benchbench.analysis.formatting import LIKENESS, METRICS
from benchbench.analysis.intervals import Ratio, compare
from benchbench.runtimes import ON_CPU
from benchbench.values.quantities import case_quantity

CELL = ["run", "device", "family", "variant", "delegate"]
WHERE = ["run", "device", "family"]
_ENDS = ("", "_low", "_high")
_NUMBERS = [f"{name}{end}" for name in ("speedup", "over_best", "accuracy", "accuracy_change") for end in _ENDS]
_NAMES = ["speedup_verdict", "over_best_verdict", "float32", "best_float", "accuracy_base", "metric"]
_SCORES = ("n", "compared", "agreement", "cosine", "sqnr_db", "broken")  # that a row always has


def fastest(cases: pd.DataFrame) -> pd.DataFrame:
    """One case per run, device, variant and delegate: its fastest threads and affinity among headline numbers."""
    order = cases.sort_values(["headline", "median_ms"], ascending=[False, True], kind="stable")
    return order.drop_duplicates(CELL).sort_index()


def is_broken(row: pd.Series) -> bool:
    """Whether fidelity found an output broken, so that the time is that of wrong answers."""
    broken = row.get("accuracy_broken")
    return not pd.isna(broken) and bool(broken == 1)


def metric_of(cases: pd.DataFrame) -> str | None:
    """The column that stands for accuracy here, the best that can tell right from wrong; None where none can."""
    own = cases[cases["network"] == ""]
    for name in METRICS:
        able = own[own["relation"] == "same"] if name in LIKENESS else own
        if name in able and any(
            known and _tells(row, name)
            for known, (_, row) in zip(_numeric(able[name]).notna(), able.iterrows(), strict=True)
        ):
            return name
    return None


def _tells(row: pd.Series, name: str) -> bool:
    """Whether a measure says something of these samples, by `telling` of accuracy.scores; old runs do not have it."""
    said = row.get("accuracy_telling")
    return not isinstance(said, str) or name.removeprefix("accuracy_") in said.split()


def tradeoffs(cases: pd.DataFrame, *, same_within: float = 0.03) -> pd.DataFrame:
    """The headline cases of `fastest`, with what each gains and costs.

    speedup (_low, _high, _verdict): against float32 on the same delegate, the case in `float32`. over_best (same ends):
    against the device's fastest float case, the one in `best_float`. smaller: float32's size / its size. metric: the
    column that stands for accuracy on this device and family. accuracy (_low, _high): its value, with Wilson's interval
    where it is a share of samples. accuracy_change (_low, _high): against the case in `accuracy_base`, float32 on the
    device's CPU, or the most accurate case where there is no float32. broken: an output is, so that the case is no base
    for others and not on the front. pareto: no other case of the device is at least as good in time, size and accuracy
    and better in one of them; a case without one of these is not on the front. What is derived from the family's
    network (`relation`) has no likeness to it, and what is another network (`network`) is not compared at all.
    """
    best = fastest(cases)
    best = best[best["headline"]]
    parts = [_of_one_device(group.copy(), same_within) for _, group in best.groupby(WHERE, sort=False)]
    if parts:
        return pd.concat(parts)
    nothing = dict.fromkeys([*_NUMBERS, "smaller"], math.nan) | dict.fromkeys(_NAMES)
    return best.assign(**nothing, broken=False, pareto=False)


def _numeric(column: pd.Series) -> pd.Series:
    """Numbers; whatever else a stranger's file holds is missing."""
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _of_one_device(group: pd.DataFrame, same_within: float) -> pd.DataFrame:
    metric = metric_of(group)
    for key in dict.fromkeys([*(f"accuracy_{name}" for name in _SCORES), *([metric] if metric else [])]):
        group[key] = _numeric(group[key]) if key in group else math.nan
    if metric in LIKENESS:  # the reference may have had time for the first samples only
        group["accuracy_n"] = group["accuracy_compared"].fillna(group["accuracy_n"])
    stranger, derived = group["network"] != "", group["relation"] != "same"
    group.loc[stranger | derived, [*LIKENESS]] = math.nan
    whole = group.assign(metric=metric, accuracy=group[metric] if metric else math.nan)
    whole = whole.assign(broken=whole["accuracy_broken"] == 1, **_interval(whole, metric))
    sound = whole[~whole["broken"] & ~stranger]
    kept = sound[~derived[sound.index]]
    floats = kept[kept["scheme"].isin(["float32", "float16"])].sort_values("median_ms")
    plain = kept[kept["scheme"] == "float32"]
    best_float = floats.iloc[0] if len(floats) else None
    exact = _first(plain, *(plain["kind"] == kind for kind in ON_CPU), plain["kind"].notna())
    ranked = sound[sound["accuracy"].notna()].sort_values("accuracy", ascending=False, kind="stable")
    base = exact if exact is not None and not pd.isna(exact["accuracy"]) else ranked.iloc[0] if len(ranked) else None
    rows = []
    for _, row in whole.iterrows():
        alone = row["network"] != ""
        same = None if alone else _first(plain, plain["delegate"] == row["delegate"])
        best = None if alone else best_float
        rows.append(
            {
                **_gain("speedup", same, row, same_within),
                **_gain("over_best", best, row, same_within),
                "float32": None if same is None else same["case"],
                "best_float": None if best is None else best["case"],
                "smaller": math.nan if exact is None or alone else exact["size_mb"] / row["size_mb"],
                **_change(None if alone else base, row),
            }
        )
    return pd.concat([whole, pd.DataFrame(rows, index=group.index)], axis=1).assign(pareto=_front(whole))


def _interval(group: pd.DataFrame, metric: str | None) -> dict[str, Any]:
    """The two ends of the accuracy itself, 95 %, where it is a share of samples."""
    ends = np.full((len(group), 2), math.nan)
    if metric in {"accuracy_top1", "accuracy_agreement"}:
        for at, (share, n) in enumerate(zip(group[metric], group["accuracy_n"], strict=True)):
            if n >= 1 and 0 <= share <= 1:
                ends[at] = wilson(round(share * n), int(n))
    return {"accuracy_low": ends[:, 0], "accuracy_high": ends[:, 1]}


def _first(frame: pd.DataFrame, *choices: pd.Series) -> pd.Series | None:
    """The first row of the first choice that has any."""
    return next((frame[choice].iloc[0] for choice in choices if choice.any()), None)


def _gain(name: str, base: pd.Series | None, row: pd.Series, same_within: float) -> dict[str, Any]:
    """How many times faster than `base`, with interval: the ratio of times turned over."""
    nothing = Ratio(math.nan, None, None, "cannot tell")
    found = nothing if base is None else compare(base["samples_ms"], row["samples_ms"], same_within=same_within)
    low, high = (1 / found.interval.high, 1 / found.interval.low) if found.interval else (math.nan, math.nan)
    is_base = base is not None and base["case"] == row["case"]
    return {
        name: 1 / found.value,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_verdict": "same" if is_base else found.verdict,
    }


def _change(base: pd.Series | None, row: pd.Series) -> dict[str, Any]:
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


def told_apart(base: Sequence[float], new: Sequence[float]) -> bool:
    """Whether one is faster; of launches too few for an interval, where their medians lie further apart than noise."""
    found = compare(base, new)
    if found.interval is None:
        return not 1 / (1 + NOISY) <= found.value <= 1 + NOISY
    return found.verdict in {"faster", "slower"}


def slower_than_best_float(row: pd.Series) -> bool:
    """Whether a row of `tradeoffs` is slower than the device's best float case."""
    if pd.isna(row["over_best"]) or row["case"] == row["best_float"]:
        return False
    few = pd.isna(row["over_best_low"])
    return bool(row["over_best"] < 1 / (1 + NOISY)) if few else bool(row["over_best_verdict"] == "slower")


def loses(row: pd.Series, most: float) -> bool:
    """Whether a row of `tradeoffs` loses more accuracy than `most`, as far as was measured.

    One other answer among 32 unlabelled samples proves no loss, so an agreement loses only with its whole interval.
    """
    if row["case"] == row["accuracy_base"]:
        return False
    if row["metric"] == "accuracy_sqnr_db":  # an error that takes as much off a cosine
        return bool(row["accuracy"] < -10 * math.log10(2 * most)) if most > 0 else bool(row["accuracy_change"] < 0)
    if row["metric"] == "accuracy_agreement" and not pd.isna(row["accuracy_high"]):
        return bool(row["accuracy_high"] < row["accuracy"] - row["accuracy_change"] - most)
    return bool(row["accuracy_change"] < -most)


def uncertain(row: pd.Series, most: float) -> bool:
    """Whether the samples were too few to tell if a row of `tradeoffs` loses more accuracy than `most`."""
    if row["case"] == row["accuracy_base"]:
        return False
    if row["metric"] == "accuracy_agreement":
        allowed = row["accuracy"] - row["accuracy_change"] - most
        return bool(row["accuracy_low"] < allowed <= row["accuracy_high"])
    return bool(row["accuracy_change_low"] < -most < row["accuracy_change_high"])


def _front(group: pd.DataFrame) -> list[bool]:
    """Per row whether no other is at least as good in time, size and accuracy, and better in one of them."""
    metric = group["metric"].iloc[0]
    costs = {name: case_quantity(name) for name in ("median_ms", "size_mb")}
    costs |= {"accuracy": METRICS[metric]} if metric is not None else {}
    signs = {name: -1 if one.better == "higher" else 1 for name, one in costs.items() if group[name].notna().any()}
    able = group[~group["broken"] & (group["network"] == "") & group[list(signs)].notna().all(axis=1)]
    values = (able[list(signs)] * list(signs.values())).to_numpy(float)
    beaten = [bool(((values <= mine).all(axis=1) & (values < mine).any(axis=1)).any()) for mine in values]
    front = dict(zip(able.index, (not one for one in beaten), strict=True))
    return [front.get(index, False) for index in group.index]
