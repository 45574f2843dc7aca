"""The native runner: a trial as a command line, and its output as a reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from benchbench.runtimes.tflite.backends import UNASKED
from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.benchmark_model import command
from benchbench.runtimes.tflite.benchmark_model.capabilities import Capabilities
from benchbench.runtimes.tflite.benchmark_model.launch import Launch
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch
from benchbench.runtimes.tflite.benchmark_model.log_patterns import HARMLESS, SIGNALLED
from benchbench.runtimes.tflite.benchmark_model.log_prefixes import strip, to_lines, to_text
from benchbench.runtimes.tflite.benchmark_model.result_files import (
    ResultFile,
    RuntimeInfo,
    read_profile,
    read_result,
    read_runtime_info,
)
from benchbench.runtimes.tflite.model.node_work import with_work
from benchbench.runtimes.tool import LaunchSpec, Runner
from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind
from benchbench.values.job import Job, JobOutput
from benchbench.values.outcome import CacheLine, Delegation, LaunchResult, Timings, Verdict
from benchbench.values.process_end import how_it_ended

_File = TypeVar("_File")
GIVEN_UP = 1  # the exit status with which the tool gives up, after telling why
FEEDING = ("input_layer", "input_layer_shape", "input_layer_value_files", "output_filepath")


@dataclass(frozen=True, slots=True)
class BenchmarkModelRunner(Runner):
    """benchmark_model of the generation that was found; `LaunchSpec.tool` is the binary's path on the device."""

    generation: Capabilities
    kind: RunnerKind = "benchmark_model"
    evaluates: bool = False

    @property
    def outputs_remedy(self) -> str:
        return 'the python runner evaluates such models; for benchmark_model the "tflite" generation is needed'

    def no_outputs_reason(self) -> str | None:
        missing = [flag for flag in FEEDING if flag not in self.generation.flags]
        told = f"this benchmark_model ({self.generation.name}) cannot take inputs from files and give outputs back"
        return f"{told}: no --{missing[0]}" if missing else None

    def job(self, work: LaunchSpec) -> Job:
        """Raises ToolError for a delegate or a flag that this build does not have."""
        return command.job(self.generation, work)

    def unsupported_reason(self, delegate: Backend) -> str | None:
        """Why this build cannot run a delegate at all: its flags are unknown to it, or it was made without it."""
        flags = command.needed_flags(self.generation, delegate, delegate.library)
        if flags is None or not isinstance(delegate, TfliteBackend):
            return command.no_way(self.generation, delegate)
        if delegate.caching in {"cold", "warm"}:
            kept = command.cache_flags(self.generation, delegate, "", "")
            if kept is None:
                return command.no_cache(self.generation, delegate)
            flags = (*flags, *kept)
        if reason := self.generation.unknown(flags):
            return reason
        mark = delegate.tflite_build_flag if self.generation.name == "tflite" else None
        if mark and mark not in self.generation.flags:
            return f"this benchmark_model was built without {delegate.label}: it does not know --{mark}"
        return None

    def read(self, work: LaunchSpec, raw: JobOutput) -> LaunchResult:
        """The exit status first: a result above a failure is no result. Files are preferred over text."""
        asked = command.delegate_flags(self.generation, work.delegate, work.library) or ()
        launch = read_launch(raw.stdout + b"\n" + raw.stderr, asked)
        result = _file(raw.answers, command.RESULT, read_result)
        info = _file(raw.answers, command.RUNTIME_INFO, read_runtime_info)
        profile = _file(raw.answers, command.PROFILE, read_profile)
        update = {
            "delegation": delegation(work, launch.delegation, info),
            "profile": profile or launch.profile,
            "runs_asked": work.measure.runs,
            "threads": work.threads,
            "generation": self.generation.name,
            **(_of_file(launch, result) if result and raw.exit_code == 0 else {}),
        }
        launch = launch.model_copy(update=update)
        status, error = judge(work, raw, launch)
        reading = launch.model_copy(update={"status": status, "error": error}).reading
        return reading.model_copy(update={"cache": _cache_line(work, raw)})


def _cache_line(work: LaunchSpec, raw: JobOutput) -> CacheLine | None:
    if work.cache is None or not isinstance(work.delegate, TfliteBackend):
        return None
    return work.delegate.cache_lines.find(to_text(raw.stdout) + "\n" + to_text(raw.stderr))


