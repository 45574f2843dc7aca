"""report.md: the results as a text for a pull request, short enough for a comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from benchbench.analysis.comparison_text import Limits, escaped, fitting, left_out, markdown_of
from benchbench.analysis.formatting import missing, ran_on
from benchbench.report.results import Results
from benchbench.values import formatting
from benchbench.values.doubt import Doubt
from benchbench.values.quantities import quantity

MOST_TOLD = 20  # recommendations, and reasons why cases have no number
_HEAD = "| case | ran on | latency | interval | accuracy | doubts |\n|---|---|--:|--:|--:|---|"


def report_markdown(results: Results) -> str:
    """As much of it as a comment holds."""
    return fitting(lambda limits: _text(results, limits))


def _text(results: Results, limits: Limits) -> str:
    """What was measured, how the last of several runs compares, what to ship, and the cases folded under it."""
    most = min(MOST_TOLD, limits.rows)
    parts = [f"## benchbench: {escaped(_title(results))}", _counted(results, most)]
    if found := results.comparison:
        named = ", ".join(escaped(results.labels[run.id]) for run in found.bases)
        parts += [
            f"### {escaped(results.labels[found.new.id])} against {named}",
            markdown_of(found.frame, found.changes, found.failing, limits).rstrip(),
        ]
    if recommended := list(_recommended(results)):
        more = len(recommended) - most
        rest = [f"- and {more} more in `report.json`"] if more > 0 else []
        parts += ["### What to ship", "\n".join([*recommended[:most], *rest])]
    if len(results.tried):
        parts.append(_cases(results, limits.folded))
    return "\n\n".join(parts) + "\n"


def _title(results: Results) -> str:
    """The run by name and date; of several the names alone, since each is dated below."""
    if len(results.runs) == 1:
        return next(iter(results.labels.values()))
    return ", ".join(dict.fromkeys(run.name for run in results.runs))


def _counted(results: Results, most: int) -> str:
    devices = formatting.counted(results.cases["device"].nunique(), "device")
    runs = formatting.counted(len(results.runs), "run")
    tallies = [
        f"- {escaped(f'{name}: {line}' if len(results.runs) > 1 else line)}"
        for name, tally in results.tallies
        for line in tally.lines
    ]
    beyond = [f"- **{escaped(line)}**" for line in results.over_budget_lines]
    left = len(tallies) - most
    more = [f"- and {left} more in `report.json`"] if left > 0 else []
    return "\n".join([f"{devices}, {runs}", "", *beyond, *tallies[:most], *more])


def _recommended(results: Results) -> Iterator[str]:
    for found in results.recommendations:
        if _is_base(found.run, results):
            continue
        where = escaped(" · ".join(part for part in (_place(found.run, found.device, results), found.family) if part))
        doubts = [f"\n  - but: {escaped(doubt)}" for doubt in (*found.doubts, *found.shared)]
        yield f"- **{where}**: {escaped(found.sentence)}{''.join(doubts)}"


def _is_base(run: str, results: Results) -> bool:
    """Whether a run is there to be compared with, and was told of when it was made."""
    return results.comparison is not None and run != results.comparison.new.id


def _place(run: str, name: str, results: Results) -> str:
    return name if results.comparison else results.place(run, name)


def _cases(results: Results, most: int) -> str:
    rows = [row for row in results.rows if not _is_base(row["run"], results)]
    lines = [_HEAD, *(_row(row, results) for row in rows[:most])]
    summary = f"<summary>{formatting.counted(len(rows), 'case')}</summary>"
    return f"<details>{summary}\n\n" + "\n".join(lines) + f"{left_out(rows, most)}\n\n</details>"


def _row(row: Any, results: Results) -> str:
    top1 = quantity("accuracy_top1")
    accuracy = row.get(top1.case_column)
    case = _place(row["run"], row["case"], results)
    latency = formatting.time(row["median_ms"])
    doubts: Sequence[Doubt] = row["doubts"]
    cells = (
        escaped(case),
        escaped(formatting.in_a_line(ran_on(row), 120)),
        latency if missing(row) is None or latency == formatting.NOTHING else f"({latency})",
        formatting.interval(row["low_ms"], row["high_ms"]),
        formatting.NOTHING if accuracy is None or pd.isna(accuracy) else top1.text(accuracy),
        escaped(", ".join(doubt.kind for doubt in doubts)),
    )
    return f"| {' | '.join(cells)} |"
