"""By how much profiling slows inferences: `python -m tests.profile_cost MODEL…`, .tflite on XNNPACK, .onnx on MLAS.

One thread; a profiled inference and a plain one in turn, in one process, so that both have the same machine. The ratio
is that of their medians, over all turns.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchbench.device_script.onnxruntime.delegates import OnnxRuntimeDelegate
from benchbench.device_script.onnxruntime.session import OnnxEngine
from benchbench.device_script.protocol import Request
from benchbench.device_script.tensors import random_inputs
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.device_script.tflite.interpreter import InterpreterEngine
from benchbench.device_script.tflite.profiler import ProfiledModel
from benchbench.device_script.tflite.runtime import Runtime

TURNS, LEAST_SECONDS = 200, 5.0
Step = Callable[[], object]


def steps_of(model: str) -> tuple[Step, Step]:
    """A plain and a profiled inference."""
    if model.endswith(".onnx"):
        asked = Request(model, "ort-cpu", OnnxRuntimeDelegate())
        return ready(OnnxEngine(asked, OnnxRuntimeDelegate())), ready(
            OnnxEngine(replace(asked, profile=True), OnnxRuntimeDelegate())
        )
    delegate = InterpreterDelegate(xnnpack=True)
    engine = InterpreterEngine(Runtime(), Request(model, "xnnpack", delegate), delegate)
    plain = ready(engine)
    profiled = ProfiledModel(engine.runtime.folder, model, 1, xnnpack=True)
    profiled.feed(random_inputs(engine.inputs, 0, None))
    return plain, partial(watched, profiled)


def watched(model: ProfiledModel) -> None:
    """One inference with the profiler on, without the reading of what it saw."""
    for name in ("ResetProfiler", "StartProfiler"):
        model._call(name, model.profiler)
    model.run()
    model._call("StopProfiler", model.profiler)


def ready(engine: OnnxEngine | InterpreterEngine) -> Step:
    for _, step in engine.steps():
        step()
    engine.feed(random_inputs(engine.inputs, 0, None))
    return engine.step


def took(step: Step) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def ratio_of(plain: Step, profiled: Step) -> tuple[float, float]:
    """The plain time in seconds, and the profiled one by it."""
    for _ in range(10):
        plain(), profiled()
    times: tuple[list[float], list[float]] = [], []
    until = time.monotonic() + LEAST_SECONDS
    while len(times[0]) < TURNS or time.monotonic() < until:
        for step, seen in zip((plain, profiled), times, strict=True):
            seen.append(took(step))
    medians = [statistics.median(seen) for seen in times]
    return medians[0], medians[1] / medians[0]


def main(models: Sequence[str]) -> int:
    for model in [str(Path(given).resolve()) for given in models]:
        with tempfile.TemporaryDirectory(prefix="benchbench-") as folder:
            os.chdir(folder)
            plain, ratio = ratio_of(*steps_of(model))
        sys.stdout.write(f"{Path(model).name}: {1000 * plain:.3f} ms, profiled {ratio:.3f} times as long\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
