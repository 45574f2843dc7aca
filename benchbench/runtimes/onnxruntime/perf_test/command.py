"""A launch as a command of the device's shell: everything that affects a number is said explicitly.

The shell brings into small files what the tool leaves: the time of every inference, which its result file has, and who
ran each node. Only the tool's profiler tells that, on every system (a phone's log goes elsewhere), and it slows: so a
process of its own looks, with the same options and just before the timed one, wherever a provider was asked for.
"""

from __future__ import annotations

import math
import shlex

from benchbench.runtimes.onnxruntime.backends import OnnxBackend
from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST as TOOL
from benchbench.runtimes.onnxruntime.model.dimensions import dimensions_of, gives_size_without_name
from benchbench.runtimes.onnxruntime.perf_test.capabilities import Capabilities
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.backend import Backend
from benchbench.values.errors import Unsupported
from benchbench.values.job import Job
from benchbench.values.measurement_settings import MeasurementSettings

TIMES, PLACED, PROFILE = "times.txt", "placed.txt", "profile"
PROFILED_RUNS = 10  # a profile has a few hundred bytes for each node of each run
# Small where the device has gzip, as Android does since 10.
_PROFILE = f"gzip -c profile_*.json > {PROFILE} 2>/dev/null || cat profile_*.json > {PROFILE} 2>/dev/null"
# Of the result file, lines of "name,seconds,bytes,percent,number", one time after the other.
_TIMES = f"sed -n 's/^.*,\\([0-9.e+-]*\\),[^,]*,[^,]*,[0-9]*$/\\1, /p' result.csv 2>/dev/null | tr -d '\\n' > {TIMES}"
# Of a profile, one line an event: the provider and the name of each node that ran.
_PLACED = (
    'sed -n \'s/^.*"name" *: *"\\([^"]*\\)_kernel_time".*"provider" *: *"\\([A-Za-z0-9]*\\)".*$/\\2 \\1/p\' '
    f"look_*.json 2>/dev/null | sort -u > {PLACED}"
)
REMEDY = 'leave that out, or use runner = "python" where the device has one'


def job(able: Capabilities, work: LaunchSpec) -> Job:
    """The process to run; raises Unsupported for what the tool, or this build of it, does not have."""
    if reason := unsupported_reason(able, work):
        raise Unsupported(reason, remedy=REMEDY)
    common = shlex.join((work.tool, *_options(work)))
    model = shlex.quote(work.model)
    if work.profile:
        runs = profiled_runs(work.measure) + work.measure.warmup_runs - 1
        lines = [f"{common} -m times -r {runs} -p profile {model}", "code=$?", _PROFILE]
    else:
        looked = [f"{common} -m times -r 1 -p look {model} > look.txt 2>&1", _PLACED]
        timed = f"{common} {shlex.join(_how_long(work.measure))} -s {model} result.csv"
        lines = [*(looked if work.delegate.is_delegate else []), timed, "code=$?", _TIMES]
    pinned = ("taskset", work.affinity_mask.removeprefix("0x")) if work.affinity_mask else ()
    return Job(
        argv=(*pinned, "sh", "-c", "\n".join([*lines, "exit $code"])),
        timeout_s=work.measure.timeout_seconds,
        answers=(PROFILE,) if work.profile else (TIMES, PLACED),
    )


def profiled_runs(measure: MeasurementSettings) -> int:
    """How many inferences a profile is of, beside the warm-up."""
    return min(measure.runs, PROFILED_RUNS)


def by_number(measure: MeasurementSettings) -> bool:
    """Whether inferences are counted: the tool goes by their number or by time, and not by both."""
    return not measure.min_seconds and not measure.warmup_min_seconds


def _how_long(measure: MeasurementSettings) -> tuple[str, ...]:
    """With what is left of the warm-up: the tool itself makes one inference before, and no more."""
    if by_number(measure):
        return ("-m", "times", "-r", str(measure.runs + measure.warmup_runs - 1))
    seconds = min(measure.min_seconds + measure.warmup_min_seconds, measure.max_seconds)
    return ("-m", "duration", "-t", str(math.ceil(seconds)))


def _options(work: LaunchSpec) -> tuple[str, ...]:
    """Made-up inputs that are the same in every launch, the session, and the sizes of symbolic dimensions.

    Raises Unsupported where the matrix gives one of those two sizes.
    """
    sizes = [word for name, size in dimensions_of(work.variant).items() for word in ("-f", f"{name}:{size}")]
    return ("-I", "-S", str(work.measure.input_seed), *_flags(work.delegate, work.threads), *sizes)


def _flags(delegate: Backend, threads: int) -> tuple[str, ...]:
    return delegate.perf_test_flags(threads) if isinstance(delegate, OnnxBackend) else ()


def unsupported_reason(able: Capabilities, work: LaunchSpec) -> str | None:
    """Why this build cannot make such a launch; None = it can."""
    if reason := cannot_run(able, work.delegate):
        return reason
    if missing := able.unknown(_options(work)):
        return missing
    obstacles = {
        "keeps nothing that a provider compiles": work.cache is not None,
        "is not given a plug-in's library": work.library is not None,
        "finds no weights that lie beside a model": bool(work.data),
        "makes inputs up by itself, and not within a range": any(spec.range for spec in work.variant.inputs),
        "takes 1 for every open size that has no name": gives_size_without_name(work.variant),
    }
    return next((f"{TOOL} {what}" for what, there in obstacles.items() if there), None)


def cannot_run(able: Capabilities, delegate: Backend) -> str | None:
    """Why no launch of this build has such a provider; None = it may."""
    if not isinstance(delegate, OnnxBackend):
        return f"{TOOL} has no way to run {delegate.label}"
    return able.lacks(delegate.perf_test_name) or delegate.perf_test_obstacle()
