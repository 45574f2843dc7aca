"""The python runner: the device script over a runtime that the device's Python has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from benchbench.device_script import protocol
from benchbench.device_script.protocol import (
    ANSWER,
    NATIVE_LOG,
    OUTPUTS,
    REQUEST,
    STAGE,
    Answer,
    DelegateRequest,
    Request,
    to_json,
)
from benchbench.runtimes.device_script import last_stage, no_answer, read_answer
from benchbench.runtimes.script_backend import ScriptBackend
from benchbench.runtimes.tool import LaunchSpec, Runner
from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind
from benchbench.values.errors import Unsupported
from benchbench.values.job import Job, JobOutput
from benchbench.values.outcome import (
    NUMPY,
    CacheLine,
    Delegation,
    LaunchResult,
    Measurement,
    Memory,
    OpTime,
    Profile,
    Timings,
)
from benchbench.values.process_end import how_it_ended

PERCENTILES = f"{NUMPY}; std over n"
DIFFERS = 0.05  # relative L2 error of an output from which on a launch warns


@dataclass(frozen=True, slots=True)
class PythonRunner(Runner):
    """Builds the request of a launch and reads its answer; `LaunchSpec.tool` is the script's path on the device."""

    kind: RunnerKind = "python"
    evaluates: bool = True

    def no_outputs_reason(self) -> str | None:
        return None

    def unsupported_reason(self, delegate: Backend) -> str | None:
        """Why the script has no such delegate; what its interpreter can do is among the device's traits."""
        has = isinstance(delegate, ScriptBackend) and delegate.request(delegate.library) is not None
        return None if has else _no_way(delegate)

    def delegate_request(self, work: LaunchSpec) -> DelegateRequest | None:
        """What the script is told of the delegate of a launch; None for one that it does not have."""
        return work.delegate.request(work.library) if isinstance(work.delegate, ScriptBackend) else None

    def job(self, work: LaunchSpec) -> Job:
        delegate = self.delegate_request(work)
        if delegate is None:
            raise Unsupported(_no_way(work.delegate))
        if work.cache is not None:
            delegate = _keeping(work, delegate, work.cache)
        pinned = ("taskset", work.affinity_mask) if work.affinity_mask else ()
        return Job(
            argv=(*pinned, work.python or "python3", work.tool, REQUEST, ANSWER),
            timeout_s=work.measure.timeout_seconds,
            files={REQUEST: to_json(_request(work, delegate))},
            answers=(ANSWER, STAGE, NATIVE_LOG),
            outputs=(OUTPUTS,) if work.evaluation else (),
        )

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult:
        asked = work.delegate.kind
        said = raw.answers.get(ANSWER)
        if said is None:
            return LaunchResult(status="failed", delegation=Delegation(asked=asked), error=_died(work, raw))
        try:
            answer = read_answer(said)
        except ValidationError as error:
            what = error.errors()[0]
            place = ".".join(str(part) for part in what["loc"]) or "the whole"
            return LaunchResult(
                status="failed",
                delegation=Delegation(asked=asked),
                error=f"{ANSWER} is not what the script writes: {place}: {what['msg']}",
            )
        return _reading(work, raw, answer, self.delegation(work, answer.delegation))

    def delegation(self, work: LaunchSpec, took: protocol.Delegation) -> Delegation:
        """What the script says of who took which nodes."""
        return Delegation(
            asked=work.delegate.kind,
            verdict=took.verdict,
            evidence=took.evidence,
            nodes_delegated=took.nodes_delegated,
            nodes_total=took.nodes_total,
            partitions=took.partitions,
            fallback=took.fallback or work.delegate.fallback,
            left=took.left_ops or {},
        )


def _request(work: LaunchSpec, delegate: DelegateRequest) -> Request:
    measure, chosen = work.measure, work.variant.signature
    return Request(
        model=work.model,
        asked=work.delegate.kind,
        delegate=delegate,
        threads=work.threads,
        runs=measure.runs,
        min_seconds=measure.min_seconds,
        max_seconds=measure.max_seconds,
        warmup_runs=measure.warmup_runs,
        warmup_min_seconds=measure.warmup_min_seconds,
        input_seed=measure.input_seed,
        inputs=work.inputs,
        signature=protocol.Signature(chosen.key, chosen.inputs, chosen.outputs) if chosen else None,
        shapes=tuple(spec.shape for spec in work.variant.inputs) or None,
        ranges=tuple(spec.range for spec in work.variant.inputs) or None,
        profile=work.profile,
        # The CPU is the reference itself; every other delegate is checked against it.
        fidelity=work.delegate.processor != "cpu",
        evaluate=work.evaluation,
    )


def _keeping(work: LaunchSpec, request: DelegateRequest, folder: str) -> DelegateRequest:
    """The request, with where what the delegate compiles is to be kept."""
    kept = work.delegate.keeping(request, folder) if isinstance(work.delegate, ScriptBackend) else None
    if kept is None:
        raise Unsupported(f"the python runner has no cache for {work.delegate.kind}", remedy="leave `cache` out")
    return kept


def _no_way(delegate: Backend) -> str:
    return f"the python runner has no way to run {delegate.label}"


def _reading(work: LaunchSpec, raw: JobOutput, answer: Answer, delegation: Delegation) -> LaunchResult:
    measurement = _measurement(work, raw, answer)
    cache, error = _cache_line(work, raw), None
    if answer.error is not None and answer.error.type == "NotImplementedError":
        return LaunchResult(status="skipped", delegation=delegation, error=answer.error.message)
    if answer.status != "ok":
        error = answer.error.line if answer.error else "the script gave up without a reason"
        measurement = measurement.model_copy(update={"timings": Timings()})
    elif measurement.timings.mean is None and not work.profile:
        error = "the answer has no steady inference"
    return LaunchResult(
        status="failed" if error else "ok", measurement=measurement, delegation=delegation, error=error, cache=cache
    )


