"""A stand-in of onnxruntime_perf_test for test devices: its options, its lines, its exit codes, real inference.

Written from the tool's source (onnxruntime/test/perftest, as of 1.20, when getopt read its options), and compared with
a genuine 1.21.0 built from Debian's source (`tests/runtimes/onnxruntime/test_perf_test_genuine.py`); no binary of it is
published. What is real: the model runs in the onnxruntime of its Python with the threads, optimisation and provider
asked for; times, profile and memory are those of that run. What is not: providers are those of that Python, and
STANDIN_PROVIDERS in its environment names some that are built in and take nothing, as NNAPI does where a driver is old.

`install` makes one executable file of it, which needs Python and onnxruntime: it travels to phones and boards.
"""

from __future__ import annotations

import getopt
import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

NAMES = {
    "cpu": "CPU",
    "cuda": "CUDA",
    "dnnl": "Dnnl",
    "tensorrt": "Tensorrt",
    "openvino": "OpenVINO",
    "nnapi": "Nnapi",
    "coreml": "CoreML",
    "qnn": "QNN",
    "xnnpack": "Xnnpack",
    "webgpu": "WebGpu",
}
# in that message; others are in upper case
SAID_AS = {"openvino": "OpenVINO", "xnnpack": "Xnnpack", "tensorrt": "TensorRT", "webgpu": "WebGPU"}
LEFT_OUT = (
    "/src/onnxruntime/test/perftest/ort_test_session.cc:400 onnxruntime::perftest::OnnxRuntimeTestSession::"
    "OnnxRuntimeTestSession(Ort::Env&, std::random_device&, const onnxruntime::perftest::PerformanceTestConfig&, "
    "const TestModelInfo&) {} is not supported in this build"
)
VALUES, SWITCHES = "mecrtpSxyfFouidCTRb", "MAIsvPqzDZnlgXh"
LEVELS = {"0": "DISABLE_ALL", "1": "ENABLE_BASIC", "2": "ENABLE_EXTENDED", "99": "ENABLE_ALL"}
NUMPY = {"float": "float32", "double": "float64", "bool": "bool"}
USAGE = f"""\
perf_test [options...] model_path [result_file]
Options:
\t-m [test_mode]: 'duration' or 'times'.
\t\tHow long, or how often.
\t-M: Disable memory pattern.
\t-A: Disable memory arena
\t-I: Generate tensor input binding (Free dimensions are treated as 1.)
\t-c [parallel runs]: Default:1.
\t-e [{"|".join(NAMES)}]: The provider {", ".join(f"'{name}'" for name in NAMES)}. Default:'cpu'.
\t-r [repeated_times]: Default:1000.
\t-t [seconds_to_run]: Default:600.
\t-p [profile_file]: The profile's name.
\t-s: Statistics, like P90.
\t-S: A seed for the same inputs. This defaults to -1(no initialize).
\t-v: Verbose.
\t-x [intra_op_num_threads]: 0 means ORT will pick a default.
\t-y [inter_op_num_threads]: 0 means ORT will pick a default.
\t-f [free_dimension_override]: Syntax is [dimension_name:override_value].
\t-P: Use parallel executor instead of sequential executor.
\t-o [optimization level]: Default is 99 (all). Valid values are 0 (disable), 1 (basic), 2 (extended), 99 (all).
\t-C: Session entries: -C "<key1>|<value1> <key2>|<value2>"
\t    [Example] -C "session.disable_cpu_ep_fallback|1"
\t-i: Options of the provider.
\t    [Usage]: -e <provider_name> -i '<key1>|<value1> <key2>|<value2>'
\t-h: help
"""


def install(target: Path, *, python: str = sys.executable) -> Path:
    """Write the tool to `target` as one executable file that `python` runs; returns `target`."""
    target.write_text(f"#!{python}\n{Path(__file__).read_text(encoding='utf-8')}", encoding="utf-8")
    target.chmod(0o755)
    return target


def main() -> None:
    """The tool from its first line to its last."""
    try:
        given, rest = getopt.gnu_getopt(sys.argv[1:], ":".join([*VALUES, ""]) + SWITCHES)
    except getopt.GetoptError:
        given, rest = [("-h", "")], []
    options = {name[1:]: value for name, value in given}
    sizes = [value for name, value in given if name == "-f"]
    asked = options.get("e", "cpu") in NAMES and options.get("o", "99") in LEVELS
    if "h" in options or not 1 <= len(rest) <= 2 or not asked:
        sys.stdout.write(USAGE)
        sys.exit(255)
    try:
        perf_test(options, sizes, *rest)
    except Exception as error:  # noqa: BLE001 - as the tool does
        give_up(str(error))


def give_up(why: str) -> NoReturn:
    """As an exception that reaches its main function does."""
    sys.stderr.write(f"{why}\n")
    sys.exit(255)


