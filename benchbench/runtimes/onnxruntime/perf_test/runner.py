"""The runner: a launch of the tool, and what it left as a reading."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchbench.device_script.onnxruntime.profile import node_times
from benchbench.runtimes.onnxruntime.backends import OnnxBackend
from benchbench.runtimes.onnxruntime.backends.base import CPU, PERF_TEST
from benchbench.runtimes.onnxruntime.newer import in_short
from benchbench.runtimes.onnxruntime.perf_test import command
from benchbench.runtimes.onnxruntime.perf_test.capabilities import Capabilities, is_help
from benchbench.runtimes.onnxruntime.recorded.log_messages import left_out_line, message_in
from benchbench.runtimes.onnxruntime.recorded.perf_test import failure_in, read_output
from benchbench.runtimes.onnxruntime.recorded.profile_file import events_of, nodes_of
from benchbench.runtimes.onnxruntime.recorded.providers import delegation_of, kind_of, partitions_of
from benchbench.runtimes.script_runner import profile_of, steady_timings
from benchbench.runtimes.tool import LaunchSpec, Runner
from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind
from benchbench.values.job import Job, JobOutput
from benchbench.values.key_values import number
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Delegation, LaunchResult, Measurement
from benchbench.values.process_end import how_it_ended

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class PerfTestRunner(Runner):
    """onnxruntime_perf_test of one build; `LaunchSpec.tool` is the binary's path on the device."""

    able: Capabilities
    kind: RunnerKind = PERF_TEST

    def unsupported_reason(self, delegate: Backend) -> str | None:
        return command.cannot_run(self.able, delegate)

    def no_outputs_reason(self) -> str | None:
        return f"{PERF_TEST} gives no outputs back, and takes no samples"

    @property
    def outputs_remedy(self) -> str:
        return "take them where Python has ONNX Runtime: a board, or this machine"

    def job(self, work: LaunchSpec) -> Job:
        """Raises Unsupported for what this build, or the tool, does not have."""
        return command.job(self.able, work)

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult:
        """The exit status first: a result above a failure is no result."""
        text = _text(raw.stdout) + "\n" + _text(raw.stderr)
        launches = read_output(text)
        printed = launches[-1].result if launches else LaunchResult(status="incomplete")
        if error := _error(work, raw, printed):
            refused = _refused(work.delegate, text)
            return in_short(LaunchResult(status="failed", delegation=refused, error=error))
        if work.profile:
            return _profiled(work, raw)
        measured = printed.measurement.model_copy(update=_steady(work.measure, printed.measurement, raw))
        return LaunchResult(
            status="ok",
            measurement=measured.model_copy(update={"model_mb": work.variant.size_mb}),
            delegation=_delegation(work.delegate, _nodes(_text(raw.answers.get(command.PLACED, b"")))),
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _error(work: LaunchSpec, raw: JobOutput, printed: LaunchResult) -> str | None:
    """Why there is no result; None = there is one."""
    said = printed.error or _last_words(_text(raw.stdout), _text(raw.stderr))
    if raw.late:
        return f"killed after {work.measure.timeout_seconds:g} s: {said}"
    if raw.exit_code:
        return f"{how_it_ended(raw.exit_code)}: {said}"
    return None if printed.status == "ok" else f"no result in the output: {said}"


def _last_words(stdout: str, stderr: str) -> str:
    """The line that tells of a failure, else the last one of stderr, else of stdout."""
    refused = is_help(stdout)
    streams = (stderr, "" if refused else stdout)
    lines = (message_in(line)[:300] for stream in streams for line in reversed(stream.splitlines()))
    last = next((line for line in lines if line), None)
    nothing = "it printed its help, as it does where it does not take an option" if refused else "it said nothing"
    return failure_in(f"{streams[1]}\n{stderr}") or last or nothing


def _refused(delegate: Backend, text: str) -> Delegation:
    """Of a launch that failed: a provider that is not in this build is unavailable."""
    line = left_out_line(text)
    return Delegation(asked=delegate.kind, verdict="unavailable" if line else "unknown", evidence=line)


def _steady(measure: MeasurementSettings, printed: Measurement, raw: JobOutput) -> dict[str, object]:
    """What the times of all inferences say, in order; the tool's own words where they did not come back."""
    words = _text(raw.answers.get(command.TIMES, b"")).split(",")
    times = [seconds * 1e6 for word in words if (seconds := number(word)) is not None]
    told: dict[str, object] = {"runs_asked": measure.runs, "warmup_runs": 1}
    if not times:
        return told | {"warnings": ("the times of the inferences did not come back: the warm-up is one inference",)}
    first = printed.timings.first
    warmup = _warmup(measure, first or 0.0, times)
    steady = times[warmup:]
    before = [*([] if first is None else [first]), *times[:warmup]]
    known = {"init": printed.timings.init, "first": first, "warmup_mean": float(np.mean(before)) if before else None}
    timings = steady_timings(np.array(steady)).model_copy(update=known)
    few = f"{len(steady)} of {measure.runs} inferences: {PERF_TEST} goes by time or by number, and not by both"
    warnings = (few,) if len(steady) < measure.runs else ()
    return told | {"timings": timings, "runs": len(steady), "warmup_runs": 1 + warmup, "warnings": warnings}


def _warmup(measure: MeasurementSettings, first_us: float, times_us: Sequence[float]) -> int:
    """How many of the timed inferences are warm-up still, after the tool's own first one; one is left in any case."""
    count, spent_us = 0, first_us
    while count < len(times_us) - 1 and (
        count + 1 < measure.warmup_runs or spent_us < measure.warmup_min_seconds * 1e6
    ):
        spent_us += times_us[count]
        count += 1
    return count


def _nodes(placed: str) -> set[tuple[str, str]]:
    """The provider and the name of each node that ran."""
    return {(provider, name) for provider, _, name in (line.partition(" ") for line in placed.splitlines()) if name}


def _delegation(delegate: Backend, nodes: set[tuple[str, str]]) -> Delegation:
    if not isinstance(delegate, OnnxBackend):
        return Delegation(asked=delegate.kind)
    counts = Counter(provider for provider, _ in nodes)
    ran = ", ".join(f"{count} nodes ran by {provider}" for provider, count in counts.most_common())
    if not delegate.is_delegate:
        said = ran or "no provider was asked for beside ONNX Runtime's own kernels"
        return Delegation(asked=delegate.kind, verdict="full", evidence=said)
    if not nodes:
        said = "the launch that was to tell who runs each node left no profile"
        return Delegation(asked=delegate.kind, evidence=said, fallback=CPU)
    found = delegation_of(counts, kind_of(delegate.provider_name), ran, partitions_of(nodes))
    return found.model_copy(update={"asked": delegate.kind})


def _unpacked(file: bytes) -> str:
    """The text of a file that may be compressed; "" where it was cut."""
    try:
        return _text(gzip.decompress(file) if file.startswith(GZIP) else file)
    except (OSError, EOFError):
        return ""


def _profiled(work: LaunchSpec, raw: JobOutput) -> LaunchResult:
    """What the file of the profiler says; its times are slowed, and none of them counts as latency."""
    delegate, measure = work.delegate, work.measure
    provider = delegate.provider_name if isinstance(delegate, OnnxBackend) and delegate.is_delegate else None
    events = events_of(_unpacked(raw.answers.get(command.PROFILE, b"")))
    if not (nodes := nodes_of(events)):
        return LaunchResult(status="failed", delegation=Delegation(asked=delegate.kind), error="no profile came back")
    runs = command.profiled_runs(measure)
    measured = Measurement(
        runs=runs,
        warmup_runs=measure.warmup_runs,
        threads=work.threads,
        model_mb=work.variant.size_mb,
        profile=profile_of(node_times(events, runs, provider, delegate.kind)),
        tool=PERF_TEST,
    )
    return LaunchResult(status="ok", measurement=measured, delegation=_delegation(delegate, nodes))
