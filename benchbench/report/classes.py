"""Per-class recall and confusions of one panel, as plain values for the template and the figure."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchbench.analysis.formatting import shorten
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report.results import Panel, Results

MOST_CLASSES = 30  # shown all, as columns and as a matrix
_CHOSEN = 6  # of more classes: those that differ most from the base, and as many of the worst
_FULL_TINT = 0.3  # a difference of 30 points has the strongest tint
_FEW, _MANY = 5, 12  # confusions listed below a matrix, or instead of one
_PAIR = ["variant", "delegate"]


@dataclass(frozen=True, slots=True)
class Recall:
    """One class of one case; `difference` is against the base, None where there is none or this is it."""

    share: float
    found: int
    support: int
    low: float
    high: float
    difference: float | None

    @property
    def tint(self) -> float:
        """From -1 (much worse than the base) to 1 (much better)."""
        return max(-1.0, min(1.0, (self.difference or 0.0) / _FULL_TINT))


@dataclass(frozen=True, slots=True)
class Row:
    """One case: a recall per shown class, None where the case has no sample of it."""

    variant: str
    ran: str  # the delegate, or what ran instead of it
    base: bool
    broken: bool
    cells: tuple[Recall | None, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Samples of one class that were taken for another; `base` = how often the base does so, None where this is it."""

    label: str
    answer: str
    count: int
    support: int
    base: int | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """What one case takes for what: `matrix` [labels, answers] with few classes, else the commonest mistakes alone."""

    title: str
    role: str  # why it is shown
    names: tuple[str, ...]
    support: tuple[int, ...]
    matrix: tuple[tuple[int, ...], ...]
    unanswered: tuple[int, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class PerClass:
    """All that the page says about the classes of one panel."""

    title: str
    names: tuple[str, ...]  # of the classes shown
    total: int  # classes with samples
    half_width: float  # of a typical interval of the base, a share
    base: str | None
    rows: tuple[Row, ...]
    confusions: tuple[Confusion, ...]


def per_class(results: Results, panel: Panel) -> PerClass | None:
    """None where no case of the panel has class tables that belong to what was timed."""
    mine = _scored(results.classes, panel).drop_duplicates([*_PAIR, "class"], keep="last")
    mine = mine[mine["support"] > 0]
    if mine.empty:
        return None
    base = _base_of(results, panel, mine)
    broken = {_pair(row) for _, row in panel.best.iterrows() if is_broken(row)}
    names = _names(mine)
    shown = _shown(mine, base, broken)
    anyone = base or _pair(mine.iloc[0])
    own = mine[_is(mine, anyone)]
    return PerClass(
        title=panel.title,
        names=tuple(names[number] for number in shown),
        total=mine["class"].nunique(),
        half_width=float((own["recall_high"] - own["recall_low"]).median() / 2),
        base=f"{base[0]} on {base[1]}" if base else None,
        rows=tuple(_rows(mine, panel, base, broken, shown)),
        confusions=_confusions(results, panel, mine, base, names),
    )


def _scored(frame: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """The rows of the panel's cases whose accuracy is that of what was timed."""
    best, (place, family) = panel.best, panel.key
    scored = best[best["accuracy_top1"].notna()] if "accuracy_top1" in best else best.iloc[:0]
    pairs = {_pair(row) for _, row in scored.iterrows()}
    mine = frame[(frame["place"] == place) & (frame["family"] == family)]
    kept = [pair in pairs for pair in zip(mine["variant"], mine["delegate"], strict=True)]
    return mine[np.array(kept, bool)]


def _pair(row: pd.Series) -> tuple[str, str]:
    return str(row["variant"]), str(row["delegate"])


def _is(frame: pd.DataFrame, pair: tuple[str, str]) -> pd.Series:
    return (frame["variant"] == pair[0]) & (frame["delegate"] == pair[1])


def _base_of(results: Results, panel: Panel, mine: pd.DataFrame) -> tuple[str, str] | None:
    """Variant and delegate of the case that accuracies are compared with."""
    table = results.tradeoffs_of(panel)
    found = table[table["case"].isin(table["accuracy_base"].dropna())] if len(table) else table
    pair = _pair(found.iloc[0]) if len(found) else None
    return pair if pair and _is(mine, pair).any() else None


def _names(mine: pd.DataFrame) -> dict[Hashable, str]:
    """What each class is called: by the first that knows, else by its number."""
    named = mine[mine["name"] != ""].drop_duplicates("class").set_index("class")["name"]
    return {number: shorten(named.get(number, f"class {number}"), 32) for number in mine["class"].unique()}


def _shown(mine: pd.DataFrame, base: tuple[str, str] | None, broken: set[tuple[str, str]]) -> list[int]:
    """All classes where they are few; else those in which a case differs most from the base, and the base's worst."""
    numbers = sorted(mine["class"].unique())
    if len(numbers) <= MOST_CLASSES:
        return numbers
    recall = mine.pivot_table(index=_PAIR, columns="class", values="recall")
    sound = recall[np.array([pair not in broken for pair in recall.index], bool)]
    sound = sound if len(sound) else recall
    own = recall.loc[[base]].iloc[0] if base else sound.mean()
    differ = (sound - own).abs().max().sort_values(ascending=False, kind="stable").index[:_CHOSEN]
    worst = own.drop(differ).sort_values(kind="stable").index[:_CHOSEN]
    return sorted({*differ, *worst})


def _rows(
    mine: pd.DataFrame, panel: Panel, base: tuple[str, str] | None, broken: set[tuple[str, str]], shown: list[int]
) -> list[Row]:
    known = {(_pair(row), row["class"]): row for _, row in mine[mine["class"].isin(shown)].iterrows()}
    own = {n: row for (pair, n), row in known.items() if pair == base}
    rows = []
    for _, case in panel.best.iterrows():
        pair = _pair(case)
        cells = tuple(_recall(known.get((pair, n)), own.get(n) if pair != base else None) for n in shown)
        if any(cells):
            ran = case["delegate"] if case["headline"] else case["executor"]
            rows.append(Row(pair[0], str(ran), base=pair == base, broken=pair in broken, cells=cells))
    return rows


def _recall(row: pd.Series | None, base: pd.Series | None) -> Recall | None:
    if row is None:
        return None
    difference = None if base is None else float(row["recall"] - base["recall"])
    low, high = float(row["recall_low"]), float(row["recall_high"])
    return Recall(float(row["recall"]), int(row["found"]), int(row["support"]), low, high, difference)


def _confusions(
    results: Results, panel: Panel, mine: pd.DataFrame, base: tuple[str, str] | None, names: dict[Hashable, str]
) -> tuple[Confusion, ...]:
    cells = _scored(results.confusion, panel).drop_duplicates([*_PAIR, "label", "answer"], keep="last")
    own = cells[_is(cells, base)].set_index(["label", "answer"])["count"] if base else None
    return tuple(
        _confusion(cells[_is(cells, pair)], mine[_is(mine, pair)], pair, role, None if pair == base else own, names)
        for pair, role in _roles(results, panel, base).items()
        if _is(mine, pair).any()
    )


def _roles(results: Results, panel: Panel, base: tuple[str, str] | None) -> dict[tuple[str, str], str]:
    """The cases whose confusions are shown, and why: the base, the recommended one, the one that loses most."""
    table = results.tradeoffs_of(panel)
    chosen = {r.case for r in results.recommendations if r.case and r.run in set(panel.best["run"])}
    recommended = [_pair(row) for _, row in table[table["case"].isin(chosen)].iterrows()]
    hurt = table[~table["broken"] & (table["accuracy_change_high"] < 0)].sort_values("accuracy_change")
    roles = {base: "baseline"} if base else {}
    for pair in recommended:
        roles[pair] = "baseline, recommended" if pair == base else "recommended"
    if len(hurt):
        roles.setdefault(_pair(hurt.iloc[0]), "loses most")
    return roles


def _confusion(
    cells: pd.DataFrame,
    classes: pd.DataFrame,
    pair: tuple[str, str],
    role: str,
    base: pd.Series | None,
    names: dict[Hashable, str],
) -> Confusion:
    support = classes.set_index("class")["support"].sort_index()
    answers = sorted({*support.index, *cells["answer"]})
    few = len(answers) <= MOST_CLASSES
    grid: NDArray[np.int64] = np.zeros((len(answers), len(answers)), np.int64)
    if few:
        place = {number: at for at, number in enumerate(answers)}
        grid[cells["label"].map(place), cells["answer"].map(place)] = cells["count"]
    answered = cells.groupby("label")["count"].sum().reindex(support.index, fill_value=0)
    wrong = cells[cells["label"] != cells["answer"]].sort_values("count", ascending=False, kind="stable")
    answered_as = cells.drop_duplicates("answer").iterrows()
    called = {row["answer"]: _called(row) for _, row in answered_as} | names
    return Confusion(
        title=f"{shorten(pair[0])} on {shorten(pair[1])}",
        role=role,
        names=tuple(called[number] for number in answers),
        support=tuple(int(support.get(number, 0)) for number in answers),
        matrix=tuple(tuple(row) for row in grid.tolist()) if few else (),
        unanswered=tuple(int(support.get(n, 0) - answered.get(n, 0)) for n in answers) if few else (),
        mistakes=tuple(
            Mistake(
                called[row["label"]],
                called[row["answer"]],
                int(row["count"]),
                int(support[row["label"]]),
                None if base is None else int(base.get((row["label"], row["answer"]), 0)),
            )
            for _, row in wrong.head(_FEW if few else _MANY).iterrows()
        ),
    )


def _called(row: pd.Series) -> str:
    return shorten(row["answer_name"] or f"class {row['answer']}", 32)
