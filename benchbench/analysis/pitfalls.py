"""The known pitfalls of quantization and delegates, found in one device's cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from textwrap import shorten as cut
from typing import Any

import pandas as pd

from benchbench.analysis.formatting import change, describe, quality, samples, shorten
from benchbench.analysis.rows import Row
from benchbench.analysis.tradeoffs import uncertain
from benchbench.runtimes import BACKENDS, ON_CPU, backend_type
from benchbench.values.formatting import ratio

_ACCELERATORS = [kind for kind, backend in BACKENDS.items() if backend.processor == "accelerator"]
_MOST_NAMED = 4


def find_pitfalls(cases: Sequence[Row], table: Sequence[Row], most: float) -> tuple[str, ...]:
    """The pitfalls that one device's cases met, a sentence each; `table` is that of `tradeoffs`, `most` the loss of
    accuracy that may be.
    """
    best = _fastest(cases)
    found = [*_slow_kernels(best), *_off_the_accelerator(best)]
    if table:
        found = [*_slower(table), *found, *_broken(table), *_delegate_costs(table), *_too_few(table, most)]
    return tuple(found)


def _fastest(cases: Sequence[Row]) -> list[Row]:
    """As `tradeoffs.fastest`, of one device and family."""
    chosen: dict[tuple[Any, Any], Row] = {}
    for row in cases:
        path, other = (row["variant"], row["delegate"]), chosen.get((row["variant"], row["delegate"]))
        if other is None or _later(row) < _later(other):
            chosen[path] = row
    kept = {row["case"] for row in chosen.values()}
    return [row for row in cases if row["case"] in kept]


def _later(row: Row) -> tuple[bool, float]:
    return not row["headline"], math.inf if pd.isna(row["median_ms"]) else row["median_ms"]


def _slower(table: Sequence[Row]) -> Iterator[str]:
    for row in table:
        if not str(row["scheme"] or "").startswith("float") and row["speedup_verdict"] == "slower":
            yield f"{describe(row)} is slower than float32 there ({ratio(1 / row['speedup'])})"


def _slow_kernels(best: Sequence[Row]) -> Iterator[str]:
    for row in best:
        if row["status"] == "ok":
            for scheme, why in backend_type(row["kind"]).slow_schemes:
                if str(row["scheme"]).startswith(scheme):
                    yield f"{shorten(row['variant'])} {why}"


def _off_the_accelerator(best: Sequence[Row]) -> Iterator[str]:
    there = [row for row in best if row["kind"] in _ACCELERATORS]
    floats = [row for row in there if row["scheme"] in {"float32", "float16"}]
    taken = {row["delegate"] for row in floats if row["headline"]}
    refused = {row["delegate"] for row in floats if row["verdict"] == "none"} - taken  # takes no float either
    for row in there:
        if not isinstance(row["scheme"], str) or "int" not in row["scheme"]:
            continue
        name, delegate = shorten(row["variant"]), shorten(row["delegate"])
        if row["verdict"] in {"none", "partial", "mixed"} and row["status"] == "ok":
            if row["verdict"] == "none" and row["delegate"] in refused:
                continue
            taken_of: str = (
                "" if pd.isna(row["nodes_total"]) else f", {row['nodes_delegated']} of {row['nodes_total']} nodes"
            )
            yield f"{name} falls off {delegate}: {row['executor'] or 'nothing'} ran it{taken_of}"
        elif row["delegate"] in taken and (row["status"] != "ok" or row["verdict"] == "unavailable"):
            why = row["error"] if isinstance(row["error"], str) else row["evidence"]
            yield f"{name} does not run on {delegate}, where float does: {cut(str(why), 200, placeholder=' …')}"


def _broken(table: Sequence[Row]) -> Iterator[str]:
    whole: dict[str, Row] = {}
    for row in table:
        if not row["broken"] and row["kind"] in ON_CPU:
            whole.setdefault(row["variant"], row)
    for row in (row for row in table if row["broken"]):
        what = broken_words(row)
        if row["kind"] in ON_CPU or row["variant"] not in whole:
            yield f"{describe(row)} breaks an output: {what}"
            continue
        half = backend_type(row["kind"]).half_precision and str(row["scheme"]).startswith("float")
        why = " (it may compute in float16)" if half else ""
        name, there = shorten(row["variant"]), shorten(row["delegate"])
        sound = shorten(whole[row["variant"]]["delegate"])
        yield f"{there} breaks an output of {name} that is sound on {sound}{why}: {what}"


def broken_words(row: Row) -> str:
    """What is wrong with the outputs of a row, at most a few lines of it."""
    flags = row.get("accuracy_flags")
    return cut(flags, 300, placeholder=" …") if isinstance(flags, str) and flags else "its outputs are wrong"


def _delegate_costs(table: Sequence[Row]) -> Iterator[str]:
    """float32 itself, on a delegate whose arithmetic changes what comes out."""
    for row in table:
        if row["scheme"] != "float32" or row["kind"] in ON_CPU or row["broken"]:
            continue
        base = row["accuracy"] - row["accuracy_change"]
        if row["accuracy_change_high"] < 0 or (row["metric"] == "accuracy_agreement" and row["accuracy_high"] < base):
            yield f"{shorten(row['delegate'])} itself costs {quality([row['metric']])}, float32 too: {change(row)}"


def _too_few(table: Sequence[Row], most: float) -> Iterator[str]:
    unsure: dict[float, list[Row]] = {}
    for row in table:
        if not row["broken"] and uncertain(row, most):
            unsure.setdefault(row["accuracy_n"], []).append(row)
    for group in unsure.values():
        names = [describe(row) for row in group]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield (
            f"{samples(group[0])}: too few to tell whether "
            f"{points_of(most)} of {quality(row['metric'] for row in group)} is lost by "
            f"{'; '.join(names[:_MOST_NAMED])}{more}"
        )


def points_of(most: float) -> str:
    """A loss that may be, in words: "a point"."""
    return "a point" if most == 0.01 else f"{100 * most:g} points"
