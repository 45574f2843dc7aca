"""The tool from its first line to its last."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from . import clocked, delegation, files, flags, inputs
from .flags import Failed, Values, error, info, number
from .loop import Measured, Peak, loop, memory_kb, report


def check_model(path: str) -> None:
    problems = []
    if not Path(path).is_file():
        problems = [f"Could not open '{path}'.", "The model allocation is null/empty"]
    elif Path(path).stat().st_size == 0:
        problems = ["mmap of size 0 requested.", "The model allocation is null/empty"]
    elif Path(path).read_bytes()[4:8] != b"TFL3":
        problems = ["The model is not a valid Flatbuffer buffer"]
    if problems:
        raise Failed(*problems, f"Failed to load model {path}")
    info(f"Loaded model {path}")


def command_line(argv: list[str]) -> tuple[Values, list[str]]:
    info("STARTING!")
    values, given, rest = flags.parse(argv)
    if rest:
        info(f"Unconsumed cmdline flags: {' '.join(rest)}", "WARN")
    if values["help"]:
        flags.usage(argv[0])
        raise Failed
    if values["num_threads"] < -1:
        problem = "num_threads should be >= 0 or just -1 to let TFLite runtime set the value."
        raise Failed(problem, "Failed to set thread number")
    if not values["graph"]:
        raise Failed("Please specify the name of your TF Lite input file with --graph")
    flags.echo(values, given)
    return values, given


def benchmark(argv: list[str]) -> None:
    values, given = command_line(argv)
    check_model(values["graph"])
    if clock := os.environ.get("STANDIN_CLOCK"):
        clocked.benchmark(values, given, clock)
        return
    import ai_edge_litert.interpreter  # noqa: F401  here, so that the memory it takes is not the model's
    import numpy.random  # noqa: F401  as above

    memory_start, start = memory_kb("VmHWM"), time.perf_counter_ns()
    if values["xnnpack_weight_cache_file_path"]:
        files.keep_weights(values["xnnpack_weight_cache_file_path"], values["graph"])
    delegates = delegation.create(values, given)
    interpreter, external = delegation.make(values, given, delegates)
    inputs.resize(interpreter, values)
    delegation.allocate(interpreter, bool(external))
    init_us = (time.perf_counter_ns() - start) // 1000
    found = delegation.coverage(interpreter)
    delegation.say_all_applied(delegates, found, external)
    full = bool(delegates) and len(found.partitions) == 1 and len(found.taken()) == len(found.nodes)
    if values["require_full_delegation"] and not full:
        raise Failed("Disallowed CPU fallback detected.")
    model_mb = Path(values["graph"]).stat().st_size / 1e6
    info(f"The input model file size (MB): {number(model_mb)}")
    info(f"Initialized session in {number(init_us / 1000)}ms.")
    init_kb = memory_kb("VmHWM") - memory_start
    if values["export_model_runtime_info"] and values["model_runtime_info_output_file"]:
        files.write_runtime_info(values["model_runtime_info_output_file"], found, external)
    inputs.feed(interpreter, values)
    peak = Peak(values["memory_footprint_check_interval_ms"]) if values["report_peak_memory_footprint"] else None
    warmup = loop(interpreter, values["warmup_runs"], values["warmup_min_secs"], values)
    times = loop(interpreter, values["num_runs"], values["min_secs"], values)
    overall_kb = memory_kb("VmHWM") - memory_start
    run = Measured(init_us, warmup, times, (init_kb, overall_kb), peak.stop_mb() if peak else 0.0, model_mb)
    report(run)
    if values["enable_op_profiling"] and times:
        files.write_profile(values, "TfLiteXNNPackDelegate" if full and not external else "Invoke", times)
    if values["result_file_path"] and times:
        files.write_result(values["result_file_path"], run)
    if values["output_filepath"]:
        files.write_outputs(values["output_filepath"], interpreter)


def main() -> None:
    try:
        benchmark(sys.argv)
    except Failed as reason:
        for line in reason.args:
            if line.strip():
                error(line)
        error("Benchmarking failed.")
        sys.exit(1)
