"""Dialects that the recorded runs do not speak: other years, other loggers, pasted and wrapped texts."""

# ruff: noqa: E501  (lines of the tool, as it prints them)
from __future__ import annotations

import pytest

from benchbench.runtimes.tflite.benchmark_model.launch import Launch
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch, read_text
from tests.runtimes.tflite.benchmark_model import run_of

SUMMARY = "Inference timings in us: Init: 5685, First inference: 18535, Warmup (avg): 14462.3, Inference (avg): 14575.2"


def numbers(launch: Launch) -> tuple[float | None, ...]:
    times = launch.timings
    return times.init, times.first, times.warmup_mean, times.mean


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "INFO: ",
        "I/tflite  (12345): ",
        "I/tflite: ",
        "08-01 12:00:00.123 I/tflite  (12345): ",
        "08-01 12:00:00.123 12345 12345 I tflite  : ",
        "2026-08-01 12:00:00.123 12345 12345 I tflite  : ",
        "08-01 12:00:00.123 +0200 12345 12345 I tflite  : ",
        "2021-05-26 10:35:38.971 13129-13129/org.tensorflow.lite.benchmark I/tflite: ",
        "2026-05-26 10:35:38.971 13129-13129 tflite   org.tensorflow.lite.benchmark   I  ",
        "... tflite  : ",
        "native : ",
        "# ",
        "> ",
        "    ",
        "// INFO: ",
        "| ",
        "[12:34:56.789] INFO: ",
        "2026-08-01T12:00:00.1234567Z INFO: ",
        "I0801 12:00:00.123456 12345 benchmark_model.cc:361] ",
        "\x1b[32mINFO: \x1b[0m",
    ],
)
def test_any_prefix_is_read_through(prefix: str) -> None:
    run = run_of("50")
    plain = read_launch(run.text)
    lines = [line.removeprefix("INFO: ") for line in run.text.splitlines()]
    launches = read_text("\n".join(prefix + line for line in lines))
    assert len(launches) == 1
    found = launches[0]
    assert (found.status, found.timings, found.memory, found.runs) == (
        plain.status,
        plain.timings,
        plain.memory,
        plain.runs,
    )
    assert (found.graph, found.model_mb, found.delegation.verdict) == (plain.graph, plain.model_mb, "partial")
    assert (found.delegation.nodes_delegated, found.delegation.kernels) == (35, 28)


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n", "\n"])
def test_line_ends_of_any_console_are_read(end: str) -> None:
    run = run_of("05")
    assert read_launch(run.text.replace("\n", end)) == read_launch(run.text)


def test_a_log_that_powershell_wrote_is_read() -> None:
    assert numbers(read_launch(SUMMARY.encode("utf-16"))) == (5685, 18535, 14462.3, 14575.2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Average inference timings in us: Warmup: 91471, Init: 4108, Inference: 80660.1", (4108, None, 91471, 80660.1)),
        ("Average inference timings in us: Warmup: 91471, Init: 4108, Inference: 80660.1Overall max", (4108, None, 91471, 80660.1)),
        ("Average inference timings in us: Warmup: 335337, no stats: 23601, with stats: 24724", (None, None, 335337, 23601)),
        ("Average inference timings in us: 66767 , Warmup: 76605, ", (None, None, 76605, 66767)),
        ("Inference (avg): 1000.91 us", (None, None, None, 1000.91)),
    ],
)  # fmt: skip
def test_summaries_of_other_years_are_read(text: str, expected: tuple[float | None, ...]) -> None:
    launch = read_launch(text)
    assert (launch.status, numbers(launch)) == ("ok", expected)


@pytest.mark.parametrize("cut", ["First inference", "Warmup (avg)", "Inference (avg)"])
@pytest.mark.parametrize("indent", ["", "      ", "# "])
def test_a_summary_that_was_wrapped_is_put_together(cut: str, indent: str) -> None:
    assert numbers(read_launch(SUMMARY.replace(f" {cut}", f"\n{indent}{cut}"))) == (5685, 18535, 14462.3, 14575.2)


