"""Accuracy on the path that was timed: to the sample what a plain interpreter says, and broken files are flagged."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchbench import pipeline as api
from benchbench.accuracy.metrics import unpacked
from benchbench.analysis.frames import load
from benchbench.execution.selection import Selection
from benchbench.values.outcome import Outcome
from tests.end_to_end.conftest import FAMILY, Lab

ALL, NATIVE = 200, 120
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
SHIPPED = sorted(FAMILY.glob("*.tflite"))
MEASURE = """
[measure]
rounds = 1
canary = false
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""


def matrix(
    variants: list[Path], more: str, delegates: str = '"xnnpack"', devices: str = '"host", "board", "phone"'
) -> str:
    files = ", ".join(f'"{path}"' for path in variants)
    head = f'name = "accuracy"\ndevices = [{devices}]\ndelegates = [{delegates}]\n'
    return f'{head}[[model]]\nfamily = "fashion_mnist"\nvariants = [{files}]\n{more}{MEASURE}'


def scored(lab: Lab, path: Path, *only: str) -> dict[tuple[str, str], Outcome]:
    """Run a matrix with one delegate; the outcomes of its accuracy trials, by device and variant."""
    run = load(api.run(path, inventory=lab.folder / "devices", reports=lab.reports, selection=Selection(only=only)))
    return {(o.device, o.variant.partition(".")[2]): o for o in run.outcomes if o.purpose == "accuracy"}


def flagged(lab: Lab, path: Path) -> dict[tuple[str, str, str], bool | None]:
    """Run a matrix; whether each device, delegate and variant is flagged as broken; None where there are no outputs."""
    run = load(api.run(path, inventory=lab.folder / "devices", reports=lab.reports))
    return {
        (o.device, o.case.split("/")[2], o.variant.partition(".")[2]): o.accuracy["broken"] == 1 if o.accuracy else None
        for o in run.outcomes
        if o.purpose == "accuracy"
    }


def test_accuracy_is_that_of_a_plain_interpreter_on_host_board_and_phone(lab: Lab) -> None:
    dataset = f'dataset = "{FAMILY}/test.npz"\nsamples = {ALL}\nnative_samples = {NATIVE}\n'
    assert len(SHIPPED) == 11
    path = lab.write("m.toml", matrix(SHIPPED, dataset))
    planned = lab.benchbench("plan", str(path))
    assert "phone: benchmark_model runs one inference a launch: outputs of 11 cases are 1342 launches" in planned.stderr
    outcomes = scored(lab, path)
    assert len(outcomes) == 3 * len(SHIPPED)
    expected = {path.stem.removeprefix("fashion_mnist_"): by_hand(path) for path in SHIPPED}
    for (device, variant), outcome in outcomes.items():
        assert outcome.status == "ok", outcome.error
        n = NATIVE if device == "phone" else ALL
        assert outcome.accuracy["n"] == n
        assert outcome.accuracy["broken"] == 0
        assert outcome.accuracy["top1"] == expected[variant][:n].mean()
        right = unpacked(str(outcome.accuracy["correct"]), n)
        np.testing.assert_array_equal(right, expected[variant][:n], f"{device} {variant}")
    log = (lab.latest() / str(outcomes["phone", "int8-io"].log)).read_text()
    assert log.count(f"== batch of {NATIVE} ==") == 1
    assert f"== sample {NATIVE} alone ==" in log
    workdir = lab.phone.path(f"{lab.phone.workdir}/benchbench")
    assert list((workdir / "jobs").iterdir()) == []
    assert not [path for path in (workdir / "store").iterdir() if path.suffix == ".raw"]


