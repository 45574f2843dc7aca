"""Launches over ONNX Runtime: what the verdict says of real providers, and what is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto

from benchbench.device_script.protocol import REQUEST, Evaluation
from benchbench.runtimes.models import inspect
from benchbench.runtimes.onnxruntime.backends import AnyProvider, Cpu, OpenVino, WebGpu
from benchbench.runtimes.onnxruntime.backends import Xnnpack as OrtXnnpack
from benchbench.values.errors import Unsupported
from benchbench.values.outcome import Delegation
from tests.beds import onnx_models as models
from tests.runtimes.onnxruntime.conftest import Launch, saved

ON_CPU = OpenVino(options={"device_type": "CPU"})


def counted(delegation: Delegation) -> tuple[str, int | None, int | None, int | None]:
    return delegation.verdict, delegation.nodes_delegated, delegation.nodes_total, delegation.partitions


def test_the_cpu_runs_every_node_and_every_phase_is_told_apart(launch: Launch) -> None:
    reading = launch(models.conv(), Cpu(), threads=2).reading
    times, memory = reading.measurement.timings, reading.measurement.memory
    assert reading.status == "ok", reading.error
    assert (reading.delegation.verdict, reading.delegation.nodes_total) == ("full", 5)
    assert reading.delegation.executor == "ort-cpu"
    assert reading.measurement.tool == f"onnxruntime {onnxruntime.__version__} InferenceSession"
    assert reading.measurement.ops == {"Conv": 1, "Relu": 1, "GlobalAveragePool": 1, "Flatten": 1, "Softmax": 1}
    assert (reading.measurement.threads, reading.measurement.runs, len(times.samples)) == (2, 5, 5)
    assert (times.init or 0) > 0
    assert (times.first or 0) > 0
    assert 10 < (memory.rss_start_mb or 0) < (memory.rss_loaded_mb or 0) <= (memory.rss_peak_mb or 0)


def test_a_plug_in_that_takes_everything_is_full(launch: Launch, intel_python: str) -> None:
    reading = launch(models.conv(), OpenVino(), python=intel_python).reading
    assert reading.status == "ok", reading.error
    assert counted(reading.delegation) == ("full", 5, 5, 1)
    assert "its device: OpenVINOExecutionProvider on CPU (Intel)" in (reading.delegation.evidence or "")
    assert max((error or 0) for error in reading.measurement.output_errors.values()) < 1e-3


def test_one_that_lacks_an_operator_is_partial_and_what_is_left_is_named(launch: Launch, intel_python: str) -> None:
    reading = launch(models.with_binarizer(), OpenVino(device="cpu"), python=intel_python, profile=True).reading
    assert counted(reading.delegation) == ("partial", 4, 5, 2)
    assert "CPUExecutionProvider: 1 (Binarizer)" in (reading.delegation.evidence or "")
    assert reading.delegation.executor == "ort-openvino, rest on ort-cpu"
    profile = reading.measurement.profile
    assert profile is not None
    assert [(op.type, op.calls) for op in profile.by_op if op.executor is None] == [("Binarizer", 1)]
    assert [op.executor for op in profile.by_op if op.type != "Binarizer"] == ["ort-openvino", "ort-openvino"]
    assert all(op.mean_us > 0 for op in profile.by_op)


def test_one_that_refuses_a_model_which_the_cpu_takes_is_unavailable(launch: Launch, intel_python: str) -> None:
    reading = launch(models.of_unknown_rank(), OpenVino(), python=intel_python).reading
    assert (reading.status, reading.delegation.verdict) == ("failed", "unavailable")
    assert "dynamic rank" in (reading.error or "")
    assert ".cc:" not in (reading.error or "")


def test_a_failure_at_run_is_no_number_and_says_who_had_taken_the_graph(launch: Launch, intel_python: str) -> None:
    reading = launch(models.that_fails_at_run(), OpenVino(), python=intel_python).reading
    assert (reading.status, reading.delegation.verdict) == ("failed", "full")
    assert (reading.error or "").startswith("first inference: ")
    assert reading.measurement.timings.mean is None


def test_a_device_that_the_plug_in_does_not_offer_is_unavailable(launch: Launch, intel_python: str) -> None:
    reading = launch(models.conv(), OpenVino(device="npu"), python=intel_python).reading
    assert (reading.status, reading.delegation.verdict) == ("failed", "unavailable")
    assert "offers no device for OpenVINOExecutionProvider on the NPU" in (reading.error or "")


def test_one_that_is_built_in_gets_its_options_and_may_take_nothing(
    launch: Launch, openvino_build: Mapping[str, str]
) -> None:
    """With a device that it does not have, this one says nothing, and leaves every node alone."""
    reading = launch(models.with_binarizer(), ON_CPU, openvino_build).reading
    assert counted(reading.delegation) == ("partial", 4, 5, 2)
    wrong = launch(models.conv(), OpenVino(options={"device_type": "ABACUS"}), openvino_build).reading
    assert counted(wrong.delegation) == ("none", 0, 5, 0)
    assert wrong.delegation.executor == "ort-cpu (ort-openvino took nothing)"


OLDER = """
from onnxruntime import InferenceSession
del InferenceSession.__base__.get_provider_graph_assignment_info
"""


@pytest.mark.parametrize(
    ("model", "verdict", "said"),
    [
        (models.conv(), "full", "node placements OpenVINOExecutionProvider: 1;"),
        (models.with_binarizer(), "partial", "OpenVINOExecutionProvider: 2"),
    ],
    ids=["full", "partial"],
)
def test_a_version_that_has_no_assignment_is_judged_by_its_log(
    launch: Launch, openvino_build: Mapping[str, str], tmp_path: Path, model: ModelProto, verdict: str, said: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(OLDER)
    path = f"{tmp_path}:{openvino_build['PYTHONPATH']}"
    delegation = launch(model, ON_CPU, {"PYTHONPATH": path}).reading.delegation
    assert (delegation.verdict, delegation.nodes_total) == (verdict, None)
    assert said in (delegation.evidence or "")


@pytest.mark.parametrize(
    ("delegate", "library", "said"),
    [
        (WebGpu(), None, "offers no device for WebGpuExecutionProvider"),  # found by its package; there is no GPU
        (OrtXnnpack(), None, "has no XnnpackExecutionProvider: "),
        (AnyProvider(execution_provider="NoSuchExecutionProvider"), None, "has no NoSuchExecutionProvider: "),
        (OpenVino(), "/nowhere.so", "/nowhere.so"),
        (OpenVino(), onnxruntime.__file__, "invalid ELF header"),
    ],
)
def test_a_provider_that_cannot_be_had_is_unavailable_and_no_cpu_number(
    launch: Launch, delegate: OpenVino, library: str | None, said: str
) -> None:
    reading = launch(models.conv(), delegate, library=library).reading
    assert (reading.status, reading.delegation.verdict) == ("failed", "unavailable")
    assert said in (reading.error or "")
    assert ("has no " in said) == bool(reading.remedy)
    assert reading.measurement.timings.mean is None


def test_the_cpu_is_no_provider_beside_itself() -> None:
    with pytest.raises(ValueError, match="ort-cpu"):
        AnyProvider(execution_provider="CPUExecutionProvider")


def test_shapes_of_the_matrix_fix_symbolic_dimensions_before_the_graph_is_built(launch: Launch) -> None:
    launched = launch(models.conv("N"), Cpu(), shapes=[(2, 3, 8, 8)])
    request = json.loads((launched.folder / REQUEST).read_text())
    assert launched.reading.status == "ok", launched.reading.error
    assert request["delegate"]["dimensions"] == {"N": 2}
    assert json.loads((launched.folder / "answer.json").read_text())["outputs"][0]["shape"] == [2, 4]


def test_a_dimension_with_two_sizes_and_a_shape_that_does_not_fit_are_refused(launch: Launch) -> None:
    nodes = [models.node("Add", ["a", "b"], "y")]
    both = models.model(nodes, [("a", 1, ["N"]), ("b", 1, ["N"])], [("y", 1, ["N"])])
    with pytest.raises(Unsupported, match="'N' two sizes, 2 and 3"):
        launch(both, Cpu(), shapes=[(2,), (3,)])
    error = launch(models.conv(), Cpu(), shapes=[(1, 3, 9, 9)]).reading.error
    assert error == "allocate: ValueError: input 'image' is [1, 3, 8, 8], asked for is [1, 3, 9, 9]"


def test_weights_beside_the_model_are_found_wherever_the_device_keeps_them(launch: Launch, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    (folder / "parts").mkdir(parents=True)
    (tmp_path / "store").mkdir()
    onnx.save(
        models.matmul(), folder / "net.onnx", save_as_external_data=True, location="parts/w.bin", size_threshold=0
    )
    (folder / "parts" / "w.bin").rename(tmp_path / "store" / "abc.bin")
    (folder / "net.onnx").rename(tmp_path / "store" / "net.onnx")
    store = tmp_path / "store"
    (store / "parts").mkdir()
    (store / "parts" / "w.bin").write_bytes((store / "abc.bin").read_bytes())  # for inspecting it here
    found = launch(store / "net.onnx", Cpu(), data={"parts/w.bin": str(store / "abc.bin")})
    assert found.reading.status == "ok", found.reading.error
    assert (found.folder / "model" / "parts" / "w.bin").resolve() == store / "abc.bin"


@pytest.mark.parametrize("kind", ["FLOAT16", "DOUBLE", "INT8", "UINT8", "INT32", "INT64", "BOOL", "STRING"])
def test_every_plain_type_can_be_fed(launch: Launch, kind: str) -> None:
    reading = launch(models.of_type(getattr(TensorProto, kind)), Cpu()).reading
    assert (reading.status, len(reading.measurement.timings.samples)) == ("ok", 5), reading.error


def test_a_type_that_numpy_does_not_have_is_a_skip_with_the_reason(launch: Launch) -> None:
    reading = launch(models.of_type(TensorProto.BFLOAT16), Cpu()).reading
    assert (reading.status, reading.error) == ("skipped", "'x' is tensor(bfloat16), which numpy has no type for")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"opset": 99}, "opset 99 is newer than"), ({"ir_version": 99}, "IR version 99 is newer than")],
)
def test_a_model_newer_than_the_runtime_says_so(
    launch: Launch, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    newer = models.model([models.node("Relu", ["x"], "y")], [("x", 1, [1])], [("y", 1, [1])], **changes)
    reading = launch(newer, Cpu()).reading
    assert (reading.status, reading.delegation.verdict) == ("failed", "unknown")
    told = f"{said} onnxruntime {onnxruntime.__version__}"
    assert (reading.error or "").startswith(f"{told} knows (")
    assert "older" in (reading.remedy or "")
    (note,) = inspect(saved(newer, tmp_path / "newer.onnx")).notes
    assert note.startswith(f"{told} on this host knows (")


def test_a_file_that_does_not_load_is_not_called_by_its_place_in_the_store(launch: Launch, tmp_path: Path) -> None:
    unknown = models.model([models.node("Gone", ["x"], "y")], [("x", 1, [1])], [("y", 1, [1])])
    reading = launch(unknown, Cpu()).reading
    assert reading.status == "failed"
    assert "Gone" in (reading.error or "")
    assert ".onnx" not in (reading.error or "")


def test_the_settings_of_the_session_are_those_of_the_matrix(launch: Launch) -> None:
    """A graph as it stands in the file has other kernels than an optimised one."""
    plain = launch(models.conv(), Cpu(optimization="disable", arena=False, memory_pattern=False), profile=True)
    best = launch(models.conv(), Cpu(inter_threads=2), profile=True)
    profiles = [one.reading.measurement.profile or pytest.fail("no profile") for one in (plain, best)]
    types = [[op.type for op in profile.by_op] for profile in profiles]
    assert types[0] == ["Conv", "Relu", "GlobalAveragePool", "Flatten", "Softmax"]
    assert "Relu" not in types[1]


def test_outputs_are_those_of_plain_onnxruntime(launch: Launch, tmp_path: Path) -> None:
    from benchbench.accuracy.outputs import read_outputs
    from benchbench.device_script.protocol import OUTPUTS, Evaluation

    samples = np.random.RandomState(3).uniform(-1, 1, (5, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    launched = launch(models.conv("N"), Cpu(), evaluation=Evaluation(samples=str(tmp_path / "samples.npz")))
    (output,) = read_outputs(launched.folder / OUTPUTS)
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    expected = np.concatenate([session.run(None, {"image": one[None]})[0] for one in samples])
    assert launched.reading.measurement.evaluated == 5
    assert np.array_equal(output.raw, expected)


def test_a_file_may_say_another_batch_of_what_comes_out(launch: Launch) -> None:
    reading = launch(models.of_another_batch(), Cpu(), shapes=[(3, 8)]).reading
    assert reading.status == "ok", reading.error
    assert reading.measurement.runs == 5


def test_how_much_comes_out_may_differ_from_sample_to_sample(launch: Launch, tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", x=np.tri(5, 8, dtype=np.float32))  # one more is found in each
    evaluation = Evaluation(samples=str(tmp_path / "samples.npz"))
    reading = launch(models.found_among(), Cpu(), evaluation=evaluation).reading
    assert reading.error == "evaluate: NotComparable: output 'found' has another shape from sample to sample"
