"""The python runner: our one-file script over whichever TFLite runtime the device's Python has."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.script.answer import Answer
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind
from benchbench.values.errors import Unsupported
from benchbench.values.job import Job, JobOutput
from benchbench.values.outcome import Delegation, LaunchResult, Measurement, Memory, OpTime, Profile, Timings
from benchbench.values.process_end import how_it_ended

REQUEST, ANSWER, STAGE, NATIVE_LOG, OUTPUTS = "request.json", "answer.json", "stage.txt", "native.log", "outputs.npz"
PERCENTILES = "linear (numpy); std over n"
DIFFERS = 0.05  # relative L2 error of an output from which on a launch warns


def script_path() -> Path:
    """The script that travels, on this host."""
    return Path(__file__).parents[3] / "device_script" / "on_device.py"


@dataclass(frozen=True, slots=True)
class Probe:
    """What an interpreter on a device is; `runtime` None = no TFLite runtime can be imported there."""

    python: str
    executable: str
    runtime: str | None
    accelerators: tuple[str, ...]
    evidence: dict[str, str]


def probe_argv(python: str, script: str) -> tuple[str, ...]:
    """The command that prints one line about an interpreter on a device."""
    return (python, script, "--probe")


def read_probe(text: str) -> Probe | None:
    """Read that line; None when the interpreter could not run the script (no numpy, too old)."""
    for line in reversed(text.splitlines()):
        try:
            said = json.loads(line)
            return Probe(
                python=str(said["python"]),
                executable=str(said["executable"]),
                runtime=None if said["runtime"] is None else str(said["runtime"]),
                accelerators=tuple(str(name) for name in said["accelerators"]),
                evidence={str(name): str(why) for name, why in said["evidence"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return None


@dataclass(frozen=True, slots=True)
class PythonRunner:
    """Builds the request of a launch and reads its answer; `Work.tool` is the script's path on the device."""

    kind: RunnerKind = "python"
    evaluates: bool = True

    def no_outputs_reason(self) -> str | None:
        return None

    def unsupported_reason(self, delegate: Backend) -> str | None:
        """Why the script has no such delegate; what its interpreter can do is among the device's traits."""
        return None if _delegate_request(delegate, delegate.library) is not None else _no_way(delegate)

    def job(self, work: LaunchSpec) -> Job:
        request = json.dumps(_request(work), indent=1).encode()
        pinned = ("taskset", work.affinity_mask) if work.affinity_mask else ()
        return Job(
            argv=(*pinned, work.python or "python3", work.tool, REQUEST, ANSWER),
            timeout_s=work.measure.timeout_seconds,
            files={REQUEST: request},
            answers=(ANSWER, STAGE, NATIVE_LOG),
            outputs=(OUTPUTS,) if work.evaluation else (),
        )

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult:
        asked = work.delegate.kind
        said = raw.answers.get(ANSWER)
        if said is None:
            return LaunchResult(status="failed", delegation=Delegation(asked=asked), error=_died(work, raw))
        try:
            answer = Answer.model_validate_json(said)
        except ValidationError as error:
            what = error.errors()[0]
            place = ".".join(str(part) for part in what["loc"]) or "the whole"
            return LaunchResult(
                status="failed",
                delegation=Delegation(asked=asked),
                error=f"{ANSWER} is not what the script writes: {place}: {what['msg']}",
            )
        return _reading(work, raw, answer)


def _request(work: LaunchSpec) -> dict[str, Any]:
    measure, evaluation = work.measure, work.evaluation
    delegate = _delegate_request(work.delegate, work.library)
    if delegate is None:
        raise Unsupported(_no_way(work.delegate))
    return {
        "model": work.model,
        "asked": work.delegate.kind,
        "delegate": delegate,
        "threads": work.threads,
        "runs": measure.runs,
        "min_seconds": measure.min_seconds,
        "max_seconds": measure.max_seconds,
        "warmup_runs": measure.warmup_runs,
        "warmup_min_seconds": measure.warmup_min_seconds,
        "input_seed": measure.input_seed,
        "inputs": work.inputs,
        "signature": work.variant.signature and work.variant.signature.model_dump(mode="json"),
        "shapes": [list(spec.shape) for spec in work.variant.inputs],
        "ranges": [list(spec.range) if spec.range else None for spec in work.variant.inputs],
        "profile": work.profile,
        # The CPU is the reference itself; every other delegate is checked against it.
        "fidelity": work.delegate.processor != "cpu",
        "evaluate": None
        if evaluation is None
        else {
            "inputs": evaluation.samples,
            "outputs": OUTPUTS,
            "start": evaluation.start,
            "count": evaluation.count,
            "preprocess": asdict(evaluation.preprocess) if evaluation.preprocess else None,
            "at_most_seconds": evaluation.at_most_seconds,
            "whole": evaluation.whole,
            "state": evaluation.state,
        },
    }


def _delegate_request(delegate: Backend, library: str | None) -> dict[str, Any] | None:
    """What the script is told of a delegate; None for one that it does not have."""
    return delegate.request(library) if isinstance(delegate, TfliteBackend) else None


def _no_way(delegate: Backend) -> str:
    return f"the python runner has no way to run {delegate.label}"