def by_hand(model: Path) -> NDArray[np.bool_]:
    """Which samples a plain interpreter gets right, one at a time."""
    with np.load(FAMILY / "test.npz") as archive:
        images, labels = archive["x"][:ALL], archive["y"][:ALL]
    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    (image,), (scores,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for sample in images:
        fed = sample.reshape(image["shape"]).astype(np.float32)
        if image["dtype"] == np.int8:
            fed = (fed - 128).astype(np.int8)
        interpreter.set_tensor(image["index"], fed)
        interpreter.invoke()
        found.append(int(interpreter.get_tensor(scores["index"]).argmax()))
    right: NDArray[np.bool_] = np.asarray(found) == labels
    return right


def test_a_broken_variant_is_flagged_on_every_path_of_host_board_and_phone(lab: Lab) -> None:
    """There are no labels: outputs are compared with those of the float32 reference on this host."""
    models = broken_ones(lab.folder)
    with np.load(FAMILY / "test.npz") as archive:
        np.savez(lab.folder / "unlabelled.npz", x=archive["x"][:12])
    path = lab.write("m.toml", matrix(models, 'dataset = "unlabelled.npz"\n', '"xnnpack", "cpu"'))
    found = flagged(lab, path)
    assert len(found) == 3 * 2 * 4
    assert found == {key: key[2] not in {"float32", "int8-io"} for key in found}
    path.write_text(matrix(models, 'dataset = "random"\n', devices='"phone"'))
    seeded = flagged(lab, path)
    assert (seeded["phone", "xnnpack", "float32"], seeded["phone", "xnnpack", "zeroed"]) == (False, True)


@pytest.mark.parametrize(
    ("delegate", "label", "whole"),
    [
        pytest.param(
            '{ kind = "gpu", precision = "fp32" }',
            "gpu",
            {"float32"},
            marks=pytest.mark.skipif(not SWIFTSHADER.exists(), reason="no software Vulkan: apt-get install chromium"),
        ),
        pytest.param(
            '{ kind = "npu", vendor = "intel", backend = "cpu" }',
            "npu:intel:cpu",
            {"float32", "int8-io"},
            marks=pytest.mark.skipif(find_spec("openvino") is None, reason="pip install ai-edge-litert-sdk-intel"),
        ),
    ],
)
def test_a_broken_variant_is_flagged_on_an_accelerator_and_a_whole_one_is_not(
    lab: Lab, delegate: str, label: str, whole: set[str]
) -> None:
    device = lab.folder / "devices" / "host.toml"
    # ONEDNN: else OpenVINO computes in bfloat16 where the CPU can.
    env = f'{{ VK_ICD_FILENAMES = "{SWIFTSHADER}", ONEDNN_MAX_CPU_ISA = "AVX2" }}'
    device.write_text(f"{device.read_text()}env = {env}\n")
    models = [
        path for path in broken_ones(lab.folder) if label != "gpu" or "float32" in path.name or "zeroed" in path.name
    ]
    with np.load(FAMILY / "test.npz") as archive:
        np.savez(lab.folder / "unlabelled.npz", x=archive["x"][:12])
    found = flagged(lab, lab.write("m.toml", matrix(models, 'dataset = "unlabelled.npz"\n', delegate, '"host"')))
    assert len(found) == len(models)
    assert found == {key: key[2] not in whole for key in found}


def broken_ones(folder: Path) -> list[Path]:
    """Two of the family as they are, and as many that somebody broke."""
    float32, int8 = FAMILY / "fashion_mnist_float32.tflite", FAMILY / "fashion_mnist_int8-io.tflite"
    zeroed, scaled = folder / "fashion_mnist_zeroed.tflite", folder / "fashion_mnist_scaled.tflite"
    zeroed.write_bytes(changed(float32, with_zeroed_weights))
    scaled.write_bytes(changed(int8, with_a_wrong_scale))
    return [float32, int8, zeroed, scaled]


def changed(path: Path, change: Callable[[Any], None]) -> bytes:
    """A model file, rewritten."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def with_zeroed_weights(model: Any) -> None:
    for tensor in model.subgraphs[0].tensors:
        buffer = model.buffers[tensor.buffer]
        if tensor.type == schema.TensorType.FLOAT32 and buffer.data is not None:
            buffer.data = np.zeros_like(buffer.data)


def with_a_wrong_scale(model: Any) -> None:
    """The weights of the second convolution taken for eight times as large."""
    graph = model.subgraphs[0]
    weights = [graph.tensors[op.inputs[1]] for op in graph.operators if len(op.inputs) == 3]
    weights[1].quantization.scale = np.asarray(weights[1].quantization.scale) * 8
