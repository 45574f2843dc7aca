"""The tables behind a report, a list of rows each: what its figures are drawn from, and what its page holds once."""

from __future__ import annotations

from collections.abc import Iterable

from benchbench.analysis.cases import ran
from benchbench.analysis.choices import Choice
from benchbench.analysis.planned_cases import PlannedCase
from benchbench.analysis.rows import Row, rows_of
from benchbench.report.case_rows import case_rows
from benchbench.report.during import during_rows
from benchbench.report.plain_values import number, rounded, text
from benchbench.report.results import Results
from benchbench.values import formatting
from benchbench.values.quantities import of_group

Tables = dict[str, list[Row]]
_MOST_OPS = 6  # of one case; the smallest ones together


def tables_of(results: Results) -> Tables:
    """Rows of plain values that JSON has; what is missing is None, or not there."""
    return {
        "cases": case_rows(results),
        "operations": _operations(results),
        "conditions": _conditions(results),
        "during": during_rows(results),
        "comparison": _comparison(results),
        "surprises": _surprises(results),
    }


def choice_rows(results: Results, choices: Iterable[Choice]) -> list[Row]:
    """Of each device and family why nothing can be chosen, or "", and what is met there whatever is chosen."""
    return [
        {
            "place": results.place(one.run, one.device),
            "family": one.family or None,
            "why": one.why,
            "pitfalls": list(one.pitfalls),
            "shared": list(one.shared),
        }
        for one in choices
    ]


def _operations(results: Results) -> list[Row]:
    """The op types of the first profiled launch of each case."""
    rows: list[Row] = []
    for run in results.runs:
        planned = {case: n for n, case in enumerate(run.cells)}
        first = {o.case: (o, found) for o in reversed(run.outcomes) if (found := o.measurement.profile) is not None}
        several = len({(run.cells[case].threads, run.cells[case].affinity) for case in first}) > 1
        for outcome, profile in sorted(first.values(), key=lambda pair: planned[pair[0].case]):
            cell = run.cells[outcome.case]
            off = outcome.delegation.verdict in {"none", "unavailable"}
            same = {
                "place": results.place(run.id, outcome.device),
                "family": cell.family,
                "variant": cell.variant,
                "delegate": cell.delegate,
                "what": f"{cell.variant} · {ran(outcome) if off else cell.delegate}{_path(cell) * several}",
            }
            ranked = sorted(profile.by_type, key=lambda op: -op.percent)
            ops = [(f"{op.type} ({op.executor})" if op.executor else op.type, op.percent, op.mean_us) for op in ranked]
            if rest := ops[_MOST_OPS:]:
                ops = [*ops[:_MOST_OPS], ("all others", sum(op[1] for op in rest), sum(op[2] for op in rest))]
            rows += [
                same | {"op": op, "percent": rounded(percent), "told": formatting.time(us / 1000)}
                for op, percent, us in ops
            ]
    return rows


def _surprises(results: Results) -> list[Row]:
    """What nobody would expect, the largest first; `id` is that of the case."""
    ids = {key: n for n, key in enumerate(zip(results.cases["run"], results.cases["case"], strict=True))}
    return [{"id": ids[one.run, one.case], "what": one.what, "figure": one.figure} for one in results.surprises]


def _path(cell: PlannedCase) -> str:
    """What tells two cases of a variant and delegate from each other."""
    threads = f" · {formatting.counted(cell.threads, 'thread')}" if cell.threads else ""
    return threads + (f" · cores {cell.affinity}" if cell.affinity else "")


def _comparison(results: Results) -> list[Row]:
    """Each case that the last run and those before it measured."""
    if results.comparison is None:
        return []
    return [
        {
            **{name: text(row[name]) for name in ("case", "device", "family", "variant", "delegate", "verdict", "why")},
            **{name: number(row[name]) for name in ("ratio", "ratio_low", "ratio_high")},
            "named": str(row["case"]).partition("/")[2].removeprefix(f"{row['family']}."),
        }
        for row in rows_of(results.comparison.frame)
    ]


def _conditions(results: Results) -> list[Row]:
    """What each trial began under."""
    trials = results.trials
    columns = [one.name for one in of_group("before") if trials[one.name].notna().any()]
    if not columns:
        return []
    ordered = trials.sort_values(["place", "position"], kind="stable")
    names = ["place", "position", "throttled", *columns]
    return [
        {name: text(row[name]) if name in {"place", "throttled"} else number(row[name], digits=3) for name in names}
        for row in rows_of(ordered[names])
    ]
