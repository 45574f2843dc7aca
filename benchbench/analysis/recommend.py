"""Which variant, on which delegate: speed against float, accuracy, size and known pitfalls, from the frame of cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import pandas as pd

from benchbench.analysis.doubts import common_doubts
from benchbench.analysis.fastest import CELL, told_apart
from benchbench.analysis.formatting import (
    LIKENESS,
    METRICS,
    against,
    became,
    change,
    describe,
    described_time,
    measured,
    quality,
    samples,
    shorten,
)
from benchbench.analysis.intervals import checked_share
from benchbench.analysis.pitfalls import find_pitfalls, points_of
from benchbench.analysis.rows import Row, grouped
from benchbench.analysis.surprises import broken_words
from benchbench.analysis.tradeoffs import WHERE, by_faithfulness, loses, slower_than_best_float, tradeoffs, uncertain
from benchbench.values import formatting
from benchbench.values.doubt import Doubt

LOSES_AT_MOST = 0.01  # of accuracy, what is recommended
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
    cases: pd.DataFrame,
    *,
    loses_at_most: float = LOSES_AT_MOST,
    same_within: float = 0.03,
    table: pd.DataFrame | None = None,
) -> tuple[Recommendation, ...]:
    """A recommendation per run, device and family: the fastest case that loses at most that much accuracy.

    Of cases that cannot be told apart in speed it is the most faithful one. It is never one with a broken output, of
    unknown outputs, of another network, or slower than the device's best float case, unless that loses too much.
    `table` is that of `tradeoffs` for these cases, where it is made already. Raises InputError for what is no share
    from 0 to 1.
    """
    checked_share(loses_at_most, "loses_at_most")
    checked_share(same_within, "same_within")
    cases = cases[cases["launches_all"] > 0]  # what was skipped says nothing about a delegate
    tables = grouped(tradeoffs(cases, same_within=same_within) if table is None else table, WHERE)
    measured = cases[cases["status"] == "ok"].groupby(WHERE[:2])["doubts"]
    shared = {where: common_doubts(doubts) for where, doubts in measured}
    return tuple(
        _recommend_one(tuple(map(str, where)), mine, tables.get(where, ()), loses_at_most, shared.get(where[:2], ()))
        for where, mine in grouped(cases, WHERE).items()
    )


def unfit(cases: pd.DataFrame, loses_at_most: float) -> dict[str, str]:
    """The cases that can be no best one of their family whatever their latency, and why, by case."""
    paths = grouped(tradeoffs(cases[cases["launches_all"] > 0]), CELL)
    found: dict[str, str] = {}
    for cell, mine in grouped(cases, CELL).items():
        for row in paths.get(cell, ())[:1]:
            if why := _unfit(row, loses_at_most):
                found |= {str(case["case"]): why for case in mine}
    return found


def _unfit(row: Row, most: float) -> str:
    if row["network"]:
        return str(row["because"])
    if row["broken"]:
        return f"breaks an output: {broken_words(row)}"
    return change(row) if loses(row, most) else ""


def _recommend_one(
    where: tuple[str, ...], cases: Sequence[Row], table: Sequence[Row], most: float, shared: Sequence[Doubt]
) -> Recommendation:
    run, device, family = where
    pitfalls = find_pitfalls(cases, table, most)
    own, known = own_and_known(table)
    if why := cannot_choose(cases, own, known):
        sound = sorted((row for row in own if not row["broken"]), key=lambda row: float(row["median_ms"]))
        evidence = (f"the fastest case is {described_time(sound[0])}", *as_fast(sound[0])) if sound else ()
        return Recommendation(run, device, family, None, why, (), evidence, pitfalls=pitfalls)
    keeps = [row for row in known if not loses(row, most)]
    able = [row for row in keeps if not slower_than_best_float(row)]
    best = _best_float(own)
    if not able and best is not None and pd.isna(best["accuracy"]):
        base = f"{described_time(best)}, the device's best float case, of unknown outputs"
        why = f"all of known outputs are slower than {base}"
        words = (_known_words(own),)
        return Recommendation(run, device, family, None, f"Cannot recommend: {why}.", (), words, pitfalls=pitfalls)
    chosen, equals = _most_faithful(able or keeps, known)
    forced = (_forced(best, most),) if not able and best is not None else ()
    return Recommendation(
        run,
        device,
        family,
        chosen["case"],
        describe(chosen),
        (*claims(chosen, own), *forced),
        tuple(_evidence(chosen, own, equals)),
        tuple(_doubts(chosen, own, equals, most, {doubt.kind for doubt in shared})),
        pitfalls,
        tuple(str(doubt) for doubt in shared),
    )


def own_and_known(table: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of the family's own network, and of them those with sound outputs of known accuracy, fastest first."""
    own = [row for row in table if row["network"] == ""]
    known = [row for row in own if not row["broken"] and not pd.isna(row["accuracy"])]
    return own, sorted(known, key=lambda row: float(row["median_ms"]))


