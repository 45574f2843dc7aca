"""The float .onnx of a float .tflite, a Keras file or a SavedModel, through tf2onnx.

All by way of a .tflite: then the weights of the two formats are the same to the bit, and so are the layers. Of
EfficientNet-Lite0 (Keras 3.15, tf2onnx 1.17) that gives 96 nodes; tf2onnx from the Keras model itself leaves the batch
norms of depthwise layers as Mul and Add (129 nodes), and jax2onnx 0.17 makes 928.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from benchbench.runtimes.onnxruntime.quantize.canonical import make_canonical, rename
from benchbench.runtimes.quantizing.from_tensorflow import converter_of, tensorflow
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult, tool

OPSET = 17  # what onnxruntime reads since 1.12, of 2022


def from_tflite(request: ConversionRequest) -> ConversionResult:
    """Write the float32 .onnx of a request; raises what the converters raise."""
    if request.kind == "tflite":
        _convert(Path(request.source), request.target)
        return ConversionResult(target=request.target, tool=tool("tf2onnx"), recipe=f"from the .tflite, opset {OPSET}")
    tf = tensorflow()
    with TemporaryDirectory(prefix="benchbench-") as folder:
        between = Path(folder, "float32.tflite")
        between.write_bytes(converter_of(tf, request).convert())
        _convert(between, request.target)
    recipe = f"from a .tflite by TFLiteConverter {tf.__version__}, opset {OPSET}"
    return ConversionResult(target=request.target, tool=tool("tf2onnx"), recipe=recipe)


def _convert(source: Path, target: str) -> None:
    import tf2onnx

    model, _ = tf2onnx.convert.from_tflite(str(source), opset=OPSET)
    taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
    rename(model, {old: new for old, new in _names(source).items() if new not in taken})
    make_canonical(model)
    onnx.save(model, target)


def _names(source: Path) -> dict[str, str]:
    """The arguments of the only signature by the names of their tensors: what both formats' inputs are called then."""
    from benchbench.runtimes.models import inspect

    info = inspect(source)
    if len(info.signatures) != 1:
        return {}
    (signature,) = info.signatures
    sides = (signature.inputs, signature.outputs)
    return {tensor.name: name for side in sides for name, tensor in side.items()}
