"""Which variant, on which delegate: speed against float, accuracy, size and known traps, from the frame of cases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchbench.accuracy.metrics import paired, unpacked
from benchbench.statistics import Ratio, compare

METRICS = ("top1", "map", "agreement", "cosine")  # what stands for "accuracy", best first
_CELL = ["run", "device", "family", "variant", "delegate"]
_WHERE = ["run", "device", "family"]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to ship on one device, in a sentence; why; what speaks against believing it; what to keep away from."""

    run: str
    device: str
    family: str
    case: str | None
    choice: str  # the case in words, or why there is none
    claims: tuple[str, ...] = ()  # its time, speed-ups, change in accuracy, size
    evidence: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return f"{self.choice}: {'; '.join(self.claims)}." if self.claims else self.choice


def fastest(cases: pd.DataFrame) -> pd.DataFrame:
    """One case per run, device, variant and delegate: its fastest threads and affinity among headline numbers."""
    order = cases.sort_values(["headline", "median_ms"], ascending=[False, True], kind="stable")
    return order.drop_duplicates(_CELL).sort_index()


def metric_of(cases: pd.DataFrame) -> str | None:
    """The column that stands for accuracy here; None where nothing was measured."""
    known = [f"accuracy_{name}" for name in METRICS]
    return next((name for name in known if name in cases and cases[name].notna().any()), None)


def tradeoffs(cases: pd.DataFrame, *, same_within: float = 0.03) -> pd.DataFrame:
    """The headline cases of `fastest`, with what each gains and costs.

    speedup (_low, _high, _verdict): against float32 on the same delegate, the case in `float32`. over_best (same ends):
    against the device's fastest float case, the one in `best_float`. smaller: float32's size / its size. accuracy,
    accuracy_change (_low, _high): fractions, the change is against float32 on the device's CPU. pareto: no other case
    of the device is at least as good in time, size and accuracy and better in one of them.
    """
    best = fastest(cases)
    best = best[best["headline"]]
    metric = metric_of(cases)
    parts = [_of_one_device(group, metric, same_within) for _, group in best.groupby(_WHERE, sort=False)]
    return pd.concat(parts) if parts else best.assign(accuracy=math.nan, pareto=False)


def recommend(
    cases: pd.DataFrame, *, loses_at_most: float = 0.01, same_within: float = 0.03
) -> tuple[Recommendation, ...]:
    """A recommendation per run, device and family: the fastest case that loses at most that much accuracy."""
    table = tradeoffs(cases, same_within=same_within)
    found = []
    for (run, device, family), all_cases in cases.groupby(_WHERE, sort=False):
        mine = table[(table["run"] == run) & (table["device"] == device) & (table["family"] == family)]
        found.append(_recommend_one((str(run), str(device), str(family)), all_cases, mine, loses_at_most, same_within))
    return tuple(found)


def _of_one_device(group: pd.DataFrame, metric: str | None, same_within: float) -> pd.DataFrame:
    floats = group[group["scheme"].isin(["float32", "float16"])]
    best_float = floats.sort_values("median_ms").iloc[0] if len(floats) else None
    plain = group[group["scheme"] == "float32"]
    exact = _first(plain, plain["kind"] == "cpu", plain["kind"] == "xnnpack", plain["kind"].notna())
    rows = []
    for _, row in group.iterrows():
        same = _first(plain, plain["delegate"] == row["delegate"])
        rows.append(
            {
                **_gain("speedup", same, row, same_within),
                **_gain("over_best", best_float, row, same_within),
                "float32": None if same is None else same["case"],
                "best_float": None if best_float is None else best_float["case"],
                "smaller": math.nan if exact is None else exact["size_mb"] / row["size_mb"],
                **_accuracy(exact, row, metric),
            }
        )
    known = pd.DataFrame(rows, index=group.index)
    whole = pd.concat([group, known], axis=1)
    return whole.assign(pareto=[_on_front(row, whole) for _, row in whole.iterrows()])


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