def cannot_choose(cases: Sequence[Row], own: Sequence[Row], known: Sequence[Row]) -> str:
    """Why nothing can be chosen among the cases of a device and family, in a sentence; "" where something can."""
    if all(row["broken"] for row in own):
        why = (
            _nothing_ran(cases)
            or _all_of_others(cases)
            or "no case has a number that ran where it was asked to, undisturbed"
        )
        why = "every case that ran where it was asked to breaks an output" if own else why
        return f"Nothing can be recommended: {why}."
    why = _too_little_known(own, known)
    return f"Cannot recommend: {why}." if why else ""


def _nothing_ran(cases: Sequence[Row]) -> str:
    """That every case failed, and the first one's reason; "" where some did not."""
    if not all(row["status"] in {"failed", "incomplete"} for row in cases):
        return ""
    words = {became(row) for row in cases}
    said = "the delegate of every case is unavailable" if words == {"unavailable"} else "every case failed"
    return f"{said}: {shorten(cases[0]['error'], 200)}".rstrip(".")


def _all_of_others(cases: Sequence[Row]) -> str:
    """That what ran as it was asked to is of another network than the family's; "" where nothing ran so."""
    others = [row for row in cases if row["headline"] and row["network"]]
    return f"what ran where it was asked to is {others[0]['because']}" if others else ""


def _too_little_known(own: Sequence[Row], known: Sequence[Row]) -> str:
    """Why there is nothing to choose between; "" where there is."""
    if len(own) < 2:
        return f"no other variant or delegate has a number to compare {describe(own[0])} with"
    if known and len(known) + sum(bool(row["broken"]) for row in own) >= 2:
        return ""
    taken = [row for row in own if not pd.isna(row["accuracy_n"])]
    if taken and all(pd.isna(row["accuracy_cosine"]) and row["metric"] is None for row in taken):
        return "accuracy could not be judged: there are no labels, and no reference to compare the outputs with"
    if len(taken) >= 2 and all(row["metric"] is None for row in own):
        return "accuracy could not be judged: the reference gives the same answer to every sample that was fed"
    how = ' (they are taken after the rounds, where the model has a dataset; "random" needs no labels)'
    return _known_words(own) + ("" if known else how)


def _known_words(own: Sequence[Row]) -> str:
    """Of how many cases the outputs are known, and of which."""
    names: tuple[list[str], list[str]] = [], []
    for row in own:
        names[pd.isna(row["accuracy"]) and not row["broken"]].append(describe(row))
    listed = [
        "; ".join([*side[:_MOST_NAMED], *([f"{len(side) - _MOST_NAMED} more"] * (len(side) > _MOST_NAMED))])
        for side in names
    ]
    count = f"outputs are known for {len(names[0])} of {len(own)}"
    return f"{count}: {listed[0]}; not for {listed[1]}" if names[0] else f"{count}: not for {listed[1]}"


def _best_float(own: Sequence[Row]) -> Row | None:
    """The device's best float case, sound and of the family's own weights."""
    best = {row["best_float"] for row in own}
    return next((row for row in own if row["case"] in best), None)


def _most_faithful(able: Sequence[Row], known: Sequence[Row]) -> tuple[Row, list[Row]]:
    """Of the cases that cannot be told apart in speed from the fastest the most faithful one, and the other ones."""
    fastest = able[0]
    equals = [row for row in able if not told_apart(fastest["samples_ms"], row["samples_ms"])]
    names = {row["case"] for row in equals}
    choice = next(row for row in by_faithfulness(known) if row["case"] in names)
    return choice, [row for row in equals if row["case"] != choice["case"]]


