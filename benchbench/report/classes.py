"""Per-class recall and confusions of each device and family, as a page holds them: counts, which it makes tables of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import pandas as pd

from benchbench.analysis.fastest import fastest
from benchbench.analysis.formatting import shorten
from benchbench.analysis.rows import Row, grouped, rows_of
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Results

MOST_CLASSES = 30  # shown all, as columns and as a matrix
MOST_BYTES = 300_000  # of all of them in a page; what does not fit is in classes.csv
_CHOSEN = 6  # of more classes: those that differ most from the base, and as many of the worst
_FEW, _MANY = 5, 12  # confusions listed below a matrix, or instead of one
_PANEL = ["place", "family"]

Pair = tuple[str, str]  # variant and delegate
Counts = Mapping[int, Row]  # by class: its samples, and how many of them were found


@dataclass(frozen=True, slots=True)
class ClassTables:
    """Those that fit into a page, the names of classes by family, and how many devices and families do not fit."""

    panels: tuple[dict[str, Any], ...]
    names: dict[str, dict[int, str]]
    left: int


@dataclass(frozen=True, slots=True)
class _Panel:
    """One family on one device: its cases, fastest threads each, and what is known of the classes of those scored."""

    cases: Mapping[Pair, Row]
    counts: Mapping[Pair, Counts]
    confused: Mapping[Pair, Sequence[Row]]
    base: Pair | None  # that accuracies are compared with
    roles: Mapping[Pair, str]  # of the cases whose confusions are shown


def class_tables(results: Results) -> ClassTables:
    """Of the devices in their order, as many as fit."""
    panels: list[dict[str, Any]] = []
    names: dict[str, dict[int, str]] = {}
    room, left = MOST_BYTES, 0
    for (place, family), panel in _panels(results):
        if room > 0:
            told = _told(panel)
            panels.append({"place": place, "family": family} | told)
            room -= len(json.dumps(panels[-1], ensure_ascii=False))
            names[family] = _names(panel, _used(told)) | names.get(family, {})
        else:
            left += 1
    return ClassTables(tuple(panels), names, left)


def _panels(results: Results) -> Iterator[tuple[Pair, _Panel]]:
    """Those with class tables of what was timed."""
    cases = grouped(fastest(results.tried), _PANEL)
    tables = grouped(results.tradeoffs, _PANEL)
    chosen = {(one.run, one.case) for one in results.recommendations}
    frames = (results.classes[results.classes["support"] > 0], results.confusion)
    classes, confusion = ((frame, frame.groupby(_PANEL, sort=False).indices) for frame in frames)
    for key, rows in cases.items():
        place, family = map(str, key)
        scored = {_pair(row) for row in rows if not pd.isna(row.get("accuracy_top1"))}
        counts: dict[Pair, dict[int, Row]] = {}
        for row in _rows(classes, (place, family)):
            if _pair(row) in scored:
                counts.setdefault(_pair(row), {})[row["class"]] = row
        confused: dict[Pair, dict[tuple[int, int], Row]] = {}
        for row in _rows(confusion, (place, family)):
            if _pair(row) in counts:
                confused.setdefault(_pair(row), {})[row["label"], row["answer"]] = row
        if counts:
            table = tables.get(key, [])
            base = _base(table, counts)
            cells = {pair: list(found.values()) for pair, found in confused.items()}
            by_pair = {_pair(row): row for row in rows}
            yield (place, family), _Panel(by_pair, counts, cells, base, _roles(table, base, chosen))


def _rows(source: tuple[pd.DataFrame, Any], key: Pair) -> list[dict[str, Any]]:
    frame, indices = source
    return rows_of(frame.take(indices[key])) if key in indices else []


def _pair(row: Row) -> Pair:
    return str(row["variant"]), str(row["delegate"])


def _base(table: Sequence[Row], counts: Mapping[Pair, Counts]) -> Pair | None:
    bases = {row["accuracy_base"] for row in table}
    found = next((_pair(row) for row in table if row["case"] in bases), None)
    return found if found in counts else None


def _roles(table: Sequence[Row], base: Pair | None, chosen: set[tuple[str, str | None]]) -> dict[Pair, str]:
    """The cases whose confusions are shown, and why: the base, the recommended one, the one that loses most."""
    roles = {base: "baseline"} if base else {}
    for row in table:
        if (row["run"], row["case"]) in chosen:
            roles[_pair(row)] = "baseline, recommended" if _pair(row) == base else "recommended"
    hurt = [row for row in table if not row["broken"] and row["accuracy_change_high"] < 0]
    if hurt:
        roles.setdefault(_pair(min(hurt, key=lambda row: float(row["accuracy_change"]))), "loses most")
    return roles


def _used(told: Mapping[str, Any]) -> set[int]:
    """The classes that a panel shows anywhere."""
    pairs = [pair for one in told["confusions"] for pair in (*(one["cells"] or ()), *one["mistakes"])]
    return {*told["classes"], *(number for label, answer, *_ in pairs for number in (label, answer))}


def _names(panel: _Panel, numbers: set[int]) -> dict[int, str]:
    """What these classes are called: by the first that knows, else by their number."""
    rows = [row for counts in panel.counts.values() for row in counts.values()]
    named = {row["class"]: row["name"] for row in reversed(rows) if row["name"]}
    cells = [cell for found in panel.confused.values() for cell in found]
    answers = {cell["answer"]: cell["answer_name"] for cell in reversed(cells) if cell["answer_name"]}
    return {number: shorten((answers | named).get(number, f"class {number}"), 32) for number in sorted(numbers)}


def _told(panel: _Panel) -> dict[str, Any]:
    shown = _shown(panel)
    anyone = panel.counts[panel.base] if panel.base else next(iter(panel.counts.values()))
    order = [pair for pair in panel.cases if pair in panel.counts]
    support = _support(anyone, shown)
    return {
        "base": order.index(panel.base) if panel.base else None,
        "total": len({number for counts in panel.counts.values() for number in counts}),
        "half_width": median(row["recall_high"] - row["recall_low"] for row in anyone.values()) / 2,
        "classes": shown,
        "support": support,
        "rows": [_row(pair, panel, shown, support) for pair in order],
        "confusions": [_confusion(pair, order, panel) for pair in panel.roles if pair in panel.counts],
    }


def _shown(panel: _Panel) -> list[int]:
    """All classes where they are few; else those in which a case differs most from the base, and the base's worst."""
    numbers = sorted({number for counts in panel.counts.values() for number in counts})
    if len(numbers) <= MOST_CLASSES:
        return numbers
    sound = [counts for pair, counts in panel.counts.items() if not is_broken(panel.cases[pair])]
    sound = sound or list(panel.counts.values())
    recalls = {n: [float(counts[n]["recall"]) for counts in sound if n in counts] for n in numbers}
    own = {n: fmean(found) for n, found in recalls.items() if found}
    if panel.base:
        own = {number: float(row["recall"]) for number, row in panel.counts[panel.base].items()}
    differ = sorted(own, key=lambda n: -max((abs(recall - own[n]) for recall in recalls[n]), default=0.0))[:_CHOSEN]
    worst = sorted((n for n in own if n not in differ), key=lambda n: own[n])[:_CHOSEN]
    return sorted([*differ, *worst])


