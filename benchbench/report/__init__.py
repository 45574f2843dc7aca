"""One page, its figures, and the same figures as files."""

from benchbench.report.page import write_report

__all__ = ["write_report"]
