"""Which variant, on which delegate: speed against float, accuracy, size and known pitfalls, from the frame of cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import pandas as pd

from benchbench.analysis.doubts import Doubt, common_doubts
from benchbench.analysis.formatting import (
    LIKENESS,
    METRICS,
    against,
    change,
    describe,
    measured,
    quality,
    samples,
    shorten,
)
from benchbench.analysis.pitfalls import broken_words, find_pitfalls, points_of
from benchbench.analysis.tradeoffs import WHERE, loses, slower_than_best_float, told_apart, tradeoffs, uncertain
from benchbench.values import formatting

_MOST_NAMED = 6


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
    pitfalls: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()  # doubts about every measured case of the device, whatever is chosen

    @property
    def sentence(self) -> str:
        return f"{self.choice}: {'; '.join(self.claims)}." if self.claims else self.choice


def recommend(
    cases: pd.DataFrame, *, loses_at_most: float = 0.01, same_within: float = 0.03
) -> tuple[Recommendation, ...]:
    """A recommendation per run, device and family: the fastest case that loses at most that much accuracy.

    Of cases that cannot be told apart in speed it is the most faithful one. It is never one with a broken output, of
    unknown outputs, of another network, or slower than the device's best float case, unless that loses too much.
    """
    cases = cases[cases["launches_all"] > 0]  # what was skipped says nothing about a delegate
    table = tradeoffs(cases, same_within=same_within)
    measured = cases[cases["status"] == "ok"].groupby(WHERE[:2])["doubts"]
    shared = {where: common_doubts(doubts) for where, doubts in measured}
    found = []
    for (run, device, family), all_cases in cases.groupby(WHERE, sort=False):
        mine = table[(table["run"] == run) & (table["device"] == device) & (table["family"] == family)]
        where = str(run), str(device), str(family)
        found.append(_recommend_one(where, all_cases, mine, loses_at_most, shared.get((run, device), ())))
    return tuple(found)


def _recommend_one(
    where: tuple[str, str, str], cases: pd.DataFrame, table: pd.DataFrame, most: float, shared: Sequence[Doubt]
) -> Recommendation:
    pitfalls = find_pitfalls(cases, table, most)
    own = table[table["network"] == ""]
    sound = own[~own["broken"]]
    if sound.empty:
        why = "no case has a number that ran where it was asked to, undisturbed"
        why = _nothing_ran(cases) or why
        why = "every case that ran where it was asked to breaks an output" if len(own) else why
        return Recommendation(*where, None, f"Nothing can be recommended: {why}.", pitfalls=pitfalls)
    known = sound[sound["accuracy"].notna()]
    if why := _too_little_known(own, known):
        evidence = (f"the fastest case is {_timed(sound.sort_values('median_ms').iloc[0])}",)
        return Recommendation(*where, None, f"Cannot recommend: {why}.", evidence=evidence, pitfalls=pitfalls)
    keeps = known[[not loses(row, most) for _, row in known.iterrows()]].sort_values("median_ms", kind="stable")
    able = keeps[[not slower_than_best_float(row) for _, row in keeps.iterrows()]]
    best = _best_float(own)
    if able.empty and best is not None and pd.isna(best["accuracy"]):
        why = f"all of known outputs are slower than {_timed(best)}, the device's best float case, of unknown outputs"
        return Recommendation(
            *where, None, f"Cannot recommend: {why}.", evidence=(_known_words(own),), pitfalls=pitfalls
        )
    choice, equals = _most_faithful(keeps if able.empty else able)
    forced = able.empty and best is not None
    return Recommendation(
        *where,
        choice["case"],
        describe(choice),
        (*_claims(choice, own), *((_forced(best, most),) if forced and best is not None else ())),
        tuple(_evidence(choice, own, equals)),
        tuple(_doubts(choice, own, equals, most, {doubt.kind for doubt in shared})),
        pitfalls,
        tuple(str(doubt) for doubt in shared),
    )


def _nothing_ran(cases: pd.DataFrame) -> str:
    """That every case failed, and the first one's reason; "" where some did not."""
    if not cases["status"].isin(["failed", "incomplete"]).all():
        return ""
    return f"every case failed: {shorten(cases['error'].iloc[0], 200)}".rstrip(".")


