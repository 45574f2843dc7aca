"""The reading of a trial: the exit code first, files before text, never a label that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.runtimes.tflite.backends import Delegate
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.edgetpu import EdgeTpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, Capabilities
from benchbench.values.job import JobOutput
from benchbench.values.outcome import LaunchResult
from tests.beds.launch import work_for
from tests.runtimes.tflite.benchmark_model import run_of, written

XNNPACK_LINE = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
RUNNER = BenchmarkModelRunner(Capabilities("tflite", frozenset()))


def reading(number: str, delegate: Delegate, answers: dict[str, bytes] | None = None, **changes: Any) -> LaunchResult:
    run = run_of(number)
    given: dict[str, Any] = {"exit_code": run.exit_code, "late": False} | changes
    raw = JobOutput(stdout=run.stdout.encode(), stderr=run.stderr.encode(), answers=answers or {}, **given)
    return RUNNER.read(work_for(Path("m.tflite"), delegate), raw)


def test_a_good_run_is_ok_and_the_files_numbers_are_preferred() -> None:
    found = reading("73", Xnnpack(), {"result.pb": written("result.pb")})
    measured = found.measurement
    assert (found.status, found.delegation.verdict, found.delegation.fallback) == ("ok", "full", "cpu")
    assert measured.timings.mean == pytest.approx(1125.615, abs=0.001)
    assert (measured.timings.median, measured.timings.init, measured.runs) == (486, 7428, 169)
    assert measured.tool == "benchmark_model (tflite)"


def test_a_result_file_that_was_cut_leaves_the_text_standing() -> None:
    found = reading("73", Xnnpack(), {"result.pb": written("result.pb")[:20], "runtime_info.pb": b"\xff"})
    assert (found.status, found.measurement.timings.mean) == ("ok", 1125.62)


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (1, "exit code 1"),
        (255, "exit code 255"),
        (134, "SIGABRT"),
        (-6, "SIGABRT"),
        (139, "SIGSEGV"),
        (136, "SIGFPE"),
        (132, "SIGILL"),
        (137, "SIGKILL"),
    ],
)
def test_a_result_with_a_bad_exit_code_is_a_failure_that_names_the_signal(exit_code: int, words: str) -> None:
    found = reading("05", Xnnpack(), exit_code=exit_code)
    assert found.status == "failed"
    assert words in (found.error or "")


@pytest.mark.parametrize(
    ("stdout", "stderr", "line"),
    [
        ("INFO: STARTING!\nINFO: Loaded model m.tflite\n", XNNPACK_LINE, "INFO: Loaded model m.tflite"),
        ("INFO: STARTING!\n", f"{XNNPACK_LINE}Segmentation fault\n", "INFO: STARTING!"),
        ("INFO: STARTING!\n", f"ERROR: no memory for the tensors\n{XNNPACK_LINE}", "ERROR: no memory for the tensors"),
        (
            "INFO: STARTING!\n",
            f"FATAL: The size of F is 31 bytes.\n{XNNPACK_LINE}",
            "FATAL: The size of F is 31 bytes.",
        ),
        ("", "", "it said nothing"),
    ],
)
def test_a_death_is_told_with_the_last_telling_line(stdout: str, stderr: str, line: str) -> None:
    found = RUNNER.read(work_for(Path("m.tflite"), Xnnpack()), JobOutput(139, stdout.encode(), stderr.encode()))
    assert (found.status, found.error) == ("failed", f"crashed with signal 11 (SIGSEGV): {line}")


def test_a_trial_that_was_killed_says_after_how_long() -> None:
    found = reading("05", Xnnpack(), exit_code=137, late=True)
    assert found.status == "failed"
    assert found.error is not None
    assert found.error.startswith("killed after 120 s")


def test_a_flag_that_was_not_taken_fails_the_trial_although_the_tool_ended_well() -> None:
    found = reading("39", Gpu())
    assert (found.status, found.error) == ("failed", "the tool did not take --use_gpu=true")
    assert found.delegation.verdict == "unavailable"


@pytest.mark.parametrize("number", ["63", "67"])
def test_a_run_without_an_inference_is_no_empty_success(number: str) -> None:
    found = reading(number, Xnnpack())
    assert (found.status, found.error) == ("failed", "no inference was run")


def test_an_output_without_a_result_fails_with_its_last_words() -> None:
    work = work_for(Path("m.tflite"), Cpu())
    found = RUNNER.read(work, JobOutput(0, b"STARTING!\nsomething odd\n", b""))
    assert (found.status, found.error) == ("failed", "no result in the output: something odd")
    silent = RUNNER.read(work, JobOutput(0, b"", b""))
    assert silent.error == "no result in the output: it said nothing"


def test_an_unavailable_accelerator_is_a_result_with_the_right_label() -> None:
    found = reading("bz02", Gpu())
    assert (found.status, found.delegation.verdict) == ("ok", "unavailable")
    assert found.delegation.executor == "xnnpack (gpu unavailable)"


def test_a_library_that_was_passed_over_in_silence_is_unavailable() -> None:
    found = reading("46", External(path="/nonexistent/libfoo.so"))
    assert (found.status, found.delegation.asked, found.delegation.verdict) == ("ok", "external", "unavailable")


def test_an_edge_tpu_is_an_external_delegate_to_the_tool() -> None:
    found = reading("50", EdgeTpu())
    assert (found.delegation.asked, found.delegation.verdict) == ("edgetpu", "partial")
    assert (found.delegation.nodes_delegated, found.delegation.nodes_total) == (35, 65)


def test_reference_kernels_are_believed_only_without_a_word_of_xnnpack() -> None:
    plain, mixed = reading("06", Cpu()).delegation, reading("04", Cpu()).delegation
    assert (plain.asked, plain.verdict, plain.executor) == ("cpu", "full", "cpu")
    assert (mixed.verdict, mixed.executor) == ("none", "xnnpack (cpu took nothing)")