def _accuracy(exact: pd.Series | None, row: pd.Series, metric: str | None) -> dict[str, float]:
    """The change against `exact`; with an interval where both say which samples they got right."""
    mine = row[metric] if metric else math.nan
    found = {"accuracy": mine, "accuracy_change": math.nan}
    found |= {"accuracy_change_low": math.nan, "accuracy_change_high": math.nan}
    if exact is None or not metric or pd.isna(mine) or pd.isna(exact[metric]):
        return found
    found["accuracy_change"] = mine - exact[metric]
    which = [side.get("accuracy_correct") for side in (exact, row)]
    alike = exact.get("accuracy_dataset") == row.get("accuracy_dataset")
    if metric == "accuracy_top1" and alike and all(isinstance(digits, str) for digits in which):
        n = int(row["accuracy_n"])
        try:
            change = paired(unpacked(str(which[0]), n), unpacked(str(which[1]), n))
        except ValueError:  # digits that no benchbench wrote
            return found
        found |= {"accuracy_change_low": change.low / 100, "accuracy_change_high": change.high / 100}
    return found


def _on_front(row: pd.Series, group: pd.DataFrame) -> bool:
    """Whether no other case is at least as good in time, size and accuracy, and better in one of them."""
    costs = {"median_ms": 1, "size_mb": 1, "accuracy": -1}
    known = {name: sign for name, sign in costs.items() if group[name].notna().all()}
    as_good = pd.Series(True, index=group.index)
    better = pd.Series(False, index=group.index)
    for name, sign in known.items():
        as_good &= sign * group[name] <= sign * row[name]
        better |= sign * group[name] < sign * row[name]
    return not bool((as_good & better).any())


def _recommend_one(
    where: tuple[str, str, str], cases: pd.DataFrame, table: pd.DataFrame, loses_at_most: float, same_within: float
) -> Recommendation:
    traps = tuple(find_traps(cases, table))
    if table.empty:
        nothing = "Nothing can be recommended: no case has a number that ran where it was asked to, undisturbed."
        return Recommendation(*where, None, nothing, traps=traps)
    keeps = table[~(table["accuracy_change"] < -loses_at_most)]
    table = table.sort_values("median_ms")
    choice = (keeps if len(keeps) else table).sort_values("median_ms").iloc[0]
    ahead = table[table["median_ms"] < choice["median_ms"]]
    evidence = [
        f"{describe(row)} is faster ({milliseconds(row['median_ms'])}) but changes accuracy by {_points(row)}"
        for _, row in ahead.iterrows()
    ]
    doubts = [str(doubt) for doubt in choice["doubts"]]
    equals = [
        f"{describe(row)} ({milliseconds(row['median_ms'])})"
        for _, row in keeps.sort_values("median_ms").iterrows()
        if row["case"] != choice["case"]
        and compare(choice["samples_ms"], row["samples_ms"], same_within=same_within).verdict in {"same", "cannot tell"}
    ]
    doubts += [f"not to be told apart in speed from {'; '.join(equals)}"] if equals else []
    if table["accuracy"].isna().all():
        doubts.append("accuracy was not measured: this is about speed and size alone")
    return Recommendation(
        *where, choice["case"], describe(choice), _claims(choice), tuple(evidence), tuple(doubts), traps
    )


def describe(row: pd.Series) -> str:
    """A case in words: "int8 on xnnpack, 4 threads"."""
    threads = "" if pd.isna(row["threads"]) else f", {row['threads']} thread{'s' if row['threads'] != 1 else ''}"
    pinned = f", on cores {row['affinity']}" if isinstance(row["affinity"], str) else ""
    return f"{shorten(row['variant'])} on {shorten(row['delegate'])}{threads}{pinned}"


def shorten(name: object, most: int = 48) -> str:
    """A name that fits a sentence or an axis: its middle gives way, for the ends tell variants apart."""
    text = str(name)
    kept = (most - 1) // 2
    return text if len(text) <= most else f"{text[:kept]}…{text[-kept:]}"


