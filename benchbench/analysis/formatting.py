"""Cases, times and accuracies in words that claim no more than was measured."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from benchbench.analysis.rows import Row
from benchbench.values.formatting import decibel, factor, number, percent, points, ratio, ratio_number, time
from benchbench.values.quantities import quantity

_RANKED = ("accuracy_top1", "accuracy_map", "accuracy_agreement", "accuracy_cosine", "accuracy_sqnr_db")
METRICS = {name: quantity(name) for name in _RANKED}  # what stands for "accuracy", best first
# The reference is float32 on this host's reference kernels, or what stands in for it in a family without float32.
LIKENESS = frozenset(
    {"accuracy_agreement", "accuracy_cosine", "accuracy_sqnr_db"}
)  # need no labels, and do not say what is right


def describe(row: Row) -> str:
    """A case in words: "int8 on xnnpack, 4 threads"."""
    threads: str = "" if pd.isna(row["threads"]) else f", {row['threads']} thread{'s' if row['threads'] != 1 else ''}"
    pinned = f", on cores {row['affinity']}" if isinstance(row["affinity"], str) else ""
    return f"{shorten(row['variant'])} on {shorten(row['delegate'])}{threads}{pinned}"


def described_time(row: Row) -> str:
    """A case in words, with its latency."""
    return f"{describe(row)} ({time(row['median_ms'])})"


def shorten(name: object, most: int = 48) -> str:
    """A name that fits a sentence or an axis: its middle gives way, for the ends tell variants apart."""
    text = str(name)
    kept = (most - 1) // 2
    return text if len(text) <= most else f"{text[:kept]}…{text[-kept:]}"


def against(row: Row, name: str, base: str) -> str:
    """The speed against `base`, in words that claim no more than the verdict does."""
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    match row[f"{name}_verdict"]:
        case "faster":
            return f"{ratio(value)} [{ratio_number(low)}, {ratio_number(high)}] faster than {base}"
        case "slower":
            ends = f"{ratio_number(1 / high)}, {ratio_number(1 / low)}"
            return f"{ratio(1 / value)} [{ends}] slower than {base}"
        case "same":
            return f"as fast as {base}"
        case "seems faster" | "seems slower":
            return f"about {factor(value, 'faster', 'slower')} than {base}, by launches too few for an interval"
        case _:
            return f"not to be told apart in speed from {base}"


def change(row: Row) -> str:
    """What a row of `tradeoffs` costs in accuracy, each metric in its own terms; whole points where no interval is."""
    low, high = row["accuracy_change_low"], row["accuracy_change_high"]
    match row["metric"]:
        case "accuracy_agreement":
            return f"the same answers as the reference for {share(row)} of {samples(row)}"
        case "accuracy_cosine":
            error: str = "" if pd.isna(row["accuracy_sqnr_db"]) else f", {_error(row['accuracy_sqnr_db'])}"
            return f"outputs at cosine {number(row['accuracy'], 4)} to the reference's{error}, over {samples(row)}"
        case "accuracy_sqnr_db":
            return f"{_error(row['accuracy'])} against the reference, over {samples(row)}"
        case metric if pd.isna(low):
            whole = round(100 * row["accuracy_change"])
            said = f"{whole:+d}".replace("-", "−") if whole else "0"
            return (
                f"about {said} point{'s' if abs(whole) != 1 else ''} of {METRICS[metric].label}"
                f" over {samples(row)}, without an interval"
            )
        case metric:
            return f"{points(row['accuracy_change'])} points [{points(low)}, {points(high)}] of {METRICS[metric].label}"


def _error(db: float) -> str:
    said = decibel(db)
    return f"signal to error {said}" if said.endswith("dB") else said


def measured(row: Row) -> str:
    """The accuracy of a row itself: "91.5 % [89.6, 93.1]", a cosine as a plain number."""
    match row["metric"]:
        case "accuracy_cosine":
            return number(row["accuracy"], 4)
        case "accuracy_sqnr_db":
            return decibel(row["accuracy"])
        case _:
            return share(row)


def quality(metrics: Iterable[object]) -> str:
    """What stands against speed: accuracy where there are labels, fidelity where outputs are only compared."""
    kinds = {"fidelity" if metric in LIKENESS else "accuracy" for metric in metrics if isinstance(metric, str)}
    return " and ".join(sorted(kinds)) or "fidelity"  # which takes no labels


def share(row: Row) -> str:
    """A row's accuracy in percent with its interval where it has one."""
    low, high = (100 * row[f"accuracy_{end}"] for end in ("low", "high"))
    spread = "" if pd.isna(low) else f" [{low:.1f}, {high:.1f}]"
    return f"{percent(row['accuracy'], 1)}{spread}"


def samples(row: Row) -> str:
    n = row["accuracy_n"]
    return "an unknown number of samples" if pd.isna(n) else f"{int(n):,} sample{'s' if n != 1 else ''}"


def became(row: Row) -> str:
    """What became of a case, in a word: its status, or "unavailable" where its delegate could not be had."""
    lost = row["status"] in {"failed", "incomplete"} and row["verdict"] == "unavailable"
    return "unavailable" if lost else str(row["status"])


def ran_on(row: Row) -> str:
    """What executed a case, or what became of it and why: "skipped: no Vulkan driver"."""
    if isinstance(row["executor"], str) and row["executor"]:
        return row["executor"]
    said = row["error"] if isinstance(row["error"], str) and row["error"] else "no reason recorded"
    return f"{became(row)}: {said}"


def missing(row: Row) -> str | None:
    """Why a case has no bar of its own: what ran instead of the delegate, or what failed; None = it has one."""
    if row["headline"]:
        return None
    if row["status"] != "ok":
        return became(row)
    if row["verdict"] in {"none", "unavailable"}:
        return f"not on {row['kind'] or 'it'}: {row['executor']}"
    if row["verdict"] == "mixed":
        return f"launches ran on different executors, mostly {row['executor']}"
    if row["verdict"] == "unknown":
        return "unconfirmed: nothing says what ran"
    return "throttled, hot or profiled"
