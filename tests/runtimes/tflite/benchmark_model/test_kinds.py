"""Kinds of texts that claim something else than what their words say at first sight; each with several inputs."""

# ruff: noqa: E501  (lines of the tool, as it prints them)
from __future__ import annotations

import pytest

from benchbench.runtimes.tflite.benchmark_model.launch import Launch
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch, read_text
from tests.runtimes.tflite.benchmark_model import COUNT, RESULT, WARMUP, run_of


def launch_of(*lines: str) -> Launch:
    return read_launch("\n".join(["STARTING!", *lines, "Loaded model m.tflite", RESULT]))


# --- a summary of several delegates -------------------------------------------------------------------------------

ROWS = [
    "        nnapi(w/o accel name): count=50 first=1 curr=2 min=1 max=9 avg=5.5 std=1",
    "              nnapi(qti-dsp): count=50 first=1 curr=2 min=1 max=9 avg=6.5 std=1 p5=1 median=6 p95=9",
    "                   gpu-fp16: count=51 first=1 curr=2 min=1 max=9 avg=7.5 std=1",
    "             dsp w/ hexagon: count=52 first=1 curr=2 min=1 max=9 avg=8.5 std=1",
    "  cpu w/ 8 threads (xnnpack):  failed!",
]


@pytest.mark.parametrize("prefix", ["", "INFO: ", "08-01 12:00:00.123 12345 12345 I tflite  : "])
def test_every_row_of_a_summary_is_a_launch(prefix: str) -> None:
    title = "==============Summary of All Runs w/ Different Performance Options=============="
    found = read_text("\n".join(prefix + line for line in [title, *ROWS]))
    assert [launch.delegation.asked for launch in found] == ["nnapi", "nnapi", "gpu", "hexagon", "xnnpack"]
    assert [launch.timings.mean for launch in found] == [5.5, 6.5, 7.5, 8.5, None]
    assert [launch.status for launch in found] == [*["ok"] * 4, "failed"]
    assert [launch.runs for launch in found] == [50, 50, 51, 52, None]
    assert (found[4].threads, found[1].timings.median) == (8, 6)


def test_a_summary_below_its_launches_repeats_them() -> None:
    first, second = run_of("05").stdout, run_of("08").stdout
    rows = [next(line for line in reversed(text.splitlines()) if "count=" in line) for text in (first, second)]
    summary = [f"INFO: cpu w/ 1 threads (xnnpack): {row.removeprefix('INFO: ')}" for row in rows]
    found = read_text("\n".join([first, second, *summary]))
    assert [launch.timings for launch in found] == [read_launch(text).timings for text in (first, second)]


# --- what the echo says is off is off -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("echo", "remark"),
    [
        ("Use nnapi : [0]", "nnapi error: unable to open library libneuralnetworks.so"),
        ("Use NNAPI: [0]", "NNAPI acceleration is unsupported on this platform."),
        ("Use gpu: [0]", "GPU acceleration is unsupported on this platform."),
        ("Use Hexagon: [0]", "Could not create Hexagon delegate: platform may not support delegate"),
        ("Num threads: [1]", "nnapi error: unable to open library libneuralnetworks.so"),
    ],
)
def test_a_remark_on_a_delegate_that_is_off_is_no_verdict(echo: str, remark: str) -> None:
    found = launch_of(echo, remark).delegation
    assert (found.asked, found.verdict) == (None, "unknown")


def test_the_echo_of_what_the_tool_took_outweighs_the_command() -> None:
    (launch,) = read_text(f"$ ./benchmark_model --graph=m.tflite --use_gpu=true\nSTARTING!\nUse gpu: [0]\n{RESULT}")
    assert (launch.delegation.asked, launch.delegation.verdict) == (None, "unknown")


