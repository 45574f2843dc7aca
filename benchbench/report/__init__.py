"""One page, its charts, and the same plots as PNG."""

from benchbench.report.page import write_report

__all__ = ["write_report"]
