"""How each converter makes each scheme: TensorFlow's TFLiteConverter from Keras, LiteRT's quantizer from a .tflite.

Both are heavy and can crash the process they run in, so this module runs in a process of its own (`conversion.py`).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchbench.runtimes.quantizing.from_tensorflow import converter_of, tensorflow
from benchbench.runtimes.quantizing.requests import (
    ConversionRequest,
    ConversionResult,
    Rows,
    Tell,
    samples_of,
    tool,
    untold,
)
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.modern import modernized

CALIBRATED = frozenset({"int8", "int8-io", "int16x8"})
FROM_KERAS = {"float32", "float16", "dynamic-int8", "int8", "int8-io", "int16x8"}  # what TFLiteConverter can make

DEPTHWISE = "DEPTHWISE_CONV_2D"
FEWEST_WEIGHTS = 1024  # of a layer that becomes dynamic-int8


def make(request: ConversionRequest, tell: Tell = untold) -> ConversionResult:
    """Make what was asked for; raises what the converters raise."""
    if request.kind == "tflite" and request.scheme == "float32":
        shutil.copyfile(request.source, request.target)
        return ConversionResult(target=request.target, tool="none", recipe="the source itself")
    if request.kind != "tflite" and request.scheme in FROM_KERAS and not _spares_depthwise(request):
        return _with_tensorflow(request, tell)
    return _with_litert(request, tell)


def _spares_depthwise(request: ConversionRequest) -> bool:
    """Whether depthwise layers must stay float.

    TFLite's kernel for int8 weights beside float inputs reads a scale for every channel (EvalHybridPerChannel in
    tflite/kernels/depthwise_conv.cc), also where the file has only one: past its end. TFLiteConverter makes such files,
    too, and cannot be told to leave the layers alone.
    """
    return request.scheme == "dynamic-int8" and not request.per_channel and DEPTHWISE in _operators_of(request)


def _operators_of(request: ConversionRequest) -> set[str]:
    return {op for graph in inspect(request.float32 or request.source).subgraphs for op in graph.ops}


def _with_litert(request: ConversionRequest, tell: Tell) -> ConversionResult:
    from litert_quantizer import quantizer

    recipe = litert_recipe(request.scheme, per_channel=request.per_channel, spare_depthwise=_spares_depthwise(request))
    worker = quantizer.Quantizer(modernized(Path(request.float32 or request.source).read_bytes()), recipe)
    ranges = None
    if worker.need_calibration:
        # One thread: the order in which ranges are merged must not depend on the machine.
        ranges = worker.calibrate({_signature(worker): Rows(samples_of(request), tell)}, num_threads=1)
    result = worker.quantize(ranges, enable_progress_report=False)
    Path(request.target).write_bytes(result.quantized_model)
    return ConversionResult(target=request.target, tool=tool("litert-quantizer"), recipe=_summary(recipe))


def litert_recipe(scheme: str, *, per_channel: bool, spare_depthwise: bool = False) -> list[dict[str, Any]]:
    """The recipe of litert-quantizer for a scheme."""
    from litert_quantizer import qtyping
    from litert_quantizer.algorithm_manager import AlgorithmName
    from litert_quantizer.recipe_manager import RecipeManager

    every = qtyping.TFLOperationName.ALL_SUPPORTED
    grain = qtyping.QuantGranularity.CHANNELWISE if per_channel else qtyping.QuantGranularity.TENSORWISE
    recipe = RecipeManager()
    match scheme:
        case "float16":
            recipe.add_weight_only_config(".*", every, 16, algorithm_key=AlgorithmName.FLOAT_CASTING)
        case "dynamic-int8":
            recipe.add_dynamic_config(".*", every, 8, grain)
        case "dynamic-int4":
            recipe.add_dynamic_config(".*", every, 4, grain)
        case "weight-only-int8":
            recipe.add_weight_only_config(".*", every, 8, grain)
        case "weight-only-int4":
            recipe.add_weight_only_config(".*", every, 4, grain)
        case "int8" | "int8-io":
            recipe.add_static_config(".*", every, 8, 8, grain)
        case "int16x8":
            recipe.add_static_config(".*", every, 16, 8, grain)
    if scheme in {"int8", "int16x8"}:
        for edge in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
            recipe.add_quantization_config(".*", edge, algorithm_key=AlgorithmName.NO_QUANTIZE)
    if spare_depthwise:
        recipe.add_quantization_config(
            ".*", qtyping.TFLOperationName(DEPTHWISE), algorithm_key=AlgorithmName.NO_QUANTIZE
        )
    entries: list[dict[str, Any]] = recipe.get_quantization_recipe()
    if scheme == "dynamic-int8":
        # Like TFLiteConverter: smaller layers stay float, XNNPACK takes the graph whole then.
        entries[0]["op_config"]["min_weight_elements"] = FEWEST_WEIGHTS
    return entries


def _signature(worker: Any) -> str:
    from ai_edge_litert.interpreter import Interpreter

    first: str = next(iter(Interpreter(model_content=bytes(worker._float_model_buffer)).get_signature_list()))
    return first


def _with_tensorflow(request: ConversionRequest, tell: Tell) -> ConversionResult:
    tf = tensorflow()
    converter = converter_of(tf, request)
    if request.scheme != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.scheme == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if request.scheme in CALIBRATED:
        rows = Rows(samples_of(request), tell)
        converter.representative_dataset = lambda: rows
        converter.target_spec.supported_ops = [_operators(tf, request.scheme)]
    if request.scheme == "int8-io":
        converter.inference_input_type = converter.inference_output_type = tf.int8
    if not request.per_channel:
        converter._experimental_disable_per_channel = True
    Path(request.target).write_bytes(converter.convert())
    asked = f"{request.scheme}, {'per channel' if request.per_channel else 'per tensor'}"
    return ConversionResult(target=request.target, tool=f"TFLiteConverter {tf.__version__}", recipe=asked)


def _operators(tf: Any, scheme: str) -> Any:
    kinds = tf.lite.OpsSet
    if scheme == "int16x8":
        return kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    return kinds.TFLITE_BUILTINS_INT8


def _summary(recipe: list[dict[str, Any]]) -> str:
    """A recipe in a line: what every operator gets, and which are left alone."""
    config = recipe[0]["op_config"]
    weights, activations = config["weight_tensor_config"], config.get("activation_tensor_config")
    parts = [f"weights {weights['num_bits']} bit {weights['dtype'].lower()} {weights['granularity'].lower()}"]
    parts += [f"activations {activations['num_bits']} bit"] if activations else []
    spared = [entry["operation"] for entry in recipe[1:]]
    parts += ["float inputs and outputs"] if "INPUT" in spared else []
    parts += [f"from {config['min_weight_elements']} weights a layer"] if config.get("min_weight_elements") else []
    parts += [f"{DEPTHWISE} left float: its kernel reads a scale per channel"] if DEPTHWISE in spared else []
    return ", ".join(parts)
