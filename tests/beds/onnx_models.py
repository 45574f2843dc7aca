"""Small ONNX models, each for something that a runtime or a provider does with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

ML = "ai.onnx.ml"
Value = tuple[str, int, Sequence[int | str | None] | None]  # name, type, shape
FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def numbers(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(np.float32)


def node(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op, list(inputs), [output], name=f"{output} by {op}", **attributes)


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    constants: dict[str, NDArray[Any]] | None = None,
    *,
    opset: int = 17,
    ir_version: int = 8,
) -> ModelProto:
    """A model of one graph; a shape of None is left out."""

    def values(given: Sequence[Value]) -> list[ValueInfoProto]:
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in given]

    held = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "net", values(inputs), values(outputs), held)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(ML, 3)]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir_version, producer_name="tests")


def conv(batch: int | str = 1, size: int = 8) -> ModelProto:
    """Convolution, activation, mean, softmax: what every provider takes."""
    nodes = [
        node("Conv", ["image", "filter"], "conv", pads=[1, 1, 1, 1]),
        node("Relu", ["conv"], "relu"),
        node("GlobalAveragePool", ["relu"], "mean"),
        node("Flatten", ["mean"], "flat"),
        node("Softmax", ["flat"], "scores", axis=1),
    ]
    shapes: tuple[Sequence[int | str], Sequence[int | str]] = ([batch, 3, size, size], [batch, 4])
    return model(nodes, [("image", FLOAT, shapes[0])], [("scores", FLOAT, shapes[1])], {"filter": numbers(4, 3, 3, 3)})


def stacked(size: int = 32, channels: int = 16, layers: int = 4, classes: int = 10) -> ModelProto:
    """A float32 convolutional classifier: as `models.conv_model` builds one for LiteRT, with other weights."""
    nodes, constants, last, depth = list[NodeProto](), dict[str, NDArray[Any]](), "image", 3
    for layer in range(layers):
        constants[f"filter{layer}"] = numbers(channels, depth, 3, 3, seed=layer) * np.float32((9 * depth) ** -0.5)
        nodes.append(node("Conv", [last, f"filter{layer}"], f"conv{layer}", pads=[1, 1, 1, 1]))
        nodes.append(node("Relu", [f"conv{layer}"], f"relu{layer}"))
        last, depth = f"relu{layer}", channels
    nodes.append(node("GlobalAveragePool", [last], "mean"))
    nodes.append(node("Flatten", ["mean"], "flat"))
    constants["weights"] = numbers(channels, classes, seed=layers)
    nodes.append(node("MatMul", ["flat", "weights"], "logits"))
    nodes.append(node("Softmax", ["logits"], "scores", axis=1))
    return model(nodes, [("image", FLOAT, [1, 3, size, size])], [("scores", FLOAT, [1, classes])], constants)


def with_binarizer() -> ModelProto:
    """Between two convolutions an operator that OpenVINO does not have."""
    nodes = [
        node("Conv", ["image", "filter"], "before", pads=[1, 1, 1, 1]),
        node("Relu", ["before"], "relu"),
        node("Binarizer", ["relu"], "bits", domain=ML, threshold=0.1),
        node("Conv", ["bits", "second"], "after", pads=[1, 1, 1, 1]),
        node("Sigmoid", ["after"], "y"),
    ]
    filters = {"filter": numbers(4, 3, 3, 3), "second": numbers(4, 4, 3, 3, seed=1)}
    return model(nodes, [("image", FLOAT, [1, 3, 8, 8])], [("y", FLOAT, [1, 4, 8, 8])], filters)


def of_unknown_rank() -> ModelProto:
    """The rank of the result is an input: OpenVINO refuses it when the session is made."""
    nodes = [node("Reshape", ["x", "shape"], "y"), node("Relu", ["y"], "z")]
    return model(nodes, [("x", FLOAT, ["N"]), ("shape", INT64, ["rank"])], [("z", FLOAT, None)])


def found_among(size: int = 8) -> ModelProto:
    """How many there are is known when it has run, as of boxes that are detected."""
    return model([node("NonZero", ["x"], "found")], [("x", FLOAT, ["N", size])], [("found", INT64, [2, "count"])])


def of_another_batch() -> ModelProto:
    """Any batch goes in, and the file says that one comes out, as exports do: ONNX Runtime only warns of it."""
    return model([node("Relu", ["x"], "y")], [("x", FLOAT, [None, 8])], [("y", FLOAT, [1, 8])])


def that_fails_at_run() -> ModelProto:
    """Any size is taken, but only one of six can be reshaped."""
    nodes = [node("Reshape", ["x", "shape"], "y"), node("Relu", ["y"], "z")]
    return model(nodes, [("x", FLOAT, ["N"])], [("z", FLOAT, [2, 3])], {"shape": np.array([2, 3], np.int64)})


def of_type(kind: int) -> ModelProto:
    """What comes in goes out."""
    return model([node("Identity", ["x"], "y")], [("x", kind, [1, 4])], [("y", kind, [1, 4])])


def matmul(rows: int = 64, columns: int = 64) -> ModelProto:
    """One matrix product with an open batch."""
    nodes = [node("MatMul", ["x", "weight"], "y")]
    return model(
        nodes, [("x", FLOAT, ["batch", rows])], [("y", FLOAT, ["batch", columns])], {"weight": numbers(rows, columns)}
    )


def twin_of(tflite: bytes) -> ModelProto:
    """The network of `models.conv_model` with the same weights, channels before rows as ONNX has them."""
    from ai_edge_litert.interpreter import Interpreter

    plain = Interpreter(model_content=tflite)
    plain.allocate_tensors()
    stored = {found["name"]: found["index"] for found in plain.get_tensor_details()}
    held = {name: plain.get_tensor(index) for name, index in stored.items() if name.endswith(("/w", "/b"))}
    constants = {name: np.moveaxis(array, -1, 1).copy() if array.ndim == 4 else array for name, array in held.items()}
    nodes, last = [], "image"
    for layer in range(sum(name.startswith("conv") and name.endswith("/w") for name in held)):
        conv = node("Conv", [last, f"conv{layer}/w", f"conv{layer}/b"], f"conv{layer}", pads=[1, 1, 1, 1])
        nodes += [conv, node("Relu", [f"conv{layer}"], f"relu{layer}")]
        last = f"relu{layer}"
    nodes += [
        node("GlobalAveragePool", [last], "mean"),
        node("Flatten", ["mean"], "flat"),
        node("Gemm", ["flat", "fc/w", "fc/b"], "logits", transB=1),
        node("Softmax", ["logits"], "probabilities", axis=1),
    ]
    size = int(plain.get_input_details()[0]["shape"][1])
    inputs, outputs = [("image", FLOAT, [1, 3, size, size])], [("probabilities", FLOAT, [1, len(held["fc/b"])])]
    return model(nodes, inputs, outputs, constants)