def _reading(work: LaunchSpec, raw: JobOutput, answer: Answer) -> LaunchResult:
    took = answer.delegation
    delegation = Delegation(
        asked=work.delegate.kind,
        verdict=took.verdict,
        evidence=took.evidence,
        nodes_delegated=took.nodes_delegated,
        nodes_total=took.nodes_total,
        partitions=took.partitions,
        fallback=took.remainder or work.delegate.fallback,
    )
    measurement = _measurement(work, raw, answer)
    error = None
    if answer.error is not None and answer.error.type == "NotImplementedError":
        return LaunchResult(status="skipped", delegation=delegation, error=answer.error.message)
    if answer.status != "ok":
        error = answer.error.line if answer.error else "the script gave up without a reason"
        measurement = measurement.model_copy(update={"timings": Timings()})
    elif measurement.timings.mean is None and not work.profile:
        error = "the answer has no steady inference"
    return LaunchResult(status="failed" if error else "ok", measurement=measurement, delegation=delegation, error=error)


def _measurement(work: LaunchSpec, raw: JobOutput, answer: Answer) -> Measurement:
    return Measurement(
        timings=_timings(answer),
        runs_asked=None if work.evaluation or work.profile else work.measure.runs,
        runs=len(answer.steady_ns) or None,
        evaluated=answer.evaluated,
        warmup_runs=len(answer.warmup_ns) or None,
        threads=answer.threads,
        memory=Memory(**answer.memory.model_dump(exclude={"peak_since"})) if answer.memory else Memory(),
        model_mb=work.variant.size_mb,
        profile=_profile(answer),
        tool=f"{answer.runtime} {answer.api}" if answer.runtime else None,
        warnings=tuple(_warnings(work, raw, answer)),
        ops=answer.ops,
        cpus=answer.cpus,
        output_errors=answer.fidelity.relative_l2 if answer.fidelity else {},
    )


def _timings(answer: Answer) -> Timings:
    """Microseconds; initialisation is loading, the delegate and allocation, without importing the runtime."""
    phases = {name: ns for name, ns in answer.phases_ns.items() if name != "import"}
    init = sum(phases.values()) / 1e3 if "allocate" in phases else None
    if not answer.steady_ns or answer.first_ns is None:
        return Timings(init=init)
    steady = np.asarray(answer.steady_ns, dtype=np.float64) / 1e3
    p5, median, p95 = (float(value) for value in np.percentile(steady, [5, 50, 95]))
    return Timings(
        init=init,
        first=answer.first_ns / 1e3,
        warmup_mean=float(np.mean(answer.warmup_ns)) / 1e3,
        mean=float(steady.mean()),
        min=float(steady.min()),
        max=float(steady.max()),
        std=float(steady.std()),
        p5=p5,
        median=median,
        p95=p95,
        samples=tuple(float(value) for value in steady),
        percentile_method=PERCENTILES,
    )


def _profile(answer: Answer) -> Profile | None:
    if answer.profile is None:
        return None
    total = sum(row[2] for row in answer.profile) or 1.0
    by_op = tuple(
        OpTime(name=name, type=kind, mean_us=us, percent=100 * us / total, calls=calls, executor=executor)
        for name, kind, us, calls, executor in answer.profile
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


def _warnings(work: LaunchSpec, raw: JobOutput, answer: Answer) -> list[str]:
    said = []
    if answer.status == "ok" and raw.late:
        said.append("the process hung after its answer and was killed")
    elif answer.status == "ok" and raw.exit_code:
        said.append(f"the process {how_it_ended(raw.exit_code)} after its answer")
    if answer.memory and answer.memory.peak_since == "process start":
        said.append("rss_peak_mb counts from the start of the process: the kernel does not let it be reset")
    if isinstance(work.delegate, TfliteBackend):
        evidence = answer.delegation.evidence or ""
        said += [remark for words, remark in work.delegate.remarks if words in evidence]
    for name, error in (answer.fidelity.relative_l2 if answer.fidelity else {}).items():
        if error is None or error > DIFFERS:
            shown = "is not a number" if error is None else f"is {error:.2g}"
            said.append(f"output {name!r} is not the CPU's: its relative L2 error {shown}")
    if answer.fidelity and answer.fidelity.why:
        said.append(f"outputs were not checked: {answer.fidelity.why}")
    return said


def _died(work: LaunchSpec, raw: JobOutput) -> str:
    """Why there is no answer: the time limit, a signal, or an interpreter that could not run the script."""
    stage = raw.answers.get(STAGE, b"").decode("utf-8", "replace").strip() or "start"
    if raw.late:
        return f"killed at its time limit of {work.measure.timeout_seconds:g} s (stage: {stage})"
    tail = _telling_line(raw.answers.get(NATIVE_LOG, b"")) or _telling_line(raw.stderr) or _telling_line(raw.stdout)
    return f"{how_it_ended(raw.exit_code)} (stage: {stage})" + (f": {tail}" if tail else "")


def _telling_line(text: bytes) -> str:
    lines = [line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "F0", "Fatal", "Check failed")) or "rror:" in line]
    return (errors or lines or [""])[-1][:300]
