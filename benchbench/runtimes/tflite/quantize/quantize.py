"""The schemes of a .tflite: TFLiteConverter's, LiteRT's quantizer's, and what the Edge TPU's compiler makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchbench.runtimes.quantizing.converters import Converters
from benchbench.runtimes.quantizing.manifest import Made
from benchbench.runtimes.quantizing.manifest import Mapping as OpMappings
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult
from benchbench.runtimes.tflite.model.graph import read
from benchbench.runtimes.tflite.model.scheme import all_weights
from benchbench.runtimes.tflite.quantize import converters
from benchbench.runtimes.tflite.quantize.converters import CALIBRATED, FEWEST_WEIGHTS, make
from benchbench.runtimes.tflite.quantize.edgetpu import compile_for_edgetpu
from benchbench.runtimes.tflite.quantize.schemes import SCHEMES
from benchbench.values.model import ModelInfo

EDGETPU = "edgetpu"  # made from an int8 variant by a compiler of its own


class TfliteConverters(Converters):
    """What is true of .tflite alone."""

    suffix = ".tflite"
    own = "tflite"
    sources = frozenset({"tflite", "keras", "saved_model"})
    schemes = SCHEMES
    compiled = (EDGETPU,)
    calibrated = CALIBRATED
    unscaled = frozenset({"float32", "float16"})
    maker = converters.__name__

    def copy(self, request: ConversionRequest) -> ConversionResult:
        return make(request)

    def found_as(self, scheme: str) -> str:
        return scheme.removesuffix("-io")

    def type_outside(self, scheme: str) -> str:
        return "int8" if scheme == "int8-io" else "float32"

    def why_float(self, float32: ModelInfo, scheme: str) -> str:
        path = Path(float32.path)
        weights = all_weights(read(path, path.read_bytes()).graphs)
        if not weights:
            return "it has no layer with weights"
        if scheme == "dynamic-int8" and all(weight.stored.elements < FEWEST_WEIGHTS for weight in weights):
            return f"no layer has {FEWEST_WEIGHTS:,} weights, and smaller ones are left float"
        return f"it has no {scheme} for {', '.join(sorted({weight.op for weight in weights}))}"

    def compile(
        self, scheme: str, made: Mapping[str, Made], folder: Path, target: Path
    ) -> tuple[ConversionResult, OpMappings | None]:
        """Compile the full-integer variant, or the int8 one where that was not asked for."""
        basis = made.get("int8-io") or made.get("int8")
        if basis is None:
            error = "it is compiled from int8-io or int8, and neither was made"
            return ConversionResult(target=str(target), error=error), None
        compiled = compile_for_edgetpu(folder / basis.file, target)
        recipe = f"from {basis.file}"
        return ConversionResult(target=str(compiled.path), tool=compiled.compiler, recipe=recipe), compiled.mapping
