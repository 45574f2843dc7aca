"""One page, its figures, and the same figures as files."""

from benchbench.report.figure import figure
from benchbench.report.figures.drawing import FigureFiles
from benchbench.report.page import write_report

__all__ = ["FigureFiles", "figure", "write_report"]
