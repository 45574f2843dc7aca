"""The schemes of an .onnx: what onnxruntime's quantizers make, of a float .onnx or of what tf2onnx makes one of."""

from __future__ import annotations

import shutil

from benchbench.runtimes.models import inspect
from benchbench.runtimes.onnxruntime.quantize.schemes import SCHEMES, UINT8_ACTIVATIONS
from benchbench.runtimes.quantizing.converters import Converters
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult
from benchbench.values.model import ModelInfo


class OnnxConverters(Converters):
    """What is true of .onnx alone."""

    suffix = ".onnx"
    own = "onnx"
    sources = frozenset({"onnx", "tflite", "keras", "saved_model"})
    schemes = SCHEMES
    calibrated = frozenset({"int8", UINT8_ACTIVATIONS})
    unscaled = frozenset({"float32", "float16"})
    maker = "benchbench.runtimes.onnxruntime.quantize.converters"

    def copy(self, request: ConversionRequest) -> ConversionResult:
        """One file, also where the source keeps its weights beside itself."""
        if not inspect(request.source).data:
            shutil.copyfile(request.source, request.target)
            return ConversionResult(target=request.target, tool="none", recipe="the source itself")
        import onnx

        onnx.save(onnx.load(request.source), request.target)
        return ConversionResult(target=request.target, tool="none", recipe="the source with its data in one file")

    def why_float(self, float32: ModelInfo, scheme: str) -> str | None:
        if scheme != "weight-only-int4":
            return None
        ops = {op for graph in float32.subgraphs for op in graph.ops}
        share = "a tenth of its weights at most are such ones" if "MatMul" in ops else "it has none"
        return f"onnxruntime has int4 for constant weights of MatMul alone, and {share}"
