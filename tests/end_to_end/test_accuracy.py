"""Accuracy on the path that was timed: to the sample what a plain interpreter says, and broken files are flagged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchbench import api
from benchbench.accuracy.metrics import unpacked
from benchbench.api import Selection
from benchbench.frames import load
from benchbench.outcome import Outcome
from tests.end_to_end.conftest import FAMILY, Lab

ALL, NATIVE = 200, 120
SCHEMES = ("float32", "int8", "int8-io", "int16x8")
MEASURE = """
[measure]
rounds = 1
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""


def matrix(variants: list[Path], more: str) -> str:
    files = ", ".join(f'"{path}"' for path in variants)
    head = 'name = "accuracy"\ndevices = ["host", "board", "phone"]\ndelegates = ["xnnpack"]\n'
    return f'{head}[[model]]\nfamily = "fashion_mnist"\nvariants = [{files}]\n{more}{MEASURE}'


def scored(lab: Lab, path: Path, *only: str) -> dict[tuple[str, str], Outcome]:
    """Run a matrix; the outcomes of its accuracy trials, by device and variant."""
    run = load(api.run(path, inventory=lab.folder / "devices", reports=lab.reports, selection=Selection(only=only)))
    return {(o.device, o.variant.partition(".")[2]): o for o in run.outcomes if o.purpose == "accuracy"}


def test_accuracy_is_that_of_a_plain_interpreter_to_the_sample_on_host_board_and_phone(lab: Lab) -> None:
    dataset = f'dataset = "{FAMILY}/test.npz"\nsamples = {ALL}\nnative_samples = {NATIVE}\n'
    path = lab.write("m.toml", matrix([FAMILY / f"fashion_mnist_{scheme}.tflite" for scheme in SCHEMES], dataset))
    planned = lab.benchbench("plan", str(path))
    assert "phone: benchmark_model runs one inference a launch: outputs of 4 cases are 488 launches" in planned.stderr
    outcomes = scored(lab, path)
    assert len(outcomes) == 3 * len(SCHEMES)
    for (device, variant), outcome in outcomes.items():
        assert outcome.status == "ok", outcome.error
        n = NATIVE if device == "phone" else ALL
        assert outcome.accuracy["n"] == n
        assert outcome.accuracy["broken"] == 0
        right = unpacked(str(outcome.accuracy["correct"]), n)
        np.testing.assert_array_equal(
            right, by_hand(FAMILY / f"fashion_mnist_{variant}.tflite", n), f"{device} {variant}"
        )
    log = (lab.latest() / str(outcomes["phone", "int8-io"].log)).read_text()
    assert log.count(f"== batch of {NATIVE} ==") == 1
    assert f"== sample {NATIVE} alone ==" in log
    workdir = lab.phone.path(f"{lab.phone.workdir}/benchbench")
    assert list((workdir / "jobs").iterdir()) == []
    assert not [path for path in (workdir / "store").iterdir() if path.suffix == ".raw"]


def by_hand(model: Path, count: int) -> NDArray[np.bool_]:
    """Which samples a plain interpreter gets right, one at a time."""
    with np.load(FAMILY / "test.npz") as archive:
        images, labels = archive["x"][:count], archive["y"][:count]
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


def test_a_broken_variant_is_flagged_on_host_board_and_phone(lab: Lab) -> None:
    """There are no labels: outputs are compared with those of the float32 reference on this host."""
    whole = FAMILY / "fashion_mnist_float32.tflite"
    zeroed, scaled = lab.folder / "zeroed.tflite", lab.folder / "scaled.tflite"
    zeroed.write_bytes(changed(whole, with_zeroed_weights))
    scaled.write_bytes(changed(FAMILY / "fashion_mnist_int8-io.tflite", with_a_wrong_scale))
    with np.load(FAMILY / "test.npz") as archive:
        np.savez(lab.folder / "unlabelled.npz", x=archive["x"][:12])
    path = lab.write("m.toml", matrix([whole, zeroed, scaled], 'dataset = "unlabelled.npz"\n'))
    outcomes = scored(lab, path)
    assert len(outcomes) == 3 * 3
    for (device, variant), outcome in outcomes.items():
        assert outcome.accuracy["n"] == 12
        broken = variant != "float32"
        assert outcome.accuracy["broken"] == broken, f"{device} {variant}: {outcome.accuracy['flags']}"
    path.write_text(path.read_text().replace("unlabelled.npz", "random"))
    seeded = {variant: o.accuracy["broken"] for (_, variant), o in scored(lab, path, "phone/*").items()}
    assert seeded["float32"] == 0
    assert seeded["zeroed"] == 1


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
    """The input's scale eight times too large: what is fed is eight times too dark."""
    graph = model.subgraphs[0]
    quantization = graph.tensors[graph.inputs[0]].quantization
    quantization.scale = quantization.scale * 8
