"""Quantization-aware training of the shipped classifier: the same scheme as post-training int8, taught to bear it.

Starts from a trained Keras model of `train_fashion_mnist.py`, folds its normalizations, and fine-tunes it for one pass
with weights and activations rounded as per-tensor int8 rounds them (Jacob et al. 2018, arXiv:1712.05877, section 3).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from benchbench.demo.train_fashion_mnist import BATCH, SEED, Pixels

STEPS = 468  # one pass over the 60,000 images
RATE = 1e-3
MOMENTUM = 0.95  # of the moving maximum of each activation
PIXEL_RANGE = (0.0, 255.0)


class Layer(NamedTuple):
    """A convolution with its normalization folded in."""

    kind: str  # conv, depthwise
    stride: int
    kernel: Any  # array or variable
    bias: Any


def folded(model: Any) -> list[Layer]:
    """The convolutions of the classifier in order, then its dense layer as a 1x1 convolution's kernel and bias."""
    layers = []
    for conv in model.layers:
        if "Conv2D" not in type(conv).__name__:
            continue
        gamma, beta, mean, variance = model.get_layer(f"{conv.name}_norm").get_weights()
        scale = gamma / np.sqrt(variance + model.get_layer(f"{conv.name}_norm").epsilon)
        depthwise = "Depthwise" in type(conv).__name__
        kernel = conv.get_weights()[0] * (scale[:, None] if depthwise else scale)
        layers.append(Layer("depthwise" if depthwise else "conv", conv.strides[0], kernel, beta - mean * scale))
    return [*layers, Layer("dense", 1, *model.get_layer("probabilities").get_weights())]


def forward(x: Any, layers: list[Layer], maxima: list[Any], observed: list[Any] | None = None) -> Any:
    """Probabilities [n, 10] with every weight and activation rounded as int8 rounds them.

    `maxima` are the ranges of the layers' outputs; the unrounded ones are appended to `observed`.
    """
    import tensorflow as tf

    quantization = tf.quantization
    x = quantization.fake_quant_with_min_max_args(x, *PIXEL_RANGE)
    below: Any = PIXEL_RANGE[1]
    for layer, maximum in zip(layers, maxima, strict=True):
        bound = _bound(layer.kernel)
        kernel = quantization.fake_quant_with_min_max_vars(layer.kernel, -bound, bound, narrow_range=True)
        match layer.kind:
            case "conv":
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, layer.stride, "SAME") + layer.bias)
            case "depthwise":
                strides = [1, layer.stride, layer.stride, 1]
                x = tf.nn.relu(tf.nn.depthwise_conv2d(x, kernel, strides, "SAME") + layer.bias)
            case "dense":
                pooled = quantization.fake_quant_with_min_max_vars(tf.reduce_mean(x, axis=[1, 2]), 0.0, below)
                x = tf.linalg.matmul(pooled, kernel) + layer.bias
        if observed is not None:
            observed.append(tf.reduce_max(tf.abs(x)))
        x = quantization.fake_quant_with_min_max_vars(x, -maximum if layer.kind == "dense" else 0.0, maximum)
        below = maximum
    return tf.nn.softmax(x)


def _bound(kernel: Any) -> Any:
    """The largest weight: a plain number for a plain array, so that the converter finds a constant."""
    import tensorflow as tf

    return float(np.abs(kernel).max()) if isinstance(kernel, np.ndarray) else tf.reduce_max(tf.abs(kernel))


def fine_tuned(model: Any, images: Pixels, labels: Pixels) -> tuple[list[Layer], list[float]]:
    """The layers after one pass of training through the rounding, and the ranges of their outputs."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    layers = [Layer(k, s, tf.Variable(kernel), tf.Variable(bias)) for k, s, kernel, bias in folded(model)]
    maxima = [tf.Variable(0.0) for _ in layers]
    trained = [variable for layer in layers for variable in (layer.kernel, layer.bias)]
    optimizer = tf.keras.optimizers.Adam(RATE)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy()

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow has no types
    def update(x: Any, y: Any, momentum: Any) -> None:
        observed: list[Any] = []
        with tf.GradientTape() as tape:
            loss = loss_of(y, forward(x, layers, [m + 1e-6 for m in maxima], observed))
        optimizer.apply_gradients(zip(tape.gradient(loss, trained), trained, strict=True))
        for maximum, seen in zip(maxima, observed, strict=True):
            maximum.assign(momentum * maximum + (1 - momentum) * seen)

    _first_ranges(images[:BATCH].astype(np.float32), layers, maxima)
    order = np.random.default_rng(SEED).permutation(len(images))
    for step in range(STEPS):
        picked = order[step * BATCH :][:BATCH]
        optimizer.learning_rate.assign(RATE * (1 + np.cos(np.pi * step / STEPS)) / 2)
        update(images[picked].astype(np.float32), labels[picked], tf.constant(MOMENTUM))
    plain = [Layer(layer.kind, layer.stride, layer.kernel.numpy(), layer.bias.numpy()) for layer in layers]
    return plain, [float(maximum.numpy()) for maximum in maxima]


def _first_ranges(x: Any, layers: list[Layer], maxima: list[Any]) -> None:
    """Layer by layer, for the range of one must be right before that of the next can be seen."""
    for k, maximum in enumerate(maxima):
        observed: list[Any] = []
        forward(x, layers, [m + 1e-6 for m in maxima], observed)
        maximum.assign(observed[k])


def converted(layers: list[Layer], maxima: list[float]) -> bytes:
    """The trained network as an int8 .tflite (float in and out), its ranges taken from training."""
    import tensorflow as tf

    function = tf.function(lambda image: {"probabilities": forward(image, layers, maxima)}, autograph=False)
    concrete = function.get_concrete_function(tf.TensorSpec([1, 28, 28, 1], tf.float32, "image"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())
