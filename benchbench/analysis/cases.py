"""The launches of one case as one row: which of them count, and what they say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from statistics import median
from typing import Any

from benchbench.analysis.device_doubts import slow_threads
from benchbench.analysis.disturbances import Disturbance
from benchbench.analysis.doubts import doubts
from benchbench.analysis.intervals import median_interval, variation
from benchbench.analysis.launches import LaunchSequence
from benchbench.analysis.planned_cases import PlannedCase
from benchbench.runtimes import backend_type
from benchbench.values.case import LATENCY
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import in_a_line, tallied
from benchbench.values.outcome import Outcome, Statistic
from benchbench.values.quantities import PER_LAUNCH

NOT_RUN = "no launch has an outcome yet"


def summarize(
    cell: PlannedCase,
    every: Sequence[Outcome],
    scored: Outcome | None,
    *,
    statistic: Statistic,
    disturbed: Mapping[str, Disturbance],
    by_need: bool,
) -> dict[str, Any]:
    """One row of the frame of cases, from all of its outcomes and the trial that has its accuracy.

    A quantity is of the launches of its own mode, all else of those for latency. One launch is one sample, by the
    `statistic` of its inferences; launches that ran on different executors never mix.
    `by_need`: there are as many launches as their spread asked for.
    """
    outcomes = [outcome for outcome in every if outcome.timed]
    samples = counted_by_purpose(every, disturbed)
    counted = samples[LATENCY]
    verdict = common_verdict(outcomes)
    accuracy = _accuracy(scored, counted)
    about = LaunchSequence(
        outcomes, counted, cell.kind, cell.threads, cell.cores, disturbed, statistic, cell.open_inputs, cell.local
    )
    times = [time / 1000 for time in about.times]
    interval = median_interval(times, by_need=by_need)
    return {
        "device": cell.device,
        "family": cell.family,
        "variant": cell.variant,
        "scheme": cell.scheme,
        "network": cell.network,
        "relation": cell.relation,
        "because": cell.because,
        "delegate": cell.delegate,
        "kind": cell.kind,
        "threads": cell.threads,
        "affinity": cell.affinity,
        "case": cell.case,
        "status": _status(cell, outcomes, counted),
        "verdict": verdict,
        "executor": (ran(counted[0]) if counted else None) or "",
        "headline": bool(counted) and stands(cell.kind, verdict, counted, disturbed),
        "statistic": statistic if times else None,
        **{one.case_column: one.of_case(samples.get(one.purpose, ())) for one in PER_LAUNCH if one.case},
        "median_ms": median(times) if times else None,  # by the statistic that the cases of its family share
        "size_mb": cell.size_mb,
        "low_ms": interval.low if interval else None,
        "high_ms": interval.high if interval else None,
        "between_cv": variation(times),
        "launches": len(counted),
        "launches_ok": sum(o.status == "ok" for o in outcomes),
        "launches_all": len(outcomes),
        "sha256": cell.sha256,
        "fed": cell.fed,
        "ops_left": _last(counted, lambda o: tallied(o.delegation.left) or None),
        "evidence": _last(counted or outcomes, lambda o: o.delegation.evidence),
        "runner": _last(outcomes, lambda o: o.runner),
        "tool": _last(counted or outcomes, lambda o: o.measurement.tool),
        "tool_version": cell.tool_version,
        "tool_sha256": cell.tool_sha256,
        "error": _last(outcomes, lambda o: o.error) if outcomes else cell.skipped or NOT_RUN,
        "remedy": _last(outcomes, lambda o: o.remedy),
        "samples_ms": tuple(times),
        "doubts": (*_output_doubts(accuracy), *doubts(about)) if outcomes else (),
        **{f"accuracy_{key}": value for key, value in accuracy.items()},
    }


def with_thread_doubts(rows: Sequence[dict[str, Any]], cores: Mapping[str, int | None]) -> list[dict[str, Any]]:
    """The rows of a run, those with many threads held against their own case with one; `cores` by device."""
    key = ("device", "family", "variant", "delegate", "affinity", "executor")
    alone = {tuple(row[k] for k in key): row["median_ms"] for row in rows if row["threads"] == 1 and row["median_ms"]}
    told = []
    for row in rows:
        one, threads = alone.get(tuple(row[k] for k in key)), row["threads"] or 1
        doubt = None
        if one and row["median_ms"] and threads > 1:
            doubt = slow_threads(threads, row["median_ms"] / one, cores.get(row["device"]))
        told.append(row | {"doubts": (*row["doubts"], doubt)} if doubt else row)
    return told


def counted_launches(outcomes: Sequence[Outcome], disturbed: Container[str]) -> list[Outcome]:
    """The launches behind the number: done, on the commonest executor, undisturbed where any are."""
    done = [o for o in outcomes if o.status == "ok" and o.measurement.timings.typical is not None]
    common = Counter(ran(o) for o in done).most_common(1)
    alike = [o for o in done if ran(o) == common[0][0]]
    return [o for o in alike if o.trial not in disturbed] or alike


def counted_by_purpose(outcomes: Sequence[Outcome], disturbed: Container[str]) -> dict[str, list[Outcome]]:
    """The launches of a case that count, by mode; those of others than latency undisturbed, on the executor timed."""
    found = {LATENCY: counted_launches([o for o in outcomes if o.timed], disturbed)}
    executor = next(map(ran, found[LATENCY]), None)
    for o in outcomes:
        if not o.timed and executor is not None and ran(o) == executor and o.trial not in disturbed:
            found.setdefault(o.purpose, []).append(o)
    return found


def stands(kind: str | None, verdict: str, counted: Sequence[Outcome], disturbed: Container[str]) -> bool:
    """Whether the number may stand under the delegate that was asked for, in charts and comparisons."""
    if any(o.trial in disturbed for o in counted):
        return False
    if not backend_type(kind).is_delegate:  # nothing could fail to take the graph
        return verdict in {"full", "partial", "none", "unknown"} and counted[0].delegation.fallback in {None, kind}
    return verdict in {"full", "partial"}


def common_verdict(outcomes: Sequence[Outcome]) -> str:
    """The launches' common verdict, of those with a result where there are any; "mixed" where they differ."""
    heard = [o for o in outcomes if o.status == "ok"] or list(outcomes)
    verdicts = {o.delegation.verdict for o in heard}
    return verdicts.pop() if len(verdicts) == 1 else "mixed" if verdicts else "unknown"


