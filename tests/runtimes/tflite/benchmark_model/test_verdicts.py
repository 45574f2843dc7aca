"""The ways in which a log claims an accelerator that did not run: each gets its verdict, with its evidence."""

# ruff: noqa: E501  (lines of the tool, as it prints them)
from __future__ import annotations

import pytest

from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch
from benchbench.values.outcome import Delegation

RESULT = """\
The input model file size (MB): 3.4
Initialized session in 12.5ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
count=9 first=61000 curr=60500 min=60000 max=61000 avg=60300 std=300

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
count=50 first=60100 curr=60200 min=59000 max=62000 avg=60123.4 std=500

Inference timings in us: Init: 12500, First inference: 61000, Warmup (avg): 60300, Inference (avg): 60123.4
"""
EVERYTHING = (
    "Replacing 31 out of 31 node(s) with delegate (TfLiteNnapiDelegate) node, yielding 1 partitions for subgraph 0"
)


def verdict_of(asked: str, *lines: str, result: bool = True) -> Delegation:
    head = ["STARTING!", "Log parameter values verbosely: [0]", asked, "Loaded model m.tflite"]
    return read_launch("\n".join([*head, *lines, RESULT if result else ""])).delegation


@pytest.mark.parametrize(
    ("asked", "lines", "kind", "verdict"),
    [
        ("Use gpu: [1]", ["GPU acceleration is unsupported on this platform."], "gpu", "unavailable"),
        ("Use NNAPI: [1]", ["WARN: NNAPI acceleration is unsupported on this platform."], "nnapi", "unavailable"),
        ("Use CoreML: [1]", ["CoreML acceleration is unsupported on this platform."], "coreml", "unavailable"),
        (
            "Use Hexagon: [1]",
            ["Could not create Hexagon delegate: platform may not support delegate or required libraries are missing"],
            "hexagon",
            "unavailable",
        ),
        ("Use NNAPI: [1]", ["Couldn't load NNAPI support library from path: /x.so"], "nnapi", "unavailable"),
        ("Use gpu: [1]", [], "gpu", "unavailable"),
        ("External delegate path: [/no.so]", [], "external", "unavailable"),
        (
            "Use NNAPI: [1]",
            ["NNAPI delegate created.", "Though NNAPI delegate is explicitly applied, the model graph will not be executed by the delegate."],
            "nnapi",
            "none",
        ),
        ("Use gpu: [1]", ["GPU delegate created."], "gpu", "unknown"),
        (
            "Use gpu: [1]",
            ["INFO: Created TensorFlow Lite delegate for GPU.", "INFO: Initialized OpenCL-based API."],
            "gpu",
            "unknown",
        ),
        ("Use NNAPI: [1]", [f"VERBOSE: {EVERYTHING}."], "nnapi", "full"),
        (
            "Use NNAPI: [1]",
            [f"VERBOSE: {EVERYTHING}.", "ERROR: Restored original execution plan after delegate application failure."],
            "nnapi",
            "none",
        ),
        (
            "Use NNAPI: [1]",
            ["Replacing 20 out of 31 node(s) with delegate (TfLiteNnapiDelegate) node, yielding 5 partitions."],
            "nnapi",
            "partial",
        ),
        (
            "Use gpu: [1]",
            ["Replacing 31 out of 31 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 1 partitions."],
            "gpu",
            "unavailable",
        ),
        (
            "Use gpu: [1]",
            ["Explicitly applied XNNPACK delegate, and the model graph will be completely executed by the delegate."],
            "gpu",
            "unavailable",
        ),
        (
            "Use gpu: [1]",
            ["Applied GPU delegate, and the model graph will be partially executed w/ the delegate."],
            "gpu",
            "partial",
        ),
        (
            "Use gpu: [1]",
            ["ERROR: Following operations are not supported by GPU delegate:", "PAD: ...", "20 operations will run on the GPU, and the remaining 11 operations will run on the CPU."],
            "gpu",
            "partial",
        ),
        (
            "Use Hexagon: [1]",
            ["INFO: TfLiteHexagonDelegate delegate: 29 nodes delegated out of 31 nodes with 2 partitions."],
            "hexagon",
            "partial",
        ),
    ],
)  # fmt: skip
def test_a_result_is_the_delegates_only_as_far_as_the_tool_says_so(
    asked: str, lines: list[str], kind: str, verdict: str
) -> None:
    found = verdict_of(asked, *lines)
    assert (found.asked, found.verdict) == (kind, verdict)
    assert (found.evidence is None) == (verdict == "unknown")


def test_a_result_that_ran_elsewhere_is_still_a_result() -> None:
    text = "\n".join(["STARTING!", "Use gpu: [1]", "WARN: GPU acceleration is unsupported on this platform.", RESULT])
    launch = read_launch(text)
    assert (launch.status, launch.timings.mean) == ("ok", 60123.4)
    assert launch.delegation.executor.endswith("(gpu unavailable)")


