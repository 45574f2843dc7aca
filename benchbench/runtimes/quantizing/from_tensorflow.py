"""Keras files and SavedModels as TensorFlow's TFLiteConverter takes them; heavy, so only in the conversion process."""

from __future__ import annotations

import os
from typing import Any

from benchbench.runtimes.quantizing.requests import ConversionRequest, Impossible


def tensorflow() -> Any:
    """The module, without its greetings and without a GPU."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import tensorflow as tf

    return tf


def converter_of(tf: Any, request: ConversionRequest) -> Any:
    """The converter of the source at the input size that was asked for. Raises Impossible where it fixes another."""
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
