"""The known pitfalls of quantization and delegates, found in one device's cases."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import shorten as cut

import numpy as np
import pandas as pd

from benchbench.analysis.formatting import change, describe, quality, samples, shorten
from benchbench.analysis.tradeoffs import fastest, uncertain
from benchbench.runtimes import BACKENDS, ON_CPU, backend_type
from benchbench.values.formatting import ratio

_ACCELERATORS = [kind for kind, backend in BACKENDS.items() if backend.processor == "accelerator"]
_MOST_NAMED = 4


def find_pitfalls(cases: pd.DataFrame, table: pd.DataFrame, most: float) -> tuple[str, ...]:
    """The pitfalls that one device's cases met, a sentence each; `table` is that of `tradeoffs`, `most` the loss of
    accuracy that may be.
    """
    best = fastest(cases)
    found = [*_slow_kernels(best), *_off_the_accelerator(best)]
    if len(table):
        found = [*_slower(table), *found, *_broken(table), *_delegate_costs(table), *_too_few(table, most)]
    return tuple(found)


def _slower(table: pd.DataFrame) -> Iterator[str]:
    quantized = table[~table["scheme"].fillna("").str.startswith("float")]
    for _, row in quantized[quantized["speedup_verdict"] == "slower"].iterrows():
        yield f"{describe(row)} is slower than float32 there ({ratio(1 / row['speedup'])})"


def _slow_kernels(best: pd.DataFrame) -> Iterator[str]:
    for _, row in best[best["status"] == "ok"].iterrows():
        for scheme, why in backend_type(row["kind"]).slow_schemes:
            if str(row["scheme"]).startswith(scheme):
                yield f"{shorten(row['variant'])} {why}"


def _off_the_accelerator(best: pd.DataFrame) -> Iterator[str]:
    there = best[best["kind"].isin(_ACCELERATORS)]
    floats = there[there["scheme"].isin(["float32", "float16"])]
    taken = set(floats.loc[floats["headline"], "delegate"])
    refused = set(floats.loc[floats["verdict"] == "none", "delegate"]) - taken  # takes no float either
    for _, row in there[there["scheme"].fillna("").str.contains("int")].iterrows():
        name, delegate = shorten(row["variant"]), shorten(row["delegate"])
        if row["verdict"] in {"none", "partial", "mixed"} and row["status"] == "ok":
            if row["verdict"] == "none" and row["delegate"] in refused:
                continue
            taken_of = (
                "" if pd.isna(row["nodes_total"]) else f", {row['nodes_delegated']} of {row['nodes_total']} nodes"
            )
            yield f"{name} falls off {delegate}: {row['executor'] or 'nothing'} ran it{taken_of}"
        elif row["delegate"] in taken and (row["status"] != "ok" or row["verdict"] == "unavailable"):
            why = row["error"] if isinstance(row["error"], str) else row["evidence"]
            yield f"{name} does not run on {delegate}, where float does: {cut(str(why), 200, placeholder=' …')}"


def _broken(table: pd.DataFrame) -> Iterator[str]:
    whole = table[~table["broken"] & table["kind"].isin(ON_CPU)].drop_duplicates("variant").set_index("variant")
    for _, row in table[table["broken"]].iterrows():
        what = broken_words(row)
        if row["kind"] in ON_CPU or row["variant"] not in whole.index:
            yield f"{describe(row)} breaks an output: {what}"
            continue
        half = backend_type(row["kind"]).half_precision and str(row["scheme"]).startswith("float")
        why = " (it may compute in float16)" if half else ""
        name, there = shorten(row["variant"]), shorten(row["delegate"])
        sound = shorten(whole.loc[row["variant"], "delegate"])
        yield f"{there} breaks an output of {name} that is sound on {sound}{why}: {what}"


def broken_words(row: pd.Series) -> str:
    """What is wrong with the outputs of a row, at most a few lines of it."""
    flags = row.get("accuracy_flags")
    return cut(flags, 300, placeholder=" …") if isinstance(flags, str) and flags else "its outputs are wrong"


def _delegate_costs(table: pd.DataFrame) -> Iterator[str]:
    """float32 itself, on a delegate whose arithmetic changes what comes out."""
    plain = table[(table["scheme"] == "float32") & ~table["kind"].isin(ON_CPU) & ~table["broken"]]
    for _, row in plain.iterrows():
        base = row["accuracy"] - row["accuracy_change"]
        if row["accuracy_change_high"] < 0 or (row["metric"] == "accuracy_agreement" and row["accuracy_high"] < base):
            yield f"{shorten(row['delegate'])} itself costs {quality([row['metric']])}, float32 too: {change(row)}"


def _too_few(table: pd.DataFrame, most: float) -> Iterator[str]:
    sound = table[~table["broken"]]
    unsure = sound[np.array([uncertain(row, most) for _, row in sound.iterrows()], bool)]
    for _, group in unsure.groupby("accuracy_n", sort=False):
        names = [describe(row) for _, row in group.iterrows()]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield (
            f"{samples(group.iloc[0])}: too few to tell whether "
            f"{points_of(most)} of {quality(group['metric'])} is lost by "
            f"{'; '.join(names[:_MOST_NAMED])}{more}"
        )


def points_of(most: float) -> str:
    """A loss that may be, in words: "a point"."""
    return "a point" if most == 0.01 else f"{100 * most:g} points"
