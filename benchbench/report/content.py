"""What a report shows of its results, made once: its tables and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from benchbench.report.figures import Figure, figures_of
from benchbench.report.figures.drawing import whole_specs
from benchbench.report.results import Results
from benchbench.report.tables import Tables, tables_of


@dataclass(frozen=True)
class Content:
    """Results, and what is drawn from them."""

    results: Results

    @cached_property
    def tables(self) -> Tables:
        return tables_of(self.results)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """Those that have something to show."""
        return tuple(figure for figure, _ in whole_specs(figures_of(self.results), self.tables))
