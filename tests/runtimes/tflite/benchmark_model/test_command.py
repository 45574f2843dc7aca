"""The command line: everything explicit, and nothing that this build would pass over in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.runtimes.tflite.backends import Delegate
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.hexagon import Hexagon
from benchbench.runtimes.tflite.backends.nnapi import Nnapi
from benchbench.runtimes.tflite.backends.npu import Npu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, Capabilities, read_usage, usage_argv
from benchbench.runtimes.tool import Feed
from benchbench.values.errors import ToolError, Unsupported
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds.launch import work_for
from tests.runtimes.tflite.benchmark_model import litert_run, run_of

MODEL = Path("/d/m.tflite")
_DESKTOP = run_of("bz01")
TFLITE = read_usage(_DESKTOP.stdout.encode(), _DESKTOP.stderr.encode(), 1)
CORE = [
    "graph",
    "num_threads",
    "num_runs",
    "min_secs",
    "max_secs",
    "warmup_runs",
    "warmup_min_secs",
    "result_file_path",
]
_NEWER = litert_run("02")
GENUINE_LITERT = read_usage(_NEWER.stdout.encode(), _NEWER.stderr.encode(), 1)
LITERT = Capabilities("litert", frozenset([*CORE, "use_cpu", "use_gpu", "use_npu", "gpu-precision"]))


def command(generation: Capabilities, delegate: Delegate, **changes: Any) -> tuple[str, ...]:
    return BenchmarkModelRunner(generation).job(work_for(MODEL, delegate, tool="/d/bm", **changes)).argv


def test_everything_that_affects_a_number_is_said() -> None:
    measure = MeasurementSettings(
        runs=7, min_seconds=2, max_seconds=9.5, warmup_runs=3, warmup_min_seconds=0.1, timeout_seconds=60
    )
    argv = command(TFLITE, Xnnpack(), threads=4, measure=measure)
    assert argv == (
        "/d/bm",
        "--graph=/d/m.tflite",
        "--num_threads=4",
        "--num_runs=7",
        "--min_secs=2",
        "--max_secs=9.5",
        "--warmup_runs=3",
        "--warmup_min_secs=0.1",
        "--use_xnnpack=true",
        "--result_file_path=result.pb",
        "--report_peak_memory_footprint=true",
        "--export_model_runtime_info=true",
        "--model_runtime_info_output_file=runtime_info.pb",
    )


@pytest.mark.parametrize(
    ("delegate", "flags"),
    [
        (Cpu(), {"--use_xnnpack=false"}),
        (Nnapi(accelerator="qti-dsp"), {"--use_nnapi=true", "--nnapi_accelerator_name=qti-dsp", "--use_xnnpack=true"}),
        (
            External(path="/d/libvx.so", options={"a": "1", "b": "x"}),
            {"--external_delegate_path=/d/libvx.so", "--external_delegate_options=a:1;b:x", "--use_xnnpack=true"},
        ),
    ],
)
def test_a_delegate_has_its_own_options_and_xnnpack_is_always_explicit(delegate: Delegate, flags: set[str]) -> None:
    assert flags <= set(command(TFLITE, delegate))


def test_cores_are_pinned_with_taskset() -> None:
    assert command(TFLITE, Cpu(), affinity_mask="0xf0")[:3] == ("taskset", "f0", "/d/bm")


def test_a_profile_goes_into_a_file_where_the_build_can_write_one() -> None:
    runner = BenchmarkModelRunner(TFLITE)
    job = runner.job(work_for(MODEL, Cpu(), profile=True))
    assert "--enable_op_profiling=true" in job.argv
    assert "--op_profiling_output_file=profile.pb" in job.argv
    assert job.answers == ("result.pb", "runtime_info.pb", "profile.pb")
    older = Capabilities("tflite", TFLITE.flags - {"op_profiling_output_mode"})
    assert not [flag for flag in command(older, Cpu(), profile=True) if "op_profiling_output" in flag]


def test_a_profile_by_a_build_that_makes_none_is_no_failure_but_unsupported() -> None:
    older = Capabilities("tflite", TFLITE.flags - {"enable_op_profiling"})
    with pytest.raises(Unsupported, match="no op profiles") as told:
        command(older, Cpu(), profile=True)
    assert told.value.remedy
    assert command(older, Cpu())


def test_inputs_that_a_build_cannot_be_told_of_are_no_failure_but_unsupported() -> None:
    older = Capabilities("tflite", TFLITE.flags - {"input_layer", "input_layer_shape"})
    with pytest.raises(Unsupported, match="does not know --input_layer") as told:
        command(older, Cpu(), feeds=(Feed((1, 8)),))
    assert told.value.remedy
    assert command(older, Cpu())


def test_a_model_of_forty_seconds_an_inference_has_its_number_in_time() -> None:
    """The tool's own loop, over the flags that it is given by default: it stops after the inference past max_secs."""
    job = BenchmarkModelRunner(TFLITE).job(work_for(MODEL, Cpu(), tool="/d/bm", measure=MeasurementSettings()))
    given = {key: value for key, _, value in (flag.removeprefix("--").partition("=") for flag in job.argv)}
    total_s = 0.0
    for runs, least_s in (("warmup_runs", "warmup_min_secs"), ("num_runs", "min_secs")):
        phase_s, inferences = 0.0, 0
        while (inferences < int(given[runs]) or phase_s < float(given[least_s])) and phase_s <= float(
            given["max_secs"]
        ):
            phase_s, inferences = phase_s + 40, inferences + 1
        assert inferences >= 1
        total_s += phase_s
    assert 0 < total_s < job.timeout_s