def judge(work: LaunchSpec, raw: JobOutput, launch: Launch) -> tuple[str, str | None]:
    """ok only for a process that ended well, with a steady mean, having taken every flag."""
    said = _telling_line(raw, launch)
    if raw.late:
        return "failed", f"killed after {work.measure.timeout_seconds:g} s: {said}"
    if raw.exit_code != 0:
        return (
            "failed",
            said if raw.exit_code == GIVEN_UP and launch.error else f"{how_it_ended(raw.exit_code)}: {said}",
        )
    if launch.unconsumed:
        return "failed", f"the tool did not take {' '.join(launch.unconsumed)}"
    if launch.status == "failed":
        return "failed", launch.error
    if launch.runs == 0:
        return "failed", "no inference was run"
    if launch.timings.mean is None:
        return "failed", f"no result in the output: {said}"
    return "ok", None


def _telling_line(raw: JobOutput, launch: Launch) -> str:
    """An error that the tool told, else how far it came: its own last line, which tells more than the runtime's log."""
    if launch.error and not SIGNALLED.search(launch.error):
        return launch.error
    printed, logged = (
        [line.strip() for line in to_lines(to_text(stream)) if line.strip()] for stream in (raw.stdout, raw.stderr)
    )
    errors = [line for line in (*printed, *logged) if strip(line).severity in {"E", "F"} and not HARMLESS.search(line)]
    return next((lines[-1][:300] for lines in (errors, printed, logged) if lines), launch.error or "it said nothing")


def _file(answers: Mapping[str, bytes], name: str, read: Callable[[bytes], _File]) -> _File | None:
    """What a file says; a file that is missing or was cut says nothing, and the text stands."""
    try:
        return read(answers[name]) if answers.get(name) else None
    except ValueError:
        return None


def _of_file(launch: Launch, result: ResultFile) -> dict[str, object]:
    """The file's means have more digits; the text's whole microseconds are exact where float32 ends at 16 s."""
    exact = {name: value for name, value in launch.timings.model_dump().items() if value not in {None, ()}}
    exact = {name: value for name, value in exact.items() if name not in {"mean", "warmup_mean"}}
    return {
        "timings": Timings.model_validate({**result.timings.model_dump(), **exact}),
        "memory": result.memory,
        "model_mb": result.model_mb or launch.model_mb,
        "runs": result.runs if result.runs is not None else launch.runs,
        "warmup_runs": result.warmup_runs if result.warmup_runs is not None else launch.warmup_runs,
    }


def delegation(work: LaunchSpec, told: Delegation, info: RuntimeInfo | None) -> Delegation:
    """The verdict on the delegate of this trial: by the nodes where the tool wrote them down, else by its words."""
    if not work.delegate.is_delegate:
        told = _without_delegate(told)
    if info is not None:
        told = _by_nodes(work.delegate, told, info)
        told = with_work(told, work.variant, info.nodes_of(work.delegate.kind))
    return told.model_copy(update={"asked": work.delegate.kind, "fallback": told.fallback or work.delegate.fallback})


def _without_delegate(told: Delegation) -> Delegation:
    """XNNPACK was switched off: any word of it is against us."""
    taken = told.asked == UNASKED
    return Delegation(
        verdict="none" if taken else "full",
        evidence=told.evidence or "XNNPACK was applied" if taken else "no delegate was created or applied",
        fallback=UNASKED if taken else "cpu",
    )


def _by_nodes(delegate: Backend, told: Delegation, info: RuntimeInfo) -> Delegation:
    if not delegate.is_delegate:
        anyone = sum(len(part.nodes) for part in info.partitions)
        verdict: Verdict = "none" if anyone else "full"
        evidence = f"runtime info: {anyone} of {info.nodes} nodes in a delegate"
        return told.model_copy(update={"verdict": verdict, "evidence": evidence, "nodes_total": info.nodes})
    nodes, partitions = info.taken_by(delegate.kind)
    verdict = "full" if nodes == info.nodes and nodes else "partial" if nodes else "none"
    if verdict == "none" and told.verdict == "unavailable":
        verdict = "unavailable"
    agreed = told.evidence if told.verdict == verdict else None
    return told.model_copy(
        update={
            "verdict": verdict,
            "evidence": agreed or f"runtime info: {nodes} of {info.nodes} nodes in the {delegate.kind} delegate",
            "nodes_delegated": nodes,
            "nodes_total": info.nodes,
            "partitions": partitions,
        }
    )