def test_a_verdict_that_was_wrapped_is_put_together() -> None:
    text = "Explicitly applied GPU delegate, and the model graph will be\n partially executed by the delegate w/ 3\n delegate kernels.\n"
    found = read_launch(text + SUMMARY).delegation
    assert (found.asked, found.verdict, found.kernels) == ("gpu", "partial", 3)
    assert found.evidence is not None
    assert "\n" not in found.evidence


LITERT = """\
INFO: [litert_common.cc:10] dispatch_library_path: /data/local/tmp
INFO: [benchmark_litert_model.cc:90] Loading model from: net.tflite
WARNING: [npu_registry.cc:34] NPU accelerator could not be loaded and registered: kLiteRtStatusErrorInvalidArgument.
INFO: [auto_registration.cc:46] CPU accelerator registered.
INFO: [benchmark_litert_model.h:120]
========== BENCHMARK RESULTS ==========
INFO: [benchmark_litert_model.h:92] Signature name:       serving_default
INFO: [benchmark_litert_model.h:94] Model initialization: 23.73 ms
INFO: [benchmark_litert_model.h:96] Warmup (first):       7.04 ms
INFO: [benchmark_litert_model.h:98] Warmup (avg):         7.10 ms (12 runs)
INFO: [benchmark_litert_model.h:100] Inference (avg):      6.20 ms (50 runs)
INFO: [benchmark_litert_model.h:104] Inference (min):      5.40 ms
INFO: [benchmark_litert_model.h:106] Inference (max):      9.86 ms
INFO: [benchmark_litert_model.h:108] Inference (std):      0.92
INFO: [benchmark_litert_model.h:115] Throughput:           27.46 MB/s
INFO: [benchmark_litert_model.h:124]
Memory Usage:
INFO: [benchmark_litert_model.h:126] Init footprint:       63.74 MB
INFO: [benchmark_litert_model.h:128] Overall footprint:    64.01 MB
INFO: [benchmark_litert_model.h:135] Peak memory usage not available. (peak_mem_mb <= 0)
======================================
"""


def test_the_results_block_of_the_newer_tool_is_read_in_microseconds() -> None:
    launch = read_launch(LITERT)
    times = launch.timings
    assert (launch.status, launch.generation) == ("ok", "litert")
    assert numbers(launch) == (23730, 7040, 7100, 6200)
    assert (times.min, times.max, times.std, times.median) == (5400, 9860, 920, None)
    assert (launch.runs, launch.warmup_runs) == (50, 12)
    memory = launch.memory
    assert (memory.init_delta_mb, memory.overall_delta_mb, memory.peak_polled_mb) == (63.74, 64.01, None)


def test_the_newer_tool_is_not_believed_for_its_flags_and_its_npu_was_not_there() -> None:
    npu = read_launch(f"$ ./benchmark_model --graph=net.tflite --use_npu=true\n{LITERT}").delegation
    gpu = read_launch(f"$ ./benchmark_model --graph=net.tflite --use_gpu=1\n{LITERT}").delegation
    assert (npu.asked, npu.verdict) == ("npu", "unavailable")
    assert (gpu.asked, gpu.verdict) == ("gpu", "unknown")


def test_count_lines_beat_the_rounded_block_of_the_newer_tool() -> None:
    counts = (
        "INFO: Initialized session in 23.731ms.\n"
        "INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.\n"
        "INFO: count=12 first=7041 curr=7100 min=7000 max=7200 avg=7101.5 std=30 p5=7000 median=7100 p95=7200\n\n"
        "INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.\n"
        "INFO: count=50 first=6000 curr=6100 min=5401 max=9861 avg=6201.5 std=921 p5=5500 median=6150 p95=9000\n\n"
    )
    times = read_launch(counts + LITERT).timings
    assert (times.init, times.first, times.warmup_mean, times.mean) == (23731, 7041, 7101.5, 6201.5)
    assert (times.min, times.max, times.std, times.median) == (5401, 9861, 921, 6150)


