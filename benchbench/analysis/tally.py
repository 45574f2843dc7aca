"""What became of the selected cases of a run: how many were measured, and why the others were not, reason by reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from benchbench.analysis.formatting import became
from benchbench.analysis.rows import rows_of
from benchbench.run_folder.manifest import Manifest
from benchbench.values import formatting

WORDS = {
    "ok": "measured",
    "skipped": "skipped",
    "unavailable": "unavailable",
    "failed": "failed",
    "incomplete": "failed",
    "pending": "not run",
}
_COLUMNS = ["status", "verdict", "error", "device", "family", "variant", "delegate", "threads", "affinity"]
_MOST_NAMED = 3


class Counted(Protocol):
    """A run, as far as it is counted."""

    @property
    def cases(self) -> pd.DataFrame: ...

    @property
    def manifest(self) -> Manifest: ...


@dataclass(frozen=True, slots=True)
class Reason:
    """Cases without a number for one and the same reason; `where` names what they have in common."""

    became: str
    count: int
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.became} ({self.where}: {formatting.in_a_line(self.text)})"


@dataclass(frozen=True, slots=True)
class Tally:
    """The selected cases of a run by what became of them; `cells` counts the whole matrix, selected or not."""

    cases: int
    cells: int
    counts: dict[str, int]
    reasons: tuple[Reason, ...]

    @property
    def short(self) -> str:
        """The counts alone, in one line."""
        selected = f"{self.cases:,} of {self.cells:,} selected" if self.cells > self.cases else _cases(self.cases)
        return f"{selected}: {', '.join(f'{n:,} {became}' for became, n in self.counts.items()) or 'none'}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The counts in one line, with the reason where there is but one of a kind; else a further line for each."""
        parts, more = [], []
        for word, count in self.counts.items():
            reasons = [reason for reason in self.reasons if reason.became == word]
            parts.append(str(reasons[0]) if len(reasons) == 1 else f"{count:,} {word}")
            more += [str(reason) for reason in reasons] if len(reasons) > 1 else []
        selected = f"{self.cases:,} of {self.cells:,} selected" if self.cells > self.cases else _cases(self.cases)
        return f"{selected}: {', '.join(parts) or 'none'}", *more


def tally(run: Counted) -> Tally:
    """Count the cases of a run; cases are together where status and reason are the same."""
    rows = [row | {"became": WORDS[became(row)], "path": _path(row)} for row in rows_of(run.cases[_COLUMNS])]
    counts = dict.fromkeys(word for word in WORDS.values() if any(row["became"] == word for row in rows))
    grouped: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for row in rows:
        if row["status"] != "ok":
            said = row["error"] if isinstance(row["error"], str) else "no reason recorded"
            said = said.removeprefix(f"{row['device']}: ")  # `where` names it
            grouped.setdefault((row["became"], said), []).append(row)
    return Tally(
        cases=len(rows),
        cells=run.manifest.selection.of or len(rows),
        counts={word: sum(row["became"] == word for row in rows) for word in counts},
        reasons=tuple(Reason(word, len(group), _where(group, rows), text) for (word, text), group in grouped.items()),
    )


def _path(row: dict[Any, Any]) -> str:
    """The threads and cores of a case, in words."""
    threads = "" if pd.isna(row["threads"]) else formatting.counted(int(row["threads"]), "thread")
    cores = f"cores {row['affinity']}" if isinstance(row["affinity"], str) else ""
    return " on ".join(filter(None, (threads, cores)))


def _cases(count: int) -> str:
    return formatting.counted(count, "case")


def _where(group: Sequence[dict[Any, Any]], rows: Sequence[dict[Any, Any]]) -> str:
    """The devices of some cases; before them models, delegates, threads and cores that are not all of the devices'."""
    devices = {row["device"] for row in group}
    there = [row for row in rows if row["device"] in devices]
    family = _some("family", "families", group, there)
    own = [row for row in there if row["family"] in {one["family"] for one in group}]
    variant = _some("variant", "variants", group, own)
    many = len({row["variant"] for row in group}) > _MOST_NAMED
    model = " of ".join(filter(None, (variant, family))) if many else ".".join(filter(None, (family, variant)))
    paths = [row for row in own if row["delegate"] in {one["delegate"] for one in group}]
    path = _some("path", "settings of threads and cores", group, paths)
    delegate = _named("delegate", "delegates", group) if path else _some("delegate", "delegates", group, own)
    words = [word for word in (model, ", ".join(filter(None, (delegate, path)))) if word]
    return " ".join([" with ".join(words), "on"] * bool(words) + [_named("device", "devices", group)])


def _some(key: str, several: str, group: Sequence[dict[Any, Any]], rows: Sequence[dict[Any, Any]]) -> str:
    """The group's values of a key, or nothing where it has all of them."""
    return "" if {row[key] for row in group} == {row[key] for row in rows} else _named(key, several, group)


def _named(key: str, several: str, group: Sequence[dict[Any, Any]]) -> str:
    values = list(dict.fromkeys(str(row[key]) for row in group))
    return ", ".join(values) if len(values) <= _MOST_NAMED else f"{len(values)} {several}"
