"""What a report writes for others than people with a browser: report.md and report.json."""

from __future__ import annotations

from pathlib import Path

from benchbench.report.markdown import report_markdown
from benchbench.report.record import report_record
from benchbench.report.results import Results
from benchbench.values.visible import visible

MARKDOWN, JSON = "report.md", "report.json"


def write_texts(results: Results, out: Path) -> None:
    """Both files into the folder of the page."""
    (out / MARKDOWN).write_text(visible(report_markdown(results)), encoding="utf-8")
    (out / JSON).write_text(visible(report_record(results).model_dump_json(indent=1)) + "\n", encoding="utf-8")