def test_inputs_are_fed_from_files_or_ranges_and_outputs_taken_back() -> None:
    feeds = (Feed((1, 8), file="in0.bin"), Feed((4,), low_high=(0, 9)), Feed((2, 2)))
    job = BenchmarkModelRunner(TFLITE).job(work_for(MODEL, Cpu(), feeds=feeds, raw_outputs="out.bin"))
    assert "--input_layer=input0,input1,input2" in job.argv
    assert "--input_layer_shape=1,8:4:2,2" in job.argv
    assert "--input_layer_value_files=input0:in0.bin" in job.argv
    assert "--input_layer_value_range=input1,0,9" in job.argv
    assert "--output_filepath=out.bin" in job.argv
    assert job.outputs == ("out.bin",)


def test_a_flag_that_this_build_does_not_know_is_refused_before_measuring() -> None:
    for delegate, flag in (
        (Gpu(precision="fp32"), "--gpu_precision_loss_allowed"),
        (Gpu(backend="cl"), "--gpu_backend"),
    ):
        with pytest.raises(Unsupported, match=f"does not know {flag}") as caught:
            command(TFLITE, delegate)
        assert caught.value.remedy


def test_what_a_build_does_anyway_is_not_said() -> None:
    """A desktop build knows --use_gpu and none of its options; builds of 2020 use NNAPI's CPU by default."""
    assert not [flag for flag in command(TFLITE, Gpu()) if flag.startswith("--gpu_")]
    assert "--use_gpu=true" in command(TFLITE, Gpu())
    assert not [flag for flag in command(TFLITE, Nnapi()) if "disable_nnapi_cpu" in flag]
    old = Capabilities("tflite", TFLITE.flags, {**TFLITE.defaults, "disable_nnapi_cpu": "false"})
    assert "--disable_nnapi_cpu=true" in command(old, Nnapi())
    assert "--disable_nnapi_cpu=false" in command(TFLITE, Nnapi(disable_cpu=False))
    phone = Capabilities(
        "tflite", TFLITE.flags | {"gpu_precision_loss_allowed"}, {"gpu_precision_loss_allowed": "true"}
    )
    assert not [flag for flag in command(phone, Gpu()) if flag.startswith("--gpu_")]
    assert "--gpu_precision_loss_allowed=false" in command(phone, Gpu(precision="fp32"))
    for delegate in (Gpu(), Npu(), Xnnpack()):
        assert not [flag for flag in command(GENUINE_LITERT, delegate) if "use_cpu" in flag]


