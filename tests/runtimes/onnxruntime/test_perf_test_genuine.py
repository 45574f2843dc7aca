"""What a genuine onnxruntime_perf_test prints and leaves, and what is read of it.

All texts here are parts of output of onnxruntime_perf_test 1.21.0, built from Debian's source (with XNNPACK and oneDNN,
as Debian's library has them) and run on x86-64 Linux with the shipped family and tiny.onnx; lines are left out, and
some are cut short. Debian's library says "Schema error: …" hundreds of times on stderr, before the tool's own words.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from benchbench.importing.logs import read_log
from benchbench.runtimes.onnxruntime.backends import AnyProvider, Cpu, Delegate, Xnnpack
from benchbench.runtimes.onnxruntime.model.inspect import inspect
from benchbench.runtimes.onnxruntime.perf_test.capabilities import read_help, read_left_out
from benchbench.runtimes.onnxruntime.perf_test.runner import PerfTestRunner
from benchbench.runtimes.onnxruntime.recorded.log_messages import message_in
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.errors import Unsupported
from benchbench.values.job import JobOutput
from tests.beds.launch import run_job, work_for
from tests.workbench import FAMILY

# --help; it says on stderr: invalid option -- '-'
HELP = """\
perf_test [options...] model_path [result_file]
Options:
\t-m [test_mode]: Specifies the test mode. Value could be 'duration' or 'times'.
\t\tProvide 'duration' to run the test for a fix duration, and 'times' to repeated for a certain times. \n\
\t-M: Disable memory pattern.
\t-A: Disable memory arena
\t-I: Generate tensor input binding. Free dimensions are treated as 1 unless overridden using -f.
\t-e [cpu|cuda|dnnl|tensorrt|openvino|dml|acl|nnapi|coreml|qnn|snpe|rocm|migraphx|xnnpack|vitisai|webgpu]: Specifies \
the provider 'cpu','cuda','dnnl','tensorrt', 'openvino', 'dml', 'acl', 'nnapi', 'coreml', 'qnn', 'snpe', 'rocm', \
'migraphx', 'xnnpack', 'vitisai' or 'webgpu'. Default:'cpu'.
\t-b [tf|ort]: backend to use. Default:ort
\t-r [repeated_times]: Specifies the repeated times if running in 'times' test mode.Default:1000.
\t-t [seconds_to_run]: Specifies the seconds to run for 'duration' mode. Default:600.
\t-p [profile_file]: Specifies the profile name to enable profiling and dump the profile data to the file.
\t-s: Show statistics result, like P75, P90. If no result_file provided this defaults to on.
\t-S: Given random seed, to produce the same input data. This defaults to -1(no initialize).
\t-x [intra_op_num_threads]: Sets the number of threads used to parallelize the execution within nodes, A value of 0 \
means ORT will pick a default. Must >=0.
\t-o [optimization level]: Default is 99 (all). Valid values are 0 (disable), 1 (basic), 2 (extended), 99 (all).
\t\tPlease see onnxruntime_c_api.h (enum GraphOptimizationLevel) for the full list of all optimization levels.
\t-u [optimized_model_path]: Specify the optimized model path for saving.
\t-i: Specify EP specific runtime options as key value pairs. Different runtime options available are: \n\
\t    [Usage]: -e <provider_name> -i '<key1>|<value1> <key2>|<value2>'

