"""The known pitfalls of quantization and delegates, found in one device's cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchbench.analysis.formatting import describe, quality, samples, shorten
from benchbench.analysis.rows import Row
from benchbench.analysis.surprises import fastest_of, surprises_in
from benchbench.analysis.tradeoffs import uncertain
from benchbench.runtimes import backend_type

_MOST_NAMED = 4


def find_pitfalls(cases: Sequence[Row], table: Sequence[Row], most: float) -> tuple[str, ...]:
    """The pitfalls that one device's cases met, a sentence each, surprises among them; `table` is that of `tradeoffs`,
    `most` the loss of accuracy that may be.
    """
    return (*map(str, surprises_in(cases, table, most)), *expected_pitfalls(cases, table, most))


def expected_pitfalls(cases: Sequence[Row], table: Sequence[Row], most: float) -> tuple[str, ...]:
    """Those of them that are no surprise: known of the kernels, or of so few samples."""
    return (*_slow_kernels(fastest_of(cases)), *_too_few(table, most))


def _slow_kernels(best: Sequence[Row]) -> Iterator[str]:
    for row in best:
        if row["status"] == "ok":
            for scheme, why in backend_type(row["kind"]).slow_schemes:
                if str(row["scheme"]).startswith(scheme):
                    yield f"{shorten(row['variant'])} {why}"


def _too_few(table: Sequence[Row], most: float) -> Iterator[str]:
    unsure: dict[float, list[Row]] = {}
    for row in table:
        if not row["broken"] and uncertain(row, most):
            unsure.setdefault(row["accuracy_n"], []).append(row)
    for group in unsure.values():
        names = [describe(row) for row in group]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield (
            f"{samples(group[0])}: too few to tell whether "
            f"{points_of(most)} of {quality(row['metric'] for row in group)} is lost by "
            f"{'; '.join(names[:_MOST_NAMED])}{more}"
        )


def points_of(most: float) -> str:
    """A loss that may be, in words: "a point"."""
    return "a point" if most == 0.01 else f"{100 * most:g} points"