def _too_little_known(own: pd.DataFrame, known: pd.DataFrame) -> str:
    """Why there is nothing to choose between; "" where there is."""
    if len(own) < 2:
        return f"there is no other case to compare {describe(own.iloc[0])} with"
    if len(known) + own["broken"].sum() >= 2 and len(known):
        return ""
    taken = own[own["accuracy_n"].notna()]
    if len(taken) and taken["accuracy_cosine"].isna().all() and taken["metric"].isna().all():
        return "accuracy could not be judged: there are no labels, and no reference to compare the outputs with"
    if len(taken) >= 2 and own["metric"].isna().all():
        return "accuracy could not be judged: the reference gives the same answer to every sample that was fed"
    remedy = "" if len(known) else ' (give the model a dataset; "random" compares outputs without labels)'
    return f"{_known_words(own)}{remedy}"


def _known_words(own: pd.DataFrame) -> str:
    """Of how many cases the outputs are known, and of which."""
    is_known = own["accuracy"].notna() | own["broken"]
    names = [[describe(row) for _, row in own[side].iterrows()] for side in (is_known, ~is_known)]
    listed = [
        "; ".join([*side[:_MOST_NAMED], *([f"{len(side) - _MOST_NAMED} more"] * (len(side) > _MOST_NAMED))])
        for side in names
    ]
    count = f"outputs are known for {len(names[0])} of {len(own)}"
    return f"{count}: {listed[0]}; not for {listed[1]}" if names[0] else f"{count}: not for {listed[1]}"


def _best_float(own: pd.DataFrame) -> pd.Series | None:
    """The device's best float case, sound and of the family's own weights."""
    found = own[own["case"].isin(own["best_float"].dropna())]
    return found.iloc[0] if len(found) else None


def _most_faithful(able: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Of the cases that cannot be told apart in speed from the fastest the most faithful one, and the other ones."""
    fastest = able.iloc[0]
    equals = able[[not told_apart(fastest["samples_ms"], row["samples_ms"]) for _, row in able.iterrows()]]
    order = equals.assign(true=equals["accuracy_sqnr_db"].fillna(-math.inf)).sort_values(
        ["accuracy", "true", "size_mb", "median_ms"], ascending=[False, False, True, True], kind="stable"
    )
    choice = order.iloc[0]
    return choice, equals[equals["case"] != choice["case"]]


def _forced(best: pd.Series, most: float) -> str:
    """What is said where the limit on the loss rules out every case as fast as the device's best float case."""
    return f"slower than {_timed(best)}, the device's best float case, which loses more than {points_of(most)}"


def _timed(row: pd.Series) -> str:
    return f"{describe(row)} ({formatting.time(row['median_ms'])})"


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


def _evidence(choice: pd.Series, table: pd.DataFrame, equals: pd.DataFrame) -> Iterator[str]:
    """Why nothing faster was chosen, and what the accuracies are."""
    ahead = table[(table["median_ms"] < choice["median_ms"]) & ~table["case"].isin(equals["case"])]
    for _, row in ahead.sort_values("median_ms").iterrows():
        yield f"{describe(row)} is faster ({formatting.time(row['median_ms'])}) but {_drawback(row)}"
    base = _base(choice, table)
    other = "" if base["case"] == choice["case"] else f"; {describe(base)}: {measured(base)}"
    yield f"{METRICS[choice['metric']].label} {measured(choice)} over {samples(choice)}{other}"
    if choice["relation"] != "same":
        yield f"{shorten(choice['variant'])} is {choice['relation']}: {choice['because']}"


def _drawback(row: pd.Series) -> str:
    if row["broken"]:
        return f"breaks an output: {broken_words(row)}"
    if pd.isna(row["accuracy"]) and row["relation"] != "same" and row["metric"] in LIKENESS:
        return f"is {row['relation']} ({row['because']}), and there are no labels to compare it by"
    if pd.isna(row["accuracy"]):
        return f"its {quality([row['metric']])} was not measured"
    what = "departs from the reference" if row["metric"] in LIKENESS else "costs accuracy"
    return f"{what}: {change(row)}"


def _doubts(choice: pd.Series, own: pd.DataFrame, equals: pd.DataFrame, most: float, shared: Set[str]) -> Iterator[str]:
    yield from (str(doubt) for doubt in choice["doubts"] if doubt.kind not in shared)
    if len(equals):
        others = "; ".join(_timed(row) for _, row in equals.iterrows())
        yield f"not to be told apart in speed from {others}: it is the most faithful of them"
    if (own["accuracy"].isna() & ~own["broken"]).any():
        yield _known_words(own)
    if choice["metric"] in LIKENESS:
        yield "there are no labels: fidelity to the reference says nothing about being right"
    if uncertain(choice, most):
        yield f"{samples(choice)}: too few to tell whether it loses {points_of(most)} of {quality([choice['metric']])}"
    if choice["metric"] == "accuracy_map" and choice["accuracy_base"] != choice["case"]:
        yield "how much of the change of mAP is chance is not known: it has no interval"