@pytest.mark.parametrize(
    "flag", ["--use_gpu=true", "--use_gpu=1", "--external_delegate_path=/x.so", "--use_nnapi=true"]
)
def test_a_flag_that_nobody_consumed_makes_its_delegate_unavailable(flag: str) -> None:
    found = read_launch(f"STARTING!\nWARN: Unconsumed cmdline flags: {flag}\nLoaded model m.tflite\n{RESULT}")
    assert found.delegation.verdict == "unavailable"
    assert found.delegation.evidence == f"WARN: Unconsumed cmdline flags: {flag}"
    assert found.unconsumed == (flag,)


def test_a_crash_after_the_delegate_was_created_is_a_failure_without_a_verdict() -> None:
    launch = read_launch("External delegate path: [/x.so]\nINFO: EXTERNAL delegate created.\nSegmentation fault\n")
    assert (launch.status, launch.error, launch.delegation.verdict) == ("failed", "Segmentation fault", "unknown")


def test_replacing_every_node_and_then_failing_to_apply_is_no_delegation() -> None:
    launch = read_launch(
        "\n".join(
            [
                "STARTING!",
                "Use NNAPI: [1]",
                "Loaded model m.tflite",
                "NNAPI delegate created.",
                f"VERBOSE: {EVERYTHING}.",
                "ERROR: NN API returned error ANEURALNETWORKS_OP_FAILED at line 3779 while completing NNAPI compilation.",
                "ERROR: Restored original execution plan after delegate application failure.",
                "Failed to apply NNAPI delegate.",
                "Benchmarking failed.",
            ]
        )
    )
    assert (launch.status, launch.delegation.verdict) == ("failed", "none")
    assert launch.error is not None
    assert "ANEURALNETWORKS_OP_FAILED" in launch.error


def test_a_summary_above_a_failure_is_no_success() -> None:
    text = f"STARTING!\nLoaded model m.tflite\n{RESULT}ERROR: Node number 3 (Dummy) failed to invoke.\nERROR: Benchmarking failed."
    launch = read_launch(text)
    assert (launch.status, launch.error) == ("failed", "ERROR: Node number 3 (Dummy) failed to invoke.")


def test_of_two_delegates_each_has_its_own_line() -> None:
    lines = (
        "Going to apply 2 delegates one after another.",
        "Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 2 delegate kernels.",
        "Explicitly applied XNNPACK delegate, and the model graph will be partially executed by the delegate w/ 7 delegate kernels.",
    )
    found = verdict_of("Use gpu: [1]", *lines)
    assert (found.asked, found.verdict, found.kernels, found.fallback) == ("gpu", "partial", 2, "xnnpack")


def test_the_nodes_of_a_control_flow_body_are_not_those_of_the_graph() -> None:
    found = verdict_of(
        "Use NNAPI: [1]",
        "Replacing 5 out of 5 node(s) with delegate (TfLiteNnapiDelegate) node, yielding 1 partitions for subgraph 1 (body).",
        "Replacing 20 out of 31 node(s) with delegate (TfLiteNnapiDelegate) node, yielding 5 partitions for subgraph 0 (main).",
    )
    assert (found.verdict, found.nodes_delegated, found.nodes_total, found.partitions) == ("partial", 20, 31, 5)


def test_nnapi_accelerators_that_the_tool_listed_are_kept() -> None:
    text = f"STARTING!\nUse NNAPI: [1]\nNNAPI accelerators available: [qti-dsp,nnapi-reference]\n{RESULT}"
    assert read_launch(text).delegation.accelerators == ("qti-dsp", "nnapi-reference")


def test_a_profile_shows_who_ran_where_the_text_says_nothing_else() -> None:
    row = "\t     TfLiteNnapiDelegate\t    1.0\t    2.0\t 50.000%\t 50.000%\t     0.000\t        1\t[a]:7\n"
    other = "\t                 CONV_2D\t    1.0\t    2.0\t 50.000%\t100.000%\t     0.000\t        1\t[b]:8\n"
    head = "\t[node type]\t[first]\t[avg ms]\t[%]\t[cdf%]\t[mem KB]\t[times called]\t[Name]\n"
    text = (
        f"$ benchmark_model --graph=m.tflite --use_nnapi=true\n{RESULT}"
        f"Operator-wise Profiling Info for Regular Benchmark Runs:\n====== Run Order ======\n{head}{row}{other}"
    )
    found = read_launch(text).delegation
    assert (found.asked, found.verdict, found.evidence) == ("nnapi", "partial", "op profile: TfLiteNnapiDelegate")