def _support(counts: Counts, shown: Sequence[int]) -> list[int]:
    """How many samples each shown class has; 0 = none."""
    return [int(counts[n]["support"]) if n in counts else 0 for n in shown]


def _row(pair: Pair, panel: _Panel, shown: Sequence[int], usual: Sequence[int]) -> dict[str, Any]:
    """A case: what ran it, and how many samples of each shown class were found, of how many where it is unusual."""
    case, counts = panel.cases[pair], panel.counts[pair]
    ran, support = str(case["delegate"] if case["headline"] else case["executor"]), _support(counts, shown)
    told: dict[str, Any] = {"variant": pair[0], "delegate": pair[1]} | ({"ran": ran} if ran != pair[1] else {})
    told |= {"broken": True} if is_broken(case) else {}
    told |= {"support": support} if support != usual else {}
    return told | {"found": [int(counts[n]["found"]) if n in counts else 0 for n in shown]}


def _confusion(pair: Pair, order: Sequence[Pair], panel: _Panel) -> dict[str, Any]:
    """What a case takes for what: all cells where there are few classes, and the commonest mistakes."""
    cells, counts = panel.confused.get(pair, []), panel.counts[pair]
    few = len({*counts, *(cell["answer"] for cell in cells)}) <= MOST_CLASSES
    base = None if pair == panel.base or panel.base is None else panel.confused.get(panel.base, [])
    of_base = {(cell["label"], cell["answer"]): int(cell["count"]) for cell in base or ()}
    wrong = [cell for cell in cells if cell["label"] != cell["answer"]]
    commonest = sorted(wrong, key=lambda cell: -int(cell["count"]))[: _FEW if few else _MANY]
    return {
        "row": order.index(pair),
        "role": panel.roles[pair],
        "cells": [[cell["label"], cell["answer"], int(cell["count"])] for cell in cells] if few else None,
        "mistakes": [
            [cell["label"], cell["answer"], int(cell["count"]), int(counts[cell["label"]]["support"])]
            + ([] if base is None else [of_base.get((cell["label"], cell["answer"]), 0)])
            for cell in commonest
        ],
    }
