"""Which variant, on which delegate: speed against float, accuracy, size and known traps, from the frame of cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from benchbench import formatting
from benchbench.recommendation.gains import WHERE, loses, tradeoffs, uncertain
from benchbench.recommendation.traps import broken_words, find_traps, points_of
from benchbench.recommendation.words import (
    LIKENESS,
    METRICS,
    against,
    change,
    describe,
    measured,
    samples,
)
from benchbench.statistics import compare


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


def recommend(
    cases: pd.DataFrame, *, loses_at_most: float = 0.01, same_within: float = 0.03
) -> tuple[Recommendation, ...]:
    """A recommendation per run, device and family: the fastest case that loses at most that much accuracy.

    A case with a broken output is never it, nor one of unknown accuracy where that of others is known.
    """
    cases = cases[cases["launches_all"] > 0]  # what was skipped says nothing about a delegate
    table = tradeoffs(cases, same_within=same_within)
    found = []
    for (run, device, family), all_cases in cases.groupby(WHERE, sort=False):
        mine = table[(table["run"] == run) & (table["device"] == device) & (table["family"] == family)]
        found.append(_recommend_one((str(run), str(device), str(family)), all_cases, mine, loses_at_most, same_within))
    return tuple(found)


def _recommend_one(
    where: tuple[str, str, str], cases: pd.DataFrame, table: pd.DataFrame, most: float, same_within: float
) -> Recommendation:
    traps = find_traps(cases, table, most)
    sound = table[~table["broken"]]
    if sound.empty:
        why = "no case has a number that ran where it was asked to, undisturbed"
        why = "every case that ran where it was asked to breaks an output" if len(table) else why
        return Recommendation(*where, None, f"Nothing can be recommended: {why}.", traps=traps)
    known = sound[sound["accuracy"].notna()]
    able = known if len(known) else sound
    keeps = able[[not loses(row, most) for _, row in able.iterrows()]].sort_values("median_ms", kind="stable")
    choice = keeps.iloc[0]
    evidence, doubts = _evidence(choice, table), _doubts(choice, keeps, most, same_within)
    return Recommendation(
        *where, choice["case"], describe(choice), tuple(_claims(choice, table)), tuple(evidence), tuple(doubts), traps
    )


def _claims(row: pd.Series, table: pd.DataFrame) -> Iterator[str]:
    yield formatting.time(row["median_ms"])
    same = row["float32"] == row["best_float"]
    if not pd.isna(row["speedup"]) and row["scheme"] != "float32":
        best = ", which is the device's best float case" if same else ""
        yield against(row, "speedup", f"float32 on the same delegate{best}")
    if not pd.isna(row["over_best"]) and row["best_float"] != row["case"] and not same:
        yield against(row, "over_best", "the device's best float case")
    if not pd.isna(row["accuracy_change"]) and row["accuracy_base"] != row["case"]:
        base = _base(row, table)
        than = "" if base["scheme"] == "float32" else f", against {describe(base)}, the most accurate here"
        yield f"{change(row)}{than}"
    if not pd.isna(row["smaller"]) and row["smaller"] > 1.05:
        yield f"{formatting.ratio(row['smaller'])} smaller"


def _base(row: pd.Series, table: pd.DataFrame) -> pd.Series:
    """The case that a row's accuracy is compared with."""
    found: pd.Series = table[table["case"] == row["accuracy_base"]].iloc[0]
    return found


def _evidence(choice: pd.Series, table: pd.DataFrame) -> Iterator[str]:
    """Why nothing faster was chosen, and what the accuracies are."""
    ahead = table[table["median_ms"] < choice["median_ms"]].sort_values("median_ms")
    for _, row in ahead.iterrows():
        yield f"{describe(row)} is faster ({formatting.time(row['median_ms'])}) but {_drawback(row)}"
    if not pd.isna(choice["accuracy"]):
        base = _base(choice, table)
        other = "" if base["case"] == choice["case"] else f"; {describe(base)}: {measured(base)}"
        yield f"{METRICS[choice['metric']]} {measured(choice)} over {samples(choice)}{other}"


def _drawback(row: pd.Series) -> str:
    if row["broken"]:
        return f"breaks an output: {broken_words(row)}"
    if pd.isna(row["accuracy"]):
        return "its accuracy was not measured"
    what = "departs from the reference" if row["metric"] in LIKENESS else "costs accuracy"
    return f"{what}: {change(row)}"


def _doubts(choice: pd.Series, keeps: pd.DataFrame, most: float, same_within: float) -> Iterator[str]:
    yield from (str(doubt) for doubt in choice["doubts"])
    equals = [
        f"{describe(row)} ({formatting.time(row['median_ms'])})"
        for _, row in keeps.iterrows()
        if row["case"] != choice["case"]
        and compare(choice["samples_ms"], row["samples_ms"], same_within=same_within).verdict in {"same", "cannot tell"}
    ]
    if equals:
        yield f"not to be told apart in speed from {'; '.join(equals)}"
    if pd.isna(choice["accuracy"]):
        yield "accuracy was not measured: this is about speed and size alone"
    elif choice["metric"] in LIKENESS:
        yield "there are no labels: likeness to the reference stands for accuracy, and says nothing about being right"
    if uncertain(choice, most):
        yield f"{samples(choice)}: too few to tell whether it loses {points_of(most)} of accuracy"
    if choice["metric"] == "accuracy_map" and choice["accuracy_base"] != choice["case"]:
        yield "how much of the change of mAP is chance is not known: it has no interval"