def perf_test(options: Mapping[str, str], sizes: Sequence[str], model: str, result_file: str = "") -> None:
    session, created_s = make_session(options, sizes, model)
    if "I" not in options:
        print(f"there is no test data for model {Path(model).parent.name}\nRun failed:failed to initialize.")
        sys.exit(255)
    feeds = {argument.name: made_up(argument, dict(parted(sizes, ":")), options) for argument in session.get_inputs()}
    first_s = run(session, feeds)
    by_number = options.get("m") == "times"
    times: list[float] = []
    while len(times) < int(options.get("r", 1000)) if by_number else sum(times, 0.0) < int(options.get("t", 600)):
        times.append(run(session, feeds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if "p" in options:
        session.end_profiling()
    print(
        f"Session creation time cost: {created_s:.6g} s\n"
        f"First inference time cost: {int(first_s * 1000)} ms\n"
        f"Total inference time cost: {sum(times):.6g} s\n"
        f"Total inference requests: {len(times)}\n"
        f"Average inference time cost: {sum(times) / len(times) * 1000:.6g} ms\n"
        f"Total inference run time: {sum(times):.6g} s\n"
        f"Number of inferences per second: {len(times) / sum(times):.6g} \n"
        f"Avg CPU usage: 50 %\n"
        f"Peak working set size: {peak} bytes"
    )
    tell(times, peak, Path(model).parent.name, result_file, statistics="s" in options or not result_file)


def make_session(options: Mapping[str, str], sizes: Sequence[str], model: str) -> tuple[Any, float]:
    """The session and the seconds that it took to make."""
    asked = options.get("e", "cpu")
    pretended = os.environ.get("STANDIN_PROVIDERS", "").split(",")
    full = f"{NAMES[asked]}ExecutionProvider"
    if asked not in {"cpu", "openvino", *pretended}:
        raise RuntimeError(LEFT_OUT.format(SAID_AS.get(asked, asked.upper())))
    import onnxruntime  # here: who asks for help or for a provider that is not there need not wait for it

    has = onnxruntime.get_available_providers()
    if asked not in pretended and full not in has:
        raise RuntimeError(LEFT_OUT.format(SAID_AS.get(asked, asked.upper())))
    said = onnxruntime.SessionOptions()
    said.intra_op_num_threads = int(options.get("x", 0))
    if said.intra_op_num_threads:
        print(f"Setting intra_op_num_threads to {said.intra_op_num_threads}")
    if "P" in options:
        said.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
        said.inter_op_num_threads = int(options.get("y", 0))
        print(f"Setting inter_op_num_threads to {said.inter_op_num_threads}")
    said.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_{LEVELS[options.get('o', '99')]}")
    said.enable_cpu_mem_arena, said.enable_mem_pattern = "A" not in options, "M" not in options
    for key, value in parted(options.get("C", "").split(), "|"):
        said.add_session_config_entry(key, value)
    for name, size in parted(sizes, ":"):
        said.add_free_dimension_override_by_name(name, int(size))
        print(f"Overriding dimension with name, {name}, to {size}")
    if "p" in options:
        said.enable_profiling, said.profile_file_prefix = True, options["p"]
    own = dict(parted(options.get("i", "").split(), "|"))
    chosen: list[Any] = ["CPUExecutionProvider"] if full not in has else [(full, own), "CPUExecutionProvider"]
    began = time.perf_counter()
    session = onnxruntime.InferenceSession(model, said, providers=chosen[-1:] if asked == "cpu" else chosen)
    return session, time.perf_counter() - began


def parted(pairs: Sequence[str], by: str) -> list[tuple[str, str]]:
    return [(pair.rpartition(by)[0], pair.rpartition(by)[2]) for pair in pairs]


def made_up(argument: Any, sizes: Mapping[str, str], options: Mapping[str, str]) -> Any:
    """An input: an open size is 1 unless its dimension was overridden; numbers by the seed, as the tool draws them."""
    import numpy as np

    shape = [size if isinstance(size, int) else int(sizes.get(size, 1)) for size in argument.shape]
    name = argument.type.removeprefix("tensor(").removesuffix(")")
    dtype, seed = np.dtype(NUMPY.get(name, name)), int(options.get("S", -1))
    if seed < 0 or dtype.name not in {"float32", "int8", "uint8"}:
        return np.zeros(shape, dtype)
    drawn = np.random.RandomState(seed)
    return (drawn.uniform(0, 5, shape) if dtype.kind == "f" else drawn.randint(0, 128, shape)).astype(dtype)


def run(session: Any, feeds: Mapping[str, Any]) -> float:
    """The seconds of one inference."""
    began = time.perf_counter()
    session.run(None, feeds)
    return time.perf_counter() - began


def tell(times: Sequence[float], peak: int, name: str, result_file: str, *, statistics: bool) -> None:
    """What it puts into the result file, and prints after the summary."""
    ordered = sorted(times)
    parts = {"Min": 0, "Max": len(ordered) - 1}
    parts |= {f"P{p}": int(len(ordered) * float(f"0.{p}")) for p in ("50", "90", "95", "99", "999")}
    lines = [f"{part} Latency: {ordered[place]:.6g} s\n" for part, place in parts.items()]
    if result_file:
        with Path(result_file).open("a", encoding="utf-8") as file:
            file.writelines(f"{name},{took:.6g},{peak},50,{number}\n" for number, took in enumerate(times))
            file.writelines(["\n", *lines] if statistics else [])
    else:
        print(f"Avg CPU usage:50\nPeak working set size:{peak}\nRuns:{len(times)}")
    if statistics:
        print("".join(lines), end="")


if __name__ == "__main__":
    main()