# --- a split, as its lines say it ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "verdict", "nodes"),
    [
        ("First 65 operations will run on the GPU, and the remaining 3 on the CPU.", "partial", (65, 68)),
        ("First 0 operations will run on the GPU, and the remaining 81 on the CPU.", "none", (0, 81)),
        ("31 operations will run on the GPU, and the remaining 16 will run on the CPU.", "partial", (31, 47)),
        (
            "123 operations will run on the GPU, and the remaining 156 operations will run on the CPU.",
            "partial",
            (123, 279),
        ),
        ("No operations will run on the GPU, and all 16 operations will run on the CPU.", "none", (0, 16)),
        ("First 1 operations will run on the GPU, and the remaining 2 on the CPU.TfLiteGpuDelegate", "partial", (1, 3)),
    ],
)
def test_a_split_counts_the_nodes_on_both_sides(line: str, verdict: str, nodes: tuple[int, int]) -> None:
    for heading in ("Next", "Following"):
        launch = launch_of(
            "Use gpu: [1]", f"ERROR: {heading} operations are not supported by GPU delegate:", "MEAN: No.", line
        )
        found = launch.delegation
        assert (launch.status, found.asked, found.verdict) == ("ok", "gpu", verdict)
        assert (found.nodes_delegated, found.nodes_total) == nodes


def test_nodes_that_were_replaced_beat_those_that_a_list_announced() -> None:
    found = launch_of(
        "31 operations will run on the GPU, and the remaining 34 operations will run on the CPU.",
        "VERBOSE: Replacing 29 out of 65 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 5 partitions.",
    ).delegation
    assert (found.asked, found.verdict, found.nodes_delegated, found.nodes_total) == ("gpu", "partial", 29, 65)


# --- one delegate, several names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("echo", "lines", "kind"),
    [
        ("", ["Created TensorFlow Lite delegate for Metal."], "gpu"),
        ("", ["Replacing 31 out of 31 node(s) with delegate (TfLiteMetalDelegate) node, yielding 1 partitions."], "gpu"),
        ("Use gpu: [1]", ["Replacing 31 out of 31 node(s) with delegate (LITERT_WEBGPU) node, yielding 1 partitions."], "gpu"),
        ("Use CoreML: [1]", ["Replacing 31 out of 31 node(s) with delegate (TfLiteCoreMlDelegate) node, yielding 1 partitions."], "coreml"),
        ("External delegate path: [libedgetpu.so.1]", ["Replacing 31 out of 31 node(s) with delegate (EdgeTpuDelegateForCustomOp) node, yielding 1 partitions."], "external"),
        ("", ["Replacing 31 out of 31 node(s) with delegate (DispatchDelegate) node, yielding 1 partitions."], "npu"),
    ],
)  # fmt: skip
def test_every_name_of_a_delegate_is_its_name(echo: str, lines: list[str], kind: str) -> None:
    found = launch_of(echo, *lines).delegation
    assert found.asked == kind
    assert found.verdict == ("full" if "Replacing" in lines[0] else "unknown")


def test_a_name_that_holds_the_letters_of_another_is_not_that() -> None:
    found = launch_of("INFO: InputConversionDelegate delegate: 3 nodes delegated out of 9 nodes with 2 partitions.")
    assert found.delegation.asked == "external"


# --- lines that ran together --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"me@pi:~ $ ./benchmark_model --graph=m.tflite --num_threads=4STARTING!\nNum threads: [4]\n{RESULT}",
        f"$ ./benchmark_model --graph=m.tflite --num_threads=4INFO: STARTING!\n{RESULT}",
        f"root@x:/data# benchmark_model --num_threads=4 --graph=m.tfliteLoaded model m.tflite\n{RESULT}",
        f"STARTING!Num threads: [4]Graph: [m.tflite]Loaded model m.tflite\n{RESULT}",
        f"STARTING!\nNum threads: [4] Graph: [m.tflite]\n{RESULT}",
        "STARTING!\nNum threads: [4]\nGraph: [m.tflite]\n"
        + RESULT.replace(".\nRunning", ".Running").replace("std=816\n", "std=816"),
        "STARTING!\nNum threads: [4]\nGraph: [m.tflite]\n" + RESULT.replace("\n", " "),
    ],
)
def test_lines_that_ran_together_are_one_launch_with_all_its_numbers(text: str) -> None:
    (launch,) = read_text(text)
    assert (launch.status, launch.threads, launch.graph) == ("ok", 4, "m.tflite")
    times = launch.timings
    assert (times.init, times.first, times.warmup_mean, times.mean) == (12500, 201000, 200000, 190400)
    assert launch.delegation.asked is None


