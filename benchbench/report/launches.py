"""What the page tells of one launch of each case, the last one of its rounds: how to do it again, and its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchbench.analysis.rows import Row, rows_of
from benchbench.report.log_lines import telling_lines
from benchbench.report.results import Results
from benchbench.runtimes import telling_words
from benchbench.values.case import LATENCY

_TEXTS = ("log", "command", "cache", "cache_used", "cache_evidence")
_COLUMNS = ["run", "case", "purpose", "kind", "status", "evidence", "threads_got", *_TEXTS]


def launches_of(results: Results) -> dict[tuple[str, str], dict[str, Any]]:
    """By run and case; `lines` are the telling ones of the log, each on a line of its own."""
    told = rows_of(results.trials[_COLUMNS])
    last = {(row["run"], row["case"]): row for row in sorted(told, key=lambda row: row["purpose"] == LATENCY)}
    folders = {run.id: run.folder for run in results.runs}
    found = {}
    for key, row in last.items():
        texts = {name: row[name] or None for name in _TEXTS if isinstance(row[name], str)}
        threads = None if pd.isna(row["threads_got"]) else int(row["threads_got"])
        found[key] = texts | {"threads_got": threads, "lines": _lines(row, folders[key[0]])}
    return found


def _lines(row: Row, folder: Path) -> str | None:
    """Without the one that stands beside them as evidence."""
    if not isinstance(row["log"], str):
        return None
    lines = telling_lines(folder, row["log"], telling_words(row["kind"]), wrong=row["status"] != "ok")
    return "\n".join(line for line in lines if line != row["evidence"]) or None