def _cache_line(work: LaunchSpec, raw: JobOutput) -> CacheLine | None:
    if work.cache is None or not isinstance(work.delegate, ScriptBackend):
        return None
    return work.delegate.cache_lines.find(raw.answers.get(NATIVE_LOG, b"").decode("utf-8", "replace"))


def _measurement(work: LaunchSpec, raw: JobOutput, answer: Answer) -> Measurement:
    return Measurement(
        timings=_timings(answer),
        runs_asked=None if work.evaluation or work.profile else work.measure.runs,
        runs=len(answer.steady_ns) or None,
        evaluated=answer.evaluated,
        warmup_runs=len(answer.warmup_ns) or None,
        threads=answer.threads,
        memory=_memory(answer),
        model_mb=work.variant.size_mb,
        profile=None if answer.profile is None else profile_of(answer.profile),
        tool=f"{answer.runtime} {answer.api}" if answer.runtime else None,
        warnings=tuple(_warnings(work, raw, answer)),
        ops=answer.ops or {},
        cpus=answer.cpus,
        output_errors=_output_errors(answer),
    )


def _memory(answer: Answer) -> Memory:
    had = answer.memory
    if had is None:
        return Memory()
    return Memory(
        rss_start_mb=had.rss_start_mb,
        rss_loaded_mb=had.rss_loaded_mb,
        rss_end_mb=had.rss_end_mb,
        rss_peak_mb=had.rss_peak_mb,
        pss_end_mb=had.pss_end_mb,
    )


def _timings(answer: Answer) -> Timings:
    """Microseconds; initialisation is loading, the delegate and allocation, without importing the runtime."""
    phases = {name: ns for name, ns in (answer.phases_ns or {}).items() if name != "import"}
    init = sum(phases.values()) / 1e3 if "allocate" in phases else None
    if not answer.steady_ns or answer.first_ns is None:
        return Timings(init=init)
    phases_before = {
        "init": init,
        "first": answer.first_ns / 1e3,
        "warmup_mean": float(np.mean(answer.warmup_ns)) / 1e3,
    }
    return steady_timings(np.asarray(answer.steady_ns, dtype=np.float64) / 1e3).model_copy(update=phases_before)


def steady_timings(times: NDArray[np.float64]) -> Timings:
    """What the steady inferences of a launch say, in microseconds as they are."""
    p5, median, p95 = (float(value) for value in np.percentile(times, [5, 50, 95]))
    return Timings(
        mean=float(times.mean()),
        min=float(times.min()),
        max=float(times.max()),
        std=float(times.std()),
        p5=p5,
        median=median,
        p95=p95,
        samples=tuple(times.tolist()),
        percentile_method=PERCENTILES,
    )


def profile_of(ops: Sequence[protocol.OpTime]) -> Profile:
    """The times of operators as a profile, with their shares, and by type."""
    total = sum(op.mean_us for op in ops) or 1.0
    by_op = tuple(
        OpTime(
            name=op.name,
            type=op.type,
            mean_us=op.mean_us,
            percent=100 * op.mean_us / total,
            calls=op.calls,
            executor=op.executor,
        )
        for op in ops
    )
    types: dict[tuple[str, str | None], list[OpTime]] = {}
    for op in by_op:
        types.setdefault((op.type, op.executor), []).append(op)
    by_type = tuple(
        OpTime(
            name=kind,
            type=kind,
            mean_us=(us := sum(op.mean_us for op in ops)),
            percent=100 * us / total,
            calls=sum(op.calls for op in ops),
            executor=executor,
        )
        for (kind, executor), ops in types.items()
    )
    return Profile(by_op=by_op, by_type=tuple(sorted(by_type, key=lambda op: -op.mean_us)))


def _output_errors(answer: Answer) -> dict[str, float | None]:
    """The relative L2 error of each output against the device's CPU."""
    return (answer.fidelity and answer.fidelity.relative_l2) or {}


def _warnings(work: LaunchSpec, raw: JobOutput, answer: Answer) -> list[str]:
    said = []
    if answer.status == "ok" and raw.late:
        said.append("the process hung after its answer and was killed")
    elif answer.status == "ok" and raw.exit_code:
        said.append(f"the process {how_it_ended(raw.exit_code)} after its answer")
    if answer.memory and answer.memory.peak_since == "process start":
        said.append("rss_peak_mb counts from the start of the process: the kernel does not let it be reset")
    if isinstance(work.delegate, ScriptBackend):
        evidence = answer.delegation.evidence or ""
        said += [remark for words, remark in work.delegate.remarks if words in evidence]
    for name, error in _output_errors(answer).items():
        if error is None or error > DIFFERS:
            shown = "is not a number" if error is None else f"is {error:.2g}"
            said.append(f"output {name!r} is not the CPU's: its relative L2 error {shown}")
    if answer.fidelity and answer.fidelity.why:
        said.append(f"outputs were not checked: {answer.fidelity.why}")
    return said


def _died(work: LaunchSpec, raw: JobOutput) -> str:
    """Why there is no answer: the time limit, a signal, or an interpreter that could not run the script."""
    if raw.late:
        return f"killed at its time limit of {work.measure.timeout_seconds:g} s (stage: {last_stage(raw.answers)})"
    return no_answer(raw.exit_code, raw.answers, raw.stderr, raw.stdout)