def test_what_a_build_has_is_told_without_a_launch() -> None:
    desktop, phone = (
        BenchmarkModelRunner(TFLITE),
        BenchmarkModelRunner(Capabilities("tflite", TFLITE.flags | {"gpu_precision_loss_allowed"})),
    )
    assert "built without gpu" in (desktop.unsupported_reason(Gpu()) or "")
    assert phone.unsupported_reason(Gpu()) is None
    assert desktop.unsupported_reason(Cpu()) is None
    assert desktop.unsupported_reason(External(path="/d/x.so")) is None
    assert "does not know --use_hexagon" in (desktop.unsupported_reason(Hexagon()) or "")
    assert "no way to run npu" in (desktop.unsupported_reason(Npu()) or "")
    newer = BenchmarkModelRunner(GENUINE_LITERT)
    assert [newer.unsupported_reason(delegate) for delegate in (Gpu(), Npu(), Xnnpack())] == [None, None, None]
    assert "no way to run cpu" in (newer.unsupported_reason(Cpu()) or "")


def test_an_older_build_without_result_files_is_used_without_them() -> None:
    older = Capabilities("tflite", TFLITE.flags - {"result_file_path", "export_model_runtime_info"})
    argv = command(older, Cpu())
    assert not [flag for flag in argv if flag.startswith(("--result_file_path", "--export_model"))]


def test_the_newer_generation_has_its_own_flags() -> None:
    flags = set(command(LITERT, Gpu()))
    assert {"--use_gpu=true", "--gpu-precision=fp16", "--result_file_path=result.pb"} <= flags
    assert not [flag for flag in flags if "xnnpack" in flag or "export_model" in flag]
    assert "--use_npu=true" in command(LITERT, Npu())


@pytest.mark.parametrize(("generation", "delegate"), [(LITERT, Nnapi()), (LITERT, Cpu()), (TFLITE, Npu())])
def test_a_delegate_of_the_other_generation_is_refused_with_the_remedy(
    generation: Capabilities, delegate: Delegate
) -> None:
    with pytest.raises(Unsupported, match=f"has no way to run {delegate.label}"):
        command(generation, delegate)


def test_the_generation_is_told_from_the_usage() -> None:
    rows = "\n".join(f"\t--{name}=x   \tstring\toptional\ttext" for name in LITERT.flags)
    assert read_usage(rows.encode(), b"", 0) == LITERT


@pytest.mark.parametrize("number", ["02", "03", "04", "17"])
def test_the_usage_of_every_line_of_the_tool_is_read(number: str) -> None:
    """The one that is asked for with a bad value, and those of --help, where that still worked."""
    run = litert_run(number)
    found = read_usage(run.stdout.encode(), run.stderr.encode(), run.exit_code)
    assert found.name == ("tflite" if number == "17" else "litert")
    assert found.flags >= ({"use_xnnpack", "use_nnapi"} if number == "17" else {"use_npu", "gpu-precision", "use_cpu"})
    assert (found.defaults["num_runs"], found.defaults["graph"]) == ("50", "")


def test_help_is_not_asked_for_since_the_newer_tool_has_none() -> None:
    assert usage_argv("/d/bm") == ("/d/bm", "--num_runs=x")
    run = litert_run("01")
    with pytest.raises(ToolError, match="could not be asked for its flags"):
        read_usage(run.stdout.encode(), run.stderr.encode(), run.exit_code)


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        ("sh: /d/bm: cannot execute binary file: Exec format error", "Exec format error"),
        ('CANNOT LINK EXECUTABLE "/d/bm": library "libm.so" not found', "CANNOT LINK EXECUTABLE"),
        ("", "it printed nothing"),
    ],
)
def test_a_binary_that_cannot_be_asked_is_refused_with_its_own_words(stderr: str, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        read_usage(b"", stderr.encode(), 126)