def _forced(best: Row, most: float) -> str:
    """What is said where the limit on the loss rules out every case as fast as the device's best float case."""
    return f"slower than {described_time(best)}, the device's best float case, which loses more than {points_of(most)}"


def as_fast(row: Row) -> tuple[str, ...]:
    """What is said of other threads and cores that cannot be told apart in speed from a row's; nothing where none."""
    if not row["as_fast"]:
        return ()
    return (f"not to be told apart in speed from {'; '.join(row['as_fast'])}, with the same outputs",)


def claims(row: Row, table: Sequence[Row]) -> Iterator[str]:
    """What speaks for a case: its time, speed-ups, change in accuracy, size."""
    yield formatting.time(row["median_ms"])
    same = row["float32"] == row["best_float"]
    if not pd.isna(row["speedup"]) and row["scheme"] != "float32":
        best = ", which is the device's best float case" if same else ""
        yield against(row, "speedup", f"float32 on the same delegate{best}")
    if not pd.isna(row["over_best"]) and row["best_float"] != row["case"] and not same:
        yield against(row, "over_best", "the device's best float case")
    if not pd.isna(row["accuracy_change"]) and row["accuracy_base"] != row["case"]:
        base = _base(row, table)
        most = "faithful" if row["metric"] in LIKENESS else "accurate"
        than = "" if base["scheme"] == "float32" else f", against {describe(base)}, the most {most} here"
        yield f"{change(row)}{than}"
    if not pd.isna(row["smaller"]) and row["smaller"] > 1.05:
        yield f"{formatting.ratio(row['smaller'])} smaller"


def _base(row: Row, table: Sequence[Row]) -> Row:
    """The case that a row's accuracy is compared with."""
    return next(one for one in table if one["case"] == row["accuracy_base"])


def _evidence(choice: Row, table: Sequence[Row], equals: Sequence[Row]) -> Iterator[str]:
    """Why nothing faster was chosen, and what the accuracies are."""
    equal = {row["case"] for row in equals}
    ahead = [row for row in table if row["median_ms"] < choice["median_ms"] and row["case"] not in equal]
    for row in sorted(ahead, key=lambda row: float(row["median_ms"])):
        yield f"{describe(row)} is faster ({formatting.time(row['median_ms'])}) but {drawback(row)}"
    base = _base(choice, table)
    other = "" if base["case"] == choice["case"] else f"; {describe(base)}: {measured(base)}"
    yield f"{METRICS[choice['metric']].label} {measured(choice)} over {samples(choice)}{other}"
    if choice["relation"] != "same":
        yield f"{shorten(choice['variant'])} is {choice['relation']}: {choice['because']}"


def drawback(row: Row) -> str:
    """Why a case that is faster is not chosen."""
    if row["broken"]:
        return f"breaks an output: {broken_words(row)}"
    if pd.isna(row["accuracy"]) and row["relation"] != "same" and row["metric"] in LIKENESS:
        return f"is {row['relation']} ({row['because']}), and there are no labels to compare it by"
    if pd.isna(row["accuracy"]):
        return f"its {quality([row['metric']])} was not measured"
    what = "departs from the reference" if row["metric"] in LIKENESS else "costs accuracy"
    return f"{what}: {change(row)}"


def _doubts(choice: Row, own: Sequence[Row], equals: Sequence[Row], most: float, shared: Set[str]) -> Iterator[str]:
    yield from (str(doubt) for doubt in choice["doubts"] if doubt.kind not in shared)
    if equals:
        others = "; ".join(map(described_time, equals))
        yield f"not to be told apart in speed from {others}: none of them is more faithful, as far as it matters"
    yield from as_fast(choice)
    if any(pd.isna(row["accuracy"]) and not row["broken"] for row in own):
        yield _known_words(own)
    if choice["metric"] in LIKENESS:
        yield "there are no labels: fidelity to the reference says nothing about being right"
    if uncertain(choice, most):
        yield f"{samples(choice)}: too few to tell whether it loses {points_of(most)} of {quality([choice['metric']])}"
    if choice["metric"] == "accuracy_map" and choice["accuracy_base"] != choice["case"]:
        yield "how much of the change of mAP is chance is not known: it has no interval"