def ran(outcome: Outcome) -> str | None:
    """What really executed the graph, in words; None where nothing ran to its end."""
    if outcome.status != "ok":
        return None
    said, asked = outcome.delegation, outcome.delegation.asked
    if asked is not None and not backend_type(asked).is_delegate and said.verdict in {"none", "unknown"}:
        return asked if said.fallback in {None, asked} else f"{said.fallback} ({asked} was asked for)"
    return said.executor


def _status(cell: PlannedCase, outcomes: Sequence[Outcome], counted: Sequence[Outcome]) -> str:
    if counted:
        return "ok"
    if not outcomes:
        return "pending" if cell.skipped is None else "skipped"
    seen = {o.status for o in outcomes}
    return next((status for status in ("failed", "incomplete", "skipped") if status in seen), "failed")


def _accuracy(scored: Outcome | None, counted: Sequence[Outcome]) -> dict[str, Any]:
    """Accuracy by the keys it was recorded under, if the same executor was timed."""
    if scored is None or not counted or ran(scored) != ran(counted[0]):
        return {}
    return dict(scored.accuracy)


def _output_doubts(accuracy: Mapping[str, Any]) -> tuple[Doubt, ...]:
    """What fidelity to the float32 reference found wrong with the outputs."""
    doubt, remedy = accuracy.get("data_doubt"), accuracy.get("data_remedy")
    if isinstance(doubt, str) and isinstance(remedy, str):
        rest = {key: value for key, value in accuracy.items() if key != "data_doubt"}
        return (*_output_doubts(rest), Doubt("dataset", doubt, remedy))
    flags = accuracy.get("flags")
    broken = accuracy.get("broken") == 1
    if not broken and not (isinstance(flags, str) and flags):
        return ()
    text = in_a_line(str(flags or "an output is not what the reference says"), 300)
    if broken:
        return (Doubt("broken output", text, "its time is that of wrong answers: use another variant or delegate"),)
    return (Doubt("odd output", text, "look at its accuracy on labelled samples before you ship it"),)


def _last(outcomes: Sequence[Outcome], value: Callable[[Outcome], Any]) -> Any:
    return next((v for o in reversed(outcomes) if (v := value(o)) is not None), None)