# --- other programs in between ------------------------------------------------------------------------------------

LABEL_IMAGE = """\
Loaded model ./mobilenet.tflite
resolved reporter
INFO: Created TensorFlow Lite delegate for NNAPI.
Applied NNAPI delegate.invoked
"""


@pytest.mark.parametrize(
    "prompt",
    [
        "localhost ~ # ",
        "root@imx8:~# ",
        "me@pi:~/tflite $ ",
        "phone:/data/local/tmp $ ",
        "(venv) me@pi:~$ ",
        "$ ",
        "+ ",
    ],
)
@pytest.mark.parametrize("program", ["label_image --accelerated 1", "./label_image", "/usr/bin/python3 run.py"])
def test_what_another_program_says_between_two_launches_is_neithers(prompt: str, program: str) -> None:
    text = (
        f"{prompt}./benchmark_model --graph=a.tflite\n{COUNT}\n"
        f"{prompt}{program}\n{LABEL_IMAGE}"
        f"{prompt}./benchmark_model --graph=b.tflite\n{COUNT}\n"
    )
    found = read_text(text)
    assert [(launch.status, launch.graph, launch.delegation.asked) for launch in found] == [
        ("ok", "a.tflite", None),
        ("ok", "b.tflite", None),
    ]


@pytest.mark.parametrize("average", ["average time: 447.802 ms ", "INFO: average time: 31.488 ms"])
def test_another_program_without_its_command_is_told_by_its_last_line(average: str) -> None:
    found = read_text(f"{RESULT}{LABEL_IMAGE}{average}\nSTARTING!\nLoaded model b.tflite\n{RESULT}")
    assert [(launch.status, launch.delegation.asked) for launch in found] == [("ok", None), ("ok", None)]
    assert read_text(f"{LABEL_IMAGE}{average}\n") == []


def test_a_command_whose_output_was_shown_by_another_keeps_its_flags() -> None:
    text = f"$ ./benchmark_model --graph=a.tflite --num_threads=3 > log.txt\n$ cat log.txt\n{RESULT}"
    (launch,) = read_text(text)
    assert (launch.status, launch.graph, launch.threads) == ("ok", "a.tflite", 3)


@pytest.mark.parametrize(("count", "status"), [(50, "ok"), (7, "ok"), (300, "incomplete")])
def test_a_lone_count_line_is_the_measurement_where_it_has_the_number_of_runs(count: int, status: str) -> None:
    flag = "" if count != 7 else " --num_runs=7"
    (launch,) = read_text(f"$ benchmark_model --graph=m.tflite{flag}\n{COUNT.replace('count=50', f'count={count}')}")
    assert launch.status == status


# --- a claim taken back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "kind", "taken_back"),
    [
        ("DispatchDelegate", "npu", "ERROR: [dispatch_delegate.cc:130] Failed to create a dispatch delegate kernel: No usable Dispatch runtime found"),
        ("TfLiteGpuDelegateV2", "gpu", "ERROR: TfLiteGpuDelegate Init: Batch size mismatch, expected 1 but got 64"),
        ("TfLiteGpuDelegate", "gpu", "ERROR: TfLiteGpuDelegate Prepare: delegate is not initialized"),
        ("TfLiteNnapiDelegate", "nnapi", "ERROR: Node number 31 (TfLiteNnapiDelegate) failed to prepare."),
        ("TfLiteHexagonDelegate", "hexagon", "ERROR: Node number 31 (DELEGATE) failed to prepare."),
        ("MyDelegate", "external", "ERROR: Node number 31 (MyDelegate) failed to prepare."),
    ],
)  # fmt: skip
def test_nodes_that_were_replaced_and_could_not_be_made_are_no_delegation(
    kernel: str, kind: str, taken_back: str
) -> None:
    text = f"Loaded model m.tflite\nVERBOSE: Replacing 31 out of 31 node(s) with delegate ({kernel}) node, yielding 1 partitions.\n"
    launch = read_launch(f"{text}{taken_back}\nERROR: Failed to allocate tensors!\nERROR: Benchmarking failed.\n")
    assert (launch.status, launch.delegation.asked, launch.delegation.verdict) == ("failed", kind, "none")
    assert launch.delegation.evidence == taken_back


