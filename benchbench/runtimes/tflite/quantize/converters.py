"""How each converter makes each scheme: TensorFlow's TFLiteConverter from Keras, LiteRT's quantizer from a .tflite.

Both are heavy and can crash the process they run in, so this module runs in a process of its own (`conversion.py`).
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.modern import modernized
from benchbench.runtimes.tflite.quantize.schemes import Scheme
from benchbench.values.device import Frozen

CALIBRATED = {"int8", "int8-io", "int16x8"}
SourceKind = Literal["tflite", "keras", "saved_model"]
FROM_KERAS = {"float32", "float16", "dynamic-int8", "int8", "int8-io", "int16x8"}  # what TFLiteConverter can make

DEPTHWISE = "DEPTHWISE_CONV_2D"
FEWEST_WEIGHTS = 1024  # of a layer that becomes dynamic-int8
TELL_EVERY_SECONDS = 0.2

Samples = dict[str, NDArray[Any]]
Tell = Callable[[int, int, float], None]  # so many samples fed, of so many, in so many seconds


class Impossible(Exception):
    """A conversion that cannot be made, for a reason of ours and not of a converter's."""


class ConversionRequest(Frozen):
    """One file to make: a scheme of a source, at its own input size or another, into `target`."""

    source: str
    kind: SourceKind
    scheme: Scheme
    per_channel: bool
    input_size: int | None
    samples: str | None  # an .npz with an array [n, …] per input
    float32: str | None  # the float .tflite made before, for what TFLiteConverter cannot make
    target: str


class ConversionResult(Frozen):
    """What became of a request: the tool and its recipe, or the error."""

    target: str
    tool: str = ""
    recipe: str = ""
    error: str | None = None


class Rows:
    """Samples one by one, as calibrators want them, and a word now and then on how many were taken."""

    def __init__(self, samples: Samples, tell: Tell) -> None:
        self._samples, self._tell = samples, tell

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        count, began = len(next(iter(self._samples.values()))), time.monotonic()
        told = began
        for k in range(count):
            now = time.monotonic()
            # Not each: litert-quantizer lists them all at once before it begins, only to count them.
            if now - told > TELL_EVERY_SECONDS:
                self._tell(k, count, now - began)
                told = now
            yield {name: array[k : k + 1] for name, array in self._samples.items()}


def _nobody(_fed: int, _samples: int, _seconds: float) -> None:
    return


def make(request: ConversionRequest, tell: Tell = _nobody) -> ConversionResult:
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
        ranges = worker.calibrate({_signature(worker): Rows(_samples(request), tell)}, num_threads=1)
    result = worker.quantize(ranges, enable_progress_report=False)
    Path(request.target).write_bytes(result.quantized_model)
    return ConversionResult(target=request.target, tool=_tool("litert-quantizer"), recipe=_summary(recipe))


def litert_recipe(scheme: Scheme, *, per_channel: bool, spare_depthwise: bool = False) -> list[dict[str, Any]]:
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
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import tensorflow as tf

    converter = _converter(tf, request)
    if request.scheme != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.scheme == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if request.scheme in CALIBRATED:
        rows = Rows(_samples(request), tell)
        converter.representative_dataset = lambda: rows
        converter.target_spec.supported_ops = [_operators(tf, request.scheme)]
    if request.scheme == "int8-io":
        converter.inference_input_type = converter.inference_output_type = tf.int8
    if not request.per_channel:
        converter._experimental_disable_per_channel = True
    Path(request.target).write_bytes(converter.convert())
    asked = f"{request.scheme}, {'per channel' if request.per_channel else 'per tensor'}"
    return ConversionResult(target=request.target, tool=f"TFLiteConverter {tf.__version__}", recipe=asked)


def _operators(tf: Any, scheme: Scheme) -> Any:
    kinds = tf.lite.OpsSet
    if scheme == "int16x8":
        return kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    return kinds.TFLITE_BUILTINS_INT8


def _converter(tf: Any, request: ConversionRequest) -> Any:
    if request.kind == "keras":
        return tf.lite.TFLiteConverter.from_keras_model(_keras(tf, request))
    if request.input_size is None:
        return tf.lite.TFLiteConverter.from_saved_model(request.source)
    loaded = tf.saved_model.load(request.source)
    function = loaded.signatures["serving_default"]
    names = list(function.structured_input_signature[1].values())
    shape = names[0].shape.as_list()
    fixed = tf.TensorSpec([1, request.input_size, request.input_size, shape[-1]], names[0].dtype, names[0].name)
    if len(names) != 1 or not names[0].shape.is_compatible_with(fixed.shape):
        raise Impossible(f"the signature serving_default fixes its input at {shape}")
    resized = tf.function(lambda x: function(**{names[0].name: x})).get_concrete_function(fixed)
    return tf.lite.TFLiteConverter.from_concrete_functions([resized], loaded)


def _keras(tf: Any, request: ConversionRequest) -> Any:
    model = tf.keras.models.load_model(request.source, compile=False)
    if request.input_size is None:
        return model
    shape = model.inputs[0].shape
    if len(model.inputs) != 1 or len(shape) != 4:
        raise Impossible("only a model with one image as its input can be resized")
    image = tf.keras.layers.Input((request.input_size, request.input_size, shape[-1]), batch_size=1)
    resized = tf.keras.models.clone_model(model, input_tensors=image)
    resized.set_weights(model.get_weights())
    return resized


def _samples(request: ConversionRequest) -> Samples:
    if request.samples is None:
        raise Impossible("it needs representative data (--representative)")
    with np.load(request.samples, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


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


def _tool(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