def test_several_launches_in_one_text_are_kept_apart() -> None:
    first, second = run_of("05"), run_of("50")
    session = f"+ ./benchmark_model --graph=a\n{first.stdout}+ ./benchmark_model --graph=b\n{second.stdout}"
    with_commands, without = read_text(session), read_text(first.stdout + second.stdout)
    for launches in (with_commands, without):
        assert [launch.delegation.asked for launch in launches] == ["xnnpack", "external"]
        assert [launch.timings for launch in launches] == [read_launch(run.stdout).timings for run in (first, second)]


def test_several_pasted_results_under_one_command_are_several_launches() -> None:
    other = SUMMARY.replace("14575.2", "9.5")
    text = f"$ adb shell /data/local/tmp/benchmark_model \\\n --graph=/data/m.tflite \\\n --num_threads=4\n{SUMMARY}\n{other}\n"
    launches = read_text(text)
    assert [launch.timings.mean for launch in launches] == [14575.2, 9.5]
    assert (launches[0].graph, launches[0].threads) == ("/data/m.tflite", 4)


def test_another_programs_output_is_no_launch() -> None:
    text = "INFO: Loaded model m.tflite\nINFO: GPU delegate created.\nINFO: average time: 31.488 ms\n"
    launches = read_text(f"{text}$ ./benchmark_model --graph=m.tflite --use_xnnpack=false\n{run_of('06').text}")
    assert len(launches) == 1
    assert launches[0].delegation.asked is None
    assert read_text("what a nice day\ncount=3\n") == []


def test_the_apk_in_a_noisy_logcat_is_read() -> None:
    tag, other = (
        "05-31 10:31:13.022 21767 21767 I tflite  : ",
        "05-31 10:31:13.030  1712  2451 E Sensors : failed, count=3",
    )
    lines = [
        "05-31 10:31:13.006 21767 21767 I tflite_BenchmarkModelActivity: Running TensorFlow Lite benchmark with args: --graph=/d/m.tflite --use_nnapi=true",
        f"{tag}Log parameter values verbosely: [0]",
        f"{tag}Graph: [/d/m.tflite]",
        f"{tag}Use NNAPI: [1]",
        f"{tag}NNAPI accelerators available: [ipuadaptor,nnapi-reference]",
        f"{tag}Loaded model /d/m.tflite",
        f"{tag}Though NNAPI delegate is explicitly applied, the model graph will not be executed by the delegate.",
        f"{tag}{SUMMARY}",
    ]
    launches = read_text("\n".join(line for pair in lines for line in (pair, other)))
    assert len(launches) == 1
    assert (launches[0].status, launches[0].delegation.verdict, launches[0].warnings) == ("ok", "none", ())


def test_the_warm_up_never_stands_for_the_measurement() -> None:
    run = run_of("05").stdout
    until_warm_up = run[: run.index("INFO: Running benchmark for at least 50")]
    launch = read_launch(until_warm_up)
    assert (launch.status, launch.runs, launch.timings.mean, launch.timings.min) == ("incomplete", None, None, None)
    assert (launch.warmup_runs, launch.timings.first, launch.timings.warmup_mean) == (263, 812, 2366.9)


def test_a_tool_that_could_not_be_started_is_a_failure_with_its_line() -> None:
    for line in (
        "/system/bin/sh: ./benchmark_model: not found",
        "bash: ./benchmark_model: cannot execute binary file: Exec format error",
        "./benchmark_model: error while loading shared libraries: libfoo.so: cannot open shared object file",
        'CANNOT LINK EXECUTABLE "./benchmark_model": library "libOpenCL.so" not found',
    ):
        launches = read_text(f"$ ./benchmark_model --graph=m.tflite\n{line}\n")
        assert [(launch.status, launch.error) for launch in launches] == [("failed", line)]
