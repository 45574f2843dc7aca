"""External delegates, really loaded: what they took, and every way in which they can refuse."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from benchbench.runtimes.tflite.backends.edgetpu import EdgeTpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.values.outcome import LaunchResult
from tests.beds import models
from tests.beds.launch import QUICK, launch, work_for


def external(library: Path | str, **options: str) -> External:
    return External(path=str(library), options=options)


def assert_no_number(reading: LaunchResult) -> None:
    assert reading.status == "failed"
    assert reading.measurement.timings.mean is None
    assert reading.measurement.timings.samples == ()


def test_a_delegate_that_takes_every_node_is_full_and_agrees_with_the_cpu(
    tmp_path: Path, delegate_library: Path
) -> None:
    model = tmp_path / "relus.tflite"
    model.write_bytes(models.chain_model(3, ops=models.ELEMENTWISE[:3]))
    reading = launch(work_for(model, external(delegate_library, mode="elementwise")), tmp_path / "job").reading
    assert reading.status == "ok"
    took = reading.delegation
    assert (took.asked, took.verdict) == ("external", "full")
    assert (took.nodes_delegated, took.nodes_total, took.partitions) == (3, 3, 3)
    assert "TestExternalDelegate: 3" in (took.evidence or "")
    assert reading.measurement.output_errors["t2"] == pytest.approx(0, abs=1e-5)
    assert reading.measurement.warnings == ()


def test_what_a_delegate_leaves_is_named_with_its_executor(tmp_path: Path, chain: Path, delegate_library: Path) -> None:
    reading = launch(work_for(chain, external(delegate_library, mode="elementwise")), tmp_path).reading
    took = reading.delegation
    assert took.verdict == "partial"
    assert (took.nodes_delegated, took.nodes_total, took.partitions) == (6, 8, 6)
    assert took.executor == "external, rest on xnnpack"
    assert "TfLiteXNNPackDelegate: 2" in (took.evidence or "")


def test_a_delegate_that_takes_nothing_never_gets_the_number(
    tmp_path: Path, chain: Path, delegate_library: Path
) -> None:
    reading = launch(work_for(chain, external(delegate_library, mode="none")), tmp_path).reading
    assert reading.status == "ok"
    assert reading.delegation.verdict == "none"
    assert reading.delegation.nodes_delegated == 0
    assert reading.delegation.executor == "xnnpack (external took nothing)"


def test_the_time_a_delegate_takes_is_in_the_latency(tmp_path: Path, chain: Path, delegate_library: Path) -> None:
    delegate = external(delegate_library, mode="elementwise", max_nodes="2", sleep_us="5000")
    began = time.monotonic()
    reading = launch(work_for(chain, delegate), tmp_path).reading
    wall_us = 1e6 * (time.monotonic() - began)
    assert reading.delegation.nodes_delegated == 2
    timings = reading.measurement.timings
    assert (timings.min or 0) >= 10_000
    assert QUICK.runs * (timings.mean or 0) <= wall_us  # a wrong clock or unit would miss one of the two by far


def test_a_missing_library_is_unavailable_with_the_loaders_words(tmp_path: Path, chain: Path) -> None:
    reading = launch(work_for(chain, external("libnowhere.so.1")), tmp_path).reading
    assert_no_number(reading)
    assert reading.delegation.verdict == "unavailable"
    assert "libnowhere.so.1: cannot open shared object file" in (reading.delegation.evidence or "")


def test_a_crash_while_the_plan_is_read_does_not_cost_the_number(
    tmp_path: Path, chain: Path, delegate_library: Path
) -> None:
    """Who looks makes the runtime prepare the graph again, and here that kills the process."""
    delegate = external(delegate_library, mode="elementwise", fail="again")
    reading = launch(work_for(chain, delegate), tmp_path).reading
    assert (reading.status, reading.delegation.verdict) == ("ok", "unknown")
    assert len(reading.measurement.timings.samples) > 0
    assert "ended while this was being read" in (reading.delegation.evidence or "")
    assert any("after its answer" in warning for warning in reading.measurement.warnings)


def test_a_library_that_is_no_delegate_is_unavailable(tmp_path: Path, chain: Path, stranger_library: Path) -> None:
    reading = launch(work_for(chain, external(stranger_library)), tmp_path).reading
    assert_no_number(reading)
    assert reading.delegation.verdict == "unavailable"
    assert "undefined symbol: tflite_plugin_create_delegate" in (reading.delegation.evidence or "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fail": "create"}, "testdelegate: no device found"),
        ({"bogus": "1"}, "testdelegate: unknown option 'bogus'"),
        ({"fail": "init", "mode": "elementwise"}, "testdelegate: kernel init failed"),
        ({"fail": "prepare", "mode": "elementwise"}, "testdelegate: prepare failed (fail=prepare)"),
    ],
)
def test_a_delegate_that_cannot_be_set_up_is_unavailable_and_says_why(
    tmp_path: Path, chain: Path, delegate_library: Path, options: dict[str, str], words: str
) -> None:
    reading = launch(work_for(chain, external(delegate_library, **options)), tmp_path).reading
    assert_no_number(reading)
    assert reading.delegation.verdict == "unavailable"
    assert words in (reading.delegation.evidence or "")


def test_a_delegate_that_fails_at_work_says_what_it_had_taken(
    tmp_path: Path, chain: Path, delegate_library: Path
) -> None:
    reading = launch(work_for(chain, external(delegate_library, mode="elementwise", fail="invoke")), tmp_path).reading
    assert_no_number(reading)
    assert "first inference" in (reading.error or "")
    assert "testdelegate: device lost (fail=invoke)" in (reading.error or "")
    assert (reading.delegation.verdict, reading.delegation.nodes_delegated) == ("partial", 6)


def test_a_delegate_that_kills_the_process_names_the_signal_and_the_stage(
    tmp_path: Path, chain: Path, delegate_library: Path
) -> None:
    launched = launch(work_for(chain, external(delegate_library, mode="elementwise", fail="abort")), tmp_path)
    assert launched.raw.exit_code == -signal.SIGABRT
    assert_no_number(launched.reading)
    assert "crashed with signal 6 (SIGABRT) (stage: first inference)" in (launched.reading.error or "")


def test_wrong_outputs_of_a_delegate_are_warned_about(tmp_path: Path, chain: Path, delegate_library: Path) -> None:
    reading = launch(work_for(chain, external(delegate_library, mode="elementwise", wrong="true")), tmp_path).reading
    assert reading.delegation.verdict == "partial"
    assert (reading.measurement.output_errors["t7"] or 0) > 0.05
    assert any("'t7' is not the CPU's" in line for line in reading.measurement.warnings)


def test_the_edge_tpus_custom_op_runs_through_its_delegate(
    tmp_path: Path, compiled_for_edgetpu: Path, delegate_library: Path
) -> None:
    delegate = External(path=str(delegate_library), name="edgetpu-stand-in", options={"mode": "edgetpu"})
    reading = launch(work_for(compiled_for_edgetpu, delegate), tmp_path).reading
    assert reading.status == "ok"
    assert (reading.delegation.verdict, reading.delegation.nodes_delegated) == ("full", 1)
    assert reading.measurement.ops == {"edgetpu-custom-op": 1}
    assert any("outputs were not checked" in line for line in reading.measurement.warnings)  # no CPU can run it


def test_an_edge_tpu_model_that_its_delegate_left_alone_is_none(
    tmp_path: Path, compiled_for_edgetpu: Path, delegate_library: Path
) -> None:
    reading = launch(work_for(compiled_for_edgetpu, external(delegate_library, mode="none")), tmp_path).reading
    assert_no_number(reading)
    assert reading.delegation.verdict == "none"
    assert "unresolved custom op: edgetpu-custom-op" in (reading.delegation.evidence or "")


def test_without_libedgetpu_the_edge_tpu_is_unavailable(tmp_path: Path, compiled_for_edgetpu: Path) -> None:
    work = work_for(compiled_for_edgetpu, EdgeTpu(device="usb:0"), library="libedgetpu-not-here.so.1")
    reading = launch(work, tmp_path).reading
    assert_no_number(reading)
    assert (reading.delegation.asked, reading.delegation.verdict) == ("edgetpu", "unavailable")


def test_a_broken_model_is_the_models_fault_not_the_delegates(tmp_path: Path, delegate_library: Path) -> None:
    model = tmp_path / "half.tflite"
    model.write_bytes(models.truncated_model())
    reading = launch(work_for(model, external(delegate_library, mode="elementwise")), tmp_path / "job").reading
    assert_no_number(reading)
    assert reading.delegation.verdict == "unknown"
    assert (reading.error or "").startswith("load: ValueError: ")
