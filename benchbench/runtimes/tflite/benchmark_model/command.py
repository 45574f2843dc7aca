"""A trial as the tool's command line: everything that affects a number is said explicitly."""

from __future__ import annotations

from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.benchmark_model.capabilities import Capabilities, flag_name
from benchbench.runtimes.tool import Feed, LaunchSpec
from benchbench.values.backend import Backend
from benchbench.values.errors import Unsupported
from benchbench.values.job import Job

NO_PROFILE = "use a build that knows --enable_op_profiling, or set profile = false"
RESULT, RUNTIME_INFO, PROFILE = "result.pb", "runtime_info.pb", "profile.pb"


def job(generation: Capabilities, work: LaunchSpec) -> Job:
    """The process to run; raises Unsupported for a delegate or a flag that this build does not have."""
    asked = (*_delegate(generation, work), *_cache(generation, work))
    required = (*_measuring(work), *asked, *_feeds(work.feeds or _described(work)))
    if work.variant.signature is not None:
        required = (*required, f"--signature_to_run_for={work.variant.signature.key}")
    if work.raw_outputs is not None:
        required = (*required, f"--output_filepath={work.raw_outputs}")
    generation.refuse_unknown(required)
    optional = tuple(flag for flag in _files(generation, work) if flag_name(flag) in generation.flags)
    pinned = ("taskset", work.affinity_mask.removeprefix("0x")) if work.affinity_mask else ()
    return Job(
        argv=(*pinned, work.tool, *required, *optional),
        timeout_s=work.measure.timeout_seconds,
        answers=(RESULT, RUNTIME_INFO, *((PROFILE,) if work.profile else ())),
        outputs=(work.raw_outputs,) if work.raw_outputs is not None else (),
    )


def _measuring(work: LaunchSpec) -> tuple[str, ...]:
    measure = work.measure
    return (
        f"--graph={work.model}",
        f"--num_threads={work.threads}",
        f"--num_runs={measure.runs}",
        f"--min_secs={measure.min_seconds:g}",
        f"--max_secs={measure.max_seconds:g}",
        f"--warmup_runs={measure.warmup_runs}",
        f"--warmup_min_secs={measure.warmup_min_seconds:g}",
    )


def _delegate(generation: Capabilities, work: LaunchSpec) -> tuple[str, ...]:
    flags = needed_flags(generation, work.delegate, work.library)
    if flags is None:
        other = "litert" if generation.name == "tflite" else "tflite"
        raise Unsupported(
            no_way(generation, work.delegate),
            remedy=f'use the {other} generation of the tool, or runner = "python"',
        )
    return flags


def _cache(generation: Capabilities, work: LaunchSpec) -> tuple[str, ...]:
    if work.cache is None:
        return ()
    flags = cache_flags(generation, work.delegate, work.cache, work.variant.sha256[:16])
    if flags is None:
        raise Unsupported(no_cache(generation, work.delegate), remedy="leave `cache` out, or use another tool")
    return flags


def cache_flags(generation: Capabilities, delegate: Backend, folder: str, key: str) -> tuple[str, ...] | None:
    """All that makes this generation keep what a delegate compiles; None = it cannot."""
    if not isinstance(delegate, TfliteBackend):
        return None
    if generation.name == "tflite":
        return delegate.tflite_cache_flags(folder, key)
    return delegate.litert_cache_flags(folder, key)


def no_cache(generation: Capabilities, delegate: Backend) -> str:
    return f"this benchmark_model ({generation.name}) has no cache for {delegate.kind}"


def delegate_flags(generation: Capabilities, delegate: Backend, library: str | None) -> tuple[str, ...] | None:
    """All that asks this generation for a delegate; None = it has no such delegate."""
    if not isinstance(delegate, TfliteBackend):
        return None
    return delegate.tflite_flags(library) if generation.name == "tflite" else delegate.litert_flags(library)


def needed_flags(generation: Capabilities, delegate: Backend, library: str | None) -> tuple[str, ...] | None:
    """The same without what this build does anyway and knows no flag for."""
    flags = delegate_flags(generation, delegate, library)
    if flags is None or not isinstance(delegate, TfliteBackend):
        return None
    return generation.needed(flags, delegate.default_flags)


def no_way(generation: Capabilities, delegate: Backend) -> str:
    return f"this benchmark_model ({generation.name}) has no way to run {delegate.label}"


def _described(work: LaunchSpec) -> tuple[Feed, ...]:
    """Random values in the shapes and ranges that the matrix gives for a model's inputs."""
    return tuple(Feed(spec.shape, low_high=spec.range) for spec in work.variant.inputs)


def _feeds(feeds: tuple[Feed, ...]) -> tuple[str, ...]:
    """Inputs by position: the tool takes any names (and says so), and real ones may hold its separators."""
    if not feeds:
        return ()
    names = [f"input{position}" for position in range(len(feeds))]
    shapes = ":".join(",".join(str(size) for size in feed.shape) for feed in feeds)
    flags = [f"--input_layer={','.join(names)}", f"--input_layer_shape={shapes}"]
    ranges = [f"{n},{f.low_high[0]},{f.low_high[1]}" for n, f in zip(names, feeds, strict=True) if f.low_high]
    files = [f"{n}:{f.file}" for n, f in zip(names, feeds, strict=True) if f.file]
    flags += [f"--input_layer_value_range={':'.join(ranges)}"] if ranges else []
    flags += [f"--input_layer_value_files={','.join(files)}"] if files else []
    return tuple(flags)


def _files(generation: Capabilities, work: LaunchSpec) -> tuple[str, ...]:
    """What newer builds can write, and older ones do without."""
    flags = [f"--result_file_path={RESULT}"]
    flags += ["--report_peak_memory_footprint=true"] if work.raw_outputs is None else []
    flags += ["--export_model_runtime_info=true", f"--model_runtime_info_output_file={RUNTIME_INFO}"]
    if work.profile:
        if not {"enable_op_profiling", "use_profiler"} & generation.flags:
            raise Unsupported(f"this benchmark_model ({generation.name}) makes no op profiles", remedy=NO_PROFILE)
        flags += ["--enable_op_profiling=true", "--use_profiler=true"]
        if {"op_profiling_output_mode", "op_profiling_output_file"} <= generation.flags:
            flags += ["--op_profiling_output_mode=proto", f"--op_profiling_output_file={PROFILE}"]
    return tuple(flags)
