"""How onnxruntime's quantizers make each scheme of a float .onnx, and tf2onnx the float .onnx of other sources.

They are heavy and can crash the process they run in, so this module runs in a process of its own (`conversion.py`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from benchbench.runtimes.onnxruntime.quantize.canonical import graphs
from benchbench.runtimes.onnxruntime.quantize.from_tflite import from_tflite
from benchbench.runtimes.onnxruntime.quantize.schemes import UINT8_ACTIVATIONS
from benchbench.runtimes.quantizing.requests import (
    ConversionRequest,
    ConversionResult,
    Rows,
    Tell,
    samples_of,
    tool,
    untold,
)

STATIC = {"int8", UINT8_ACTIVATIONS}
PER_CHANNEL_OPSET = 13  # DequantizeLinear has had its axis since then; below, the quantizer writes one all the same
INT4_BLOCK = 32  # weights that share a scale


def make(request: ConversionRequest, tell: Tell = untold) -> ConversionResult:
    """Make what was asked for; raises what the converters raise."""
    logging.getLogger().setLevel(logging.ERROR)  # the quantizers warn of what we do
    if request.scheme == "float32":
        return from_tflite(request)
    model = onnx.load(request.float32 or request.source)
    if request.scheme == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        half = convert_float_to_float16(model, keep_io_types=True)
        save(onnx.shape_inference.infer_shapes(half), request.target)
        return _result(request, "float16 inside, float32 inputs and outputs")
    with TemporaryDirectory(prefix="benchbench-") as folder:
        remark = _prepared(model, request, Path(folder, "prepared.onnx"))
        recipe = _quantized(Path(folder, "prepared.onnx"), request, tell)
    save(onnx.load(request.target), request.target)
    return _result(request, recipe + remark)


def save(model: onnx.ModelProto, target: str) -> None:
    """Write a model in one file, without the operator sets that optimizers name and nothing uses."""
    used = {node.domain for graph in graphs(model.graph) for node in graph.node} | {"", "ai.onnx"}
    used |= {node.domain for function in model.functions for node in function.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.save(model, target)


def _result(request: ConversionRequest, recipe: str) -> ConversionResult:
    return ConversionResult(target=request.target, tool=tool("onnxruntime"), recipe=recipe)


def _prepared(model: onnx.ModelProto, request: ConversionRequest, target: Path) -> str:
    """The model as quantizers want it: constants folded, batch norms in convolutions, shapes known; a remark on it."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    remark, opset = "", _opset(model)
    if request.scheme in STATIC and request.per_channel and opset < PER_CHANNEL_OPSET:
        model = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)
        remark = f", opset {opset} raised to {PER_CHANNEL_OPSET}: scales per channel need it"
    whole = target.with_name("whole.onnx")
    onnx.save(model, whole)
    quant_pre_process(whole, target, skip_symbolic_shape=True)
    return remark


def _opset(model: onnx.ModelProto) -> int:
    return next((opset.version for opset in model.opset_import if opset.domain in {"", "ai.onnx"}), 1)


def _quantized(prepared: Path, request: ConversionRequest, tell: Tell) -> str:
    """Write the target; the recipe in a line."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

    grain = "per channel" if request.per_channel else "per tensor"
    match request.scheme:
        case "dynamic-int8":
            quantize_dynamic(prepared, request.target, per_channel=request.per_channel, weight_type=QuantType.QInt8)
            return f"weights int8 {grain} where the operator can, activations uint8 at run time"
        case "weight-only-int4":
            return _with_int4_weights(prepared, request)
        case _:
            activations = QuantType.QUInt8 if request.scheme == UINT8_ACTIVATIONS else QuantType.QInt8
            quantize_static(
                prepared,
                request.target,
                _reader(request, tell),
                quant_format=QuantFormat.QDQ,
                per_channel=request.per_channel,
                activation_type=activations,
                weight_type=QuantType.QInt8,
            )
            unsigned = "uint8" if activations == QuantType.QUInt8 else "int8"
            return f"QDQ, weights int8 {grain}, activations {unsigned}, ranges by minimum and maximum"


def _with_int4_weights(prepared: Path, request: ConversionRequest) -> str:
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(prepared), bits=4, block_size=INT4_BLOCK, is_symmetric=True)
    quantizer.process()
    quantizer.model.save_model_to_file(request.target)
    return f"weights int4 of MatMul in blocks of {INT4_BLOCK}, symmetric"


def _reader(request: ConversionRequest, tell: Tell) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    model = onnx.load(request.float32 or request.source, load_external_data=False)
    shapes = {entry.name: _shape(entry) for entry in _inputs(model)}
    rows = iter(Rows(samples_of(request), tell))

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def get_next(self) -> dict[str, NDArray[Any]] | None:
            row = next(rows, None)
            return None if row is None else {name: _batched(array, shapes[name]) for name, array in row.items()}

    return Reader()


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Old files list their weights among the inputs, too."""
    constant = {tensor.name for tensor in model.graph.initializer}
    return [entry for entry in model.graph.input if entry.name not in constant]


def _shape(entry: onnx.ValueInfoProto) -> tuple[int, ...]:
    """0 where a size is open."""
    return tuple(size.dim_value for size in entry.type.tensor_type.shape.dim)


def _batched(row: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """One sample for the whole batch of a model that fixes it."""
    return np.repeat(row, shape[0], axis=0) if shape and shape[0] > 1 and len(row) == 1 else row