def _claims(row: pd.Series) -> tuple[str, ...]:
    parts = [milliseconds(row["median_ms"])]
    same = row["float32"] == row["best_float"]
    if not pd.isna(row["speedup"]) and row["scheme"] != "float32":
        best = ", which is the device's best float case" if same else ""
        parts.append(_against(row, "speedup", f"float32 on the same delegate{best}"))
    if not pd.isna(row["over_best"]) and row["best_float"] != row["case"] and not same:
        parts.append(_against(row, "over_best", "the device's best float case"))
    if not pd.isna(row["accuracy_change"]) and row["scheme"] != "float32":
        parts.append(f"{_points(row)} accuracy")
    if not pd.isna(row["smaller"]) and row["smaller"] > 1.05:
        parts.append(f"{row['smaller']:.1f}× smaller")
    return tuple(parts)


def _against(row: pd.Series, name: str, base: str) -> str:
    """The speed against `base`, in words that claim no more than the verdict does."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    match row[f"{name}_verdict"]:
        case "faster":
            return f"{value:.1f}× [{low:.1f}, {high:.1f}] faster than {base}"
        case "slower":
            return f"{1 / value:.1f}× [{1 / high:.1f}, {1 / low:.1f}] slower than {base}"
        case "same":
            return f"as fast as {base}"
        case _:
            return f"not to be told apart in speed from {base}"


def _points(row: pd.Series) -> str:
    change, low, high = (row[f"accuracy_change{end}"] for end in ("", "_low", "_high"))
    spread = "" if pd.isna(low) else f" [{points(low)}, {points(high)}]"
    return f"{points(change)} points{spread}"


def points(change: float) -> str:
    """A change of a share in percentage points: "−0.6", "+0.0"."""
    return f"{round(100 * change, 1) + 0.0:+.1f}".replace("-", "−")


def milliseconds(ms: float) -> str:
    """A latency with three digits: "4.02 ms"."""
    return f"{number(ms)} ms"


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, zeros kept, and no exponent."""
    text = f"{value:#.{digits}g}".rstrip(".")
    return f"{value:.0f}" if "e+" in text else text


def find_traps(cases: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """The known traps that one device's cases fell into, each in a sentence."""
    quantized = table[~table["scheme"].fillna("").str.startswith("float")] if len(table) else table
    found = [
        f"{describe(row)} is slower than float32 there ({1 / row['speedup']:.2g}×)"
        for _, row in quantized.iterrows()
        if row["speedup_verdict"] == "slower"
    ]
    best = fastest(cases)
    found += [
        f"{shorten(row['variant'])} without XNNPACK runs on reference kernels: dynamic-range needs XNNPACK to be fast"
        for _, row in best[best["kind"] == "cpu"].iterrows()
        if str(row["scheme"]).startswith("dynamic")
    ]
    fallen = best[best["kind"].isin(["gpu", "npu", "nnapi", "edgetpu", "hexagon"])]
    for _, row in fallen.iterrows():
        if "int" in str(row["scheme"]) and row["verdict"] in {"none", "partial", "mixed"}:
            found.append(
                f"{shorten(row['variant'])} falls off {row['delegate']}: {row['executor'] or 'nothing'} ran it"
            )
    for _, row in table.iterrows():
        low, high = row["accuracy_change_low"], row["accuracy_change_high"]
        if row["scheme"] == "float32" and row["kind"] not in {"cpu", "xnnpack"} and high < 0:
            found.append(f"{row['delegate']} itself costs accuracy: float32 changes by {_points(row)}")
        elif low < -0.01 < 0 <= high:
            found.append(f"{describe(row)}: too few samples to tell whether a point of accuracy is lost")
        if row.get("accuracy_broken") == 1:
            found.append(f"{describe(row)} breaks an output: {row['accuracy_flags']}")
    return found