def test_a_word_on_the_delegate_outweighs_a_remark_before_it() -> None:
    found = read_launch(
        "NPU accelerator could not be loaded and registered: kLiteRtStatusErrorNotFound.\n"
        "Replacing 20 out of 31 node(s) with delegate (DispatchDelegate) node, yielding 5 partitions.\n" + RESULT,
        ["--use_npu=true"],
    ).delegation
    assert (found.verdict, found.nodes_delegated) == ("partial", 20)


# --- values that were left out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["...", "…", "xxx", "***", "<time>", "?", "nan", "-nan", "[...]", "n/a"])
def test_a_value_that_was_left_out_is_null_and_the_rest_is_read(gone: str) -> None:
    (launch,) = read_text(
        f"count=50 first={gone} curr={gone} min=51536 max={gone} avg=54074.1 std=1042\n"
        f"Inference timings in us: Init: {gone}, First inference: {gone}, Warmup (avg): {gone}, Inference (avg): 54074.1\n"
        f"Memory footprint delta from the start of the tool (MB): init={gone} overall=18.5\n"
    )
    times = launch.timings
    assert (launch.status, launch.runs, times.mean, times.min, times.std) == ("ok", 50, 54074.1, 51536, 1042)
    assert (times.init, times.first, times.warmup_mean, times.max) == (None, None, None, None)
    assert (launch.memory.init_delta_mb, launch.memory.overall_delta_mb) == (None, 18.5)


@pytest.mark.parametrize(
    "line",
    [
        "count=50 ... avg=54074.1 std=1042",
        "count=50 min=51536 max=56574 avg=54074.1",
        "count=... first=1 curr=2 avg=54074.1 ...",
    ],
)
def test_fields_that_were_left_out_are_null(line: str) -> None:
    summary = "Inference timings in us: Init: ..., First inference: ..., Warmup (avg): ..., Inference (avg): 54074.1"
    (launch,) = read_text(f"{line}\n{summary}\n")
    assert (launch.status, launch.timings.mean, launch.timings.median) == ("ok", 54074.1, None)
    assert launch.runs == (None if "count=..." in line else 50)


# --- a flag given twice -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "echo", "name"),
    [
        ("--use_gpu=true", "Use gpu: [1]", "GPU"),
        ("--external_delegate_path=/x.so", "External delegate path: [/x.so]", "EXTERNAL"),
        ("--use_nnapi=1", "Use NNAPI: [1]", "NNAPI"),
        ("--use_nnapi=1", "", "NNAPI"),
    ],
)
def test_a_repetition_that_nobody_took_does_not_undo_the_first(flag: str, echo: str, name: str) -> None:
    applied = f"Explicitly applied {name} delegate, and the model graph will be completely executed by the delegate."
    found = launch_of(f"WARN: Unconsumed cmdline flags: {flag}", echo, f"{name} delegate created.", applied).delegation
    assert (found.asked, found.verdict, found.evidence) == (name.lower(), "full", applied)


def test_of_a_flag_given_twice_the_first_counts() -> None:
    launch = launch_of("Unconsumed cmdline flags: --use_gpu=true --num_threads=8", "Use gpu: [0]", "Num threads: [2]")
    assert (launch.delegation.asked, launch.threads) == (None, 2)


# --- no warm-up ---------------------------------------------------------------------------------------------------


def test_no_warm_up_has_no_times() -> None:
    for text in (run_of("60").text, RESULT.replace(WARMUP, "count=0").replace("201000", "0").replace("200000", "0")):
        launch = read_launch(text)
        assert (launch.warmup_runs, launch.timings.first, launch.timings.warmup_mean) == (0, None, None)
    alone = "Inference timings in us: Init: 5, First inference: 0, Warmup (avg): 0, Inference (avg): 190400"
    assert read_launch(alone).timings.warmup_mean is None
    block = "Warmup (first):       0.00 ms\nWarmup (avg):         0.00 ms (0 runs)\nInference (avg):      6.20 ms (50 runs)\n"
    assert (read_launch(block).timings.warmup_mean, read_launch(block).warmup_runs) == (None, 0)
