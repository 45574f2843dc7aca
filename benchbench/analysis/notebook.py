"""A run as a notebook shows it: what became of its cases, and a row each."""

from __future__ import annotations

from html import escape
from typing import Any, Protocol

import pandas as pd

from benchbench.analysis.formatting import ran_on
from benchbench.analysis.tally import Counted, tally
from benchbench.values import formatting
from benchbench.values.visible import visible


class Shown(Counted, Protocol):
    """A run, as far as a notebook shows it."""

    @property
    def name(self) -> str: ...


def as_html(run: Shown) -> str:
    """No text of a device, tool or file in it is markup."""
    rows = run.cases.to_dict("records")
    table = pd.DataFrame([_cells(row) for row in rows], columns=list(_cells({})))
    lines = "".join(f"<p>{escape(visible(line))}</p>" for line in tally(run).lines)
    with pd.option_context("display.max_colwidth", None):
        return f"<h3>{escape(visible(run.name))}</h3>{lines}{table.to_html(index=False, escape=True, border=0)}"


def _cells(row: dict[Any, Any]) -> dict[str, str]:
    time = formatting.time(row.get("median_ms"))
    cells = {
        "case": row.get("case", ""),
        "ran on": ran_on(row) if row else "",
        "latency": time if time == formatting.NOTHING else f"{time} {row.get('statistic')}",
        "interval": formatting.interval(row.get("low_ms"), row.get("high_ms")),
        "launches": str(row.get("launches", "")),
        "doubts": ", ".join(doubt.kind for doubt in row.get("doubts", ())),
    }
    return {name: visible(text) for name, text in cells.items()}