\t    [ACL only] [enable_fast_math]: Options: 'true', 'false', default: 'false', \n\
\t-h: help
"""
ABLE = read_help(HELP.encode(), b"onnxruntime_perf_test: invalid option -- '-'\n", 255)

# -I -S 0 -e xnnpack -x 1 -o 99 -m times -r 6 -s fashion_mnist_float32.onnx result.csv
TIMED = """\
Setting intra_op_num_threads to 1
Session creation time cost: 0.0279423 s
First inference time cost: 0 ms
Total inference time cost: 0.000529754 s
Total inference requests: 6
Average inference time cost: 0.0882923 ms
Total inference run time: 0.000539298 s
Number of inferences per second: 11125.6 \n\
Avg CPU usage: -1 %
Peak working set size: 33796096 bytes
Min Latency: 8.6879e-05 s
Max Latency: 9.1846e-05 s
P50 Latency: 8.749e-05 s
P90 Latency: 9.1846e-05 s
"""
RESULT = """\
m,9.1846e-05,33796096,-1,0
m,8.8881e-05,33796096,-1,1
m,8.7489e-05,33796096,-1,2
m,8.749e-05,33796096,-1,3
m,8.7169e-05,33796096,-1,4
m,8.6879e-05,33796096,-1,5

Min Latency: 8.6879e-05 s
Max Latency: 9.1846e-05 s
"""
WARNED = (
    "Schema error: Trying to register schema with name Abs (domain:  version: 1) from file ./onnx/defs/math/old.cc "
    "line 2729, but it is already registered from file ./onnx/defs/math/old.cc line 2729\n\n"
    "\x1b[0;93m2026-11-28 21:42:45.507039086 [W:onnxruntime:, session_state.cc:1265 VerifyEachNodeIsAssignedToAnEp] "
    "Rerunning with verbose output on a non-minimal build will show node assignments.\x1b[m\n"
)
# -I -S 0 -e xnnpack -x 1 -o 99 -m times -r 1 -p look tiny.onnx
LOOK = """\
[
{"cat" : "Session","pid" :13234,"tid" :13234,"dur" :22823,"ts" :2,"ph" : "X","name" :"model_loading_uri","args" : {}},
{"cat" : "Node","pid" :13234,"tid" :13234,"dur" :13,"ts" :39281,"ph" : "X","name" :"Transpose_kernel_time","args" : \
{"thread_scheduling_stats" : "","output_type_shape" : [{"float":[1,8,8,3]}],"output_size" : "768","parameter_size" : \
"0","activation_size" : "768","node_index" : "5","input_type_shape" : [{"float":[1,3,8,8]}],"provider" : \
"CPUExecutionProvider","op_name" : "Transpose"}},
{"cat" : "Node","pid" :13234,"tid" :13234,"dur" :23,"ts" :39300,"ph" : "X","name" :\
"XnnpackExecutionProvider_Conv_0_kernel_time","args" : {"thread_scheduling_stats" : "","output_type_shape" : \
[{"float":[1,8,8,8]}],"output_size" : "2048","parameter_size" : "0","activation_size" : "768","node_index" : "9",\
"input_type_shape" : [{"float":[1,8,8,3]}],"provider" : "XnnpackExecutionProvider","op_name" : "Conv"}},
{"cat" : "Node","pid" :13234,"tid" :13234,"dur" :12,"ts" :39346,"ph" : "X","name" :"softmax_kernel_time","args" : \
{"thread_scheduling_stats" : "","output_type_shape" : [{"float":[1,8]}],"output_size" : "32","parameter_size" : "0",\
"activation_size" : "32","node_index" : "4","input_type_shape" : [{"float":[1,8]}],"provider" : \
"XnnpackExecutionProvider","op_name" : "Softmax"}},
{"cat" : "Session","pid" :13234,"tid" :13234,"dur" :28,"ts" :39379,"ph" : "X","name" :"model_run","args" : {}}
]
"""
SESSION = (
    "/src/onnxruntime-1.21.0/onnxruntime/test/perftest/ort_test_session.cc:{} onnxruntime::perftest::"
    "OnnxRuntimeTestSession::OnnxRuntimeTestSession(Ort::Env&, std::random_device&, const onnxruntime::perftest::"
    "PerformanceTestConfig&, const TestModelInfo&) {}\n"
)
LEFT_OUT = SESSION.format(149, "CUDA is not supported in this build")
NO_LIBRARY = (
    "./onnxruntime/core/session/provider_bridge_ort.cc:1695 onnxruntime::Provider& onnxruntime::ProviderLibrary::Get() "
    "[ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_dnnl.so with error: "
    "libonnxruntime_providers_dnnl.so: cannot open shared object file: No such file or directory\n"
)
NO_MODEL = (
    "/src/onnxruntime-1.21.0/onnxruntime/test/onnx/onnx_model_info.cc:45 void OnnxModelInfo::InitOnnxModelInfo(const "
    'std::filesystem::__cxx11::path&) open file "/nowhere/missing.onnx" failed: No such file or directory\n'
)
NO_RESHAPE = (
    "Non-zero status code returned while running Reshape node. Name:'' Status Message: ./onnxruntime/core/providers/"
    "cpu/tensor/reshape_helper.h:45 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, "
    "onnxruntime::TensorShapeVector&, bool) input_shape_size == size was false. The input tensor cannot be reshaped to "
    "the requested shape. Input shape:{1,3}, requested shape:{2,2}\n"
)
FAILED_RUN = f"Run failed:PerformanceRunner::RunOneIteration caught exception: {NO_RESHAPE}\n"
FAILED_NODE = (
    "\x1b[1;31m2026-11-28 21:36:16.258998602 [E:onnxruntime:, sequential_executor.cc:572 ExecuteKernel] "
    f"{NO_RESHAPE}\x1b[m\n"
)
NO_OPSET = (
    "Load model from net.onnx failed:./onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::"
    "model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const "
    "onnxruntime::logging::Logger&, bool, const std::string&, int) ONNX Runtime only *guarantees* support for models "
    "stamped with official released onnx opset versions.\n"
)


def spec(delegate: Delegate, tool: Path | str = "tool") -> LaunchSpec:
    path = FAMILY / "fashion_mnist_float32.onnx"
    work = work_for(path, delegate, tool=str(tool), python=None)
    return replace(work, variant=work.variant.model_copy(update={"format": "onnx", "sha256": inspect(path).sha256}))


def replay(folder: Path) -> Path:
    """A program that leaves and prints what the genuine one left and printed."""
    kept = {"look": LOOK, "result": RESULT, "out": TIMED, "err": WARNED}
    for name, text in kept.items():
        (folder / name).write_text(text)
    tool = folder / "tool"
    here = shlex.quote(str(folder))
    tool.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"-p look"*) cp {here}/look look_2026-11-28_21-42-45.json;;\n'
        f"*) cat {here}/result >> result.csv;; esac\n"
        f"cat {here}/out; cat {here}/err >&2\n"
    )
    tool.chmod(0o755)
    return tool


def test_its_help_tells_options_providers_and_levels_of_optimisation() -> None:
    assert {*"mMAIebrtpsSxouih"} == ABLE.options
    assert {"cpu", "dnnl", "xnnpack", "vitisai"} < ABLE.providers
    assert len(ABLE.providers) == 16
    assert ABLE.levels == {"0", "1", "2", "99"}
    with pytest.raises(Unsupported, match="does not know -o 3 "):
        PerfTestRunner(ABLE).job(spec(Cpu(optimization="layout")))
    assert PerfTestRunner(ABLE).job(spec(Cpu(optimization="extended")))


def test_a_launch_gives_its_times_and_who_ran_the_nodes(tmp_path: Path) -> None:
    work, runner = spec(Xnnpack(), replay(tmp_path)), PerfTestRunner(ABLE)
    reading = runner.read(work, run_job(runner.job(work), tmp_path / "job"))
    measured, times = reading.measurement, reading.measurement.timings
    assert reading.status == "ok", reading.error
    assert times.samples == pytest.approx((88.881, 87.489, 87.49, 87.169, 86.879))
    assert (times.init, times.first, times.median) == pytest.approx((27_942.3, None, 87.489))
    assert (measured.runs, measured.warmup_runs, measured.threads, measured.warnings) == (5, 2, 1, ())
    assert measured.memory.rss_peak_mb == pytest.approx(33_796_096 / 2**20)
    assert (reading.delegation.verdict, reading.delegation.partitions) == ("partial", 2)
    assert reading.delegation.evidence == "2 nodes ran by XnnpackExecutionProvider, 1 nodes ran by CPUExecutionProvider"


@pytest.mark.parametrize(
    ("stdout", "stderr", "said"),
    [
        ("", NO_MODEL, 'open file "/nowhere/missing.onnx" failed: No such file or directory'),
        ("", WARNED + LEFT_OUT, "CUDA is not supported in this build"),
        (FAILED_RUN, FAILED_NODE, "Input shape:{1,3}, requested shape:{2,2}"),
        ("", FAILED_NODE, "Input shape:{1,3}, requested shape:{2,2}"),
        ("", NO_OPSET, "stamped with official released onnx opset versions."),
        (HELP, "", "it printed its help, as it does where it does not take an option"),
        ("Run failed:failed to initialize.\n", WARNED, "Run failed:failed to initialize."),
    ],
)
def test_a_failure_is_told_without_colours_and_signatures(stdout: str, stderr: str, said: str) -> None:
    read = PerfTestRunner(ABLE).read(spec(Cpu()), JobOutput(255, stdout.encode(), stderr.encode(), {}))
    assert (read.error or "").startswith("ended with exit code 255: ")
    assert (read.error or "").endswith(said)
    assert "\x1b" not in (read.error or "")
    assert "::Test" not in (read.error or "")


def test_a_provider_without_its_library_is_unavailable_and_known_beforehand() -> None:
    dnnl = AnyProvider(execution_provider="DnnlExecutionProvider")
    refused = PerfTestRunner(ABLE).read(spec(dnnl), JobOutput(255, b"", NO_LIBRARY.encode(), {})).delegation
    assert (refused.verdict, "cannot open shared object" in (refused.evidence or "")) == ("unavailable", True)
    left_out = read_left_out(f"== cuda\n{LEFT_OUT}== dnnl\n{NO_LIBRARY}== xnnpack\n{WARNED}{TIMED}")
    able = replace(ABLE, left_out=left_out)
    assert able.lacks("cuda") == "this onnxruntime_perf_test was built without cuda"
    assert (able.lacks("dnnl") or "").startswith(
        "this onnxruntime_perf_test cannot load dnnl: libonnxruntime_providers_"
    )
    assert able.lacks("xnnpack") is None


def test_what_others_kept_of_it_is_imported() -> None:
    """Its failures are its own, though those of other tools begin alike, and its profile is JSON."""
    command = "$ onnxruntime_perf_test -I -S 0 -e {} -x 1 -o 99 -m times -r 3 -s /nets/net.onnx result.csv\n"
    said = {"failed": command.format("cpu") + FAILED_RUN, "missing": command.format("cuda") + LEFT_OUT, "look": LOOK}
    found = {name: read_log(name, text.encode()) for name, text in said.items()}
    assert [one.launch.graph for one in found["failed"]] == ["/nets/net.onnx"]
    (missing,) = found["missing"]
    assert (missing.launch.result.error, missing.launch.result.status) == (message_in(LEFT_OUT), "failed")
    assert missing.launch.result.delegation.verdict == "unavailable"
    assert [one.launch.result.delegation.partitions for one in found["look"]] == [2]


def test_what_is_no_place_in_the_source_is_kept() -> None:
    for line in ("[E:onnxruntime:, session.cc:17 operator()] Exception: f(x) (y)", "net.cc:3 and a::b", "a [b] c"):
        assert message_in(f" {line}\r") == line
    assert message_in("x.h:3 T a::f(int) [with T = int] [OK] : 1") == "[OK] : 1"
    assert message_in("\x1b[m") == ""
