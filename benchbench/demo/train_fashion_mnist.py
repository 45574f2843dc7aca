"""Train the shipped Fashion-MNIST classifier and save it as Keras files.

    python -m benchbench.demo.train_fashion_mnist WORK

needs TensorFlow and Debian's `dataset-fashion-mnist` (Fashion-MNIST, Zalando Research, MIT). The seed and the number of
steps are fixed, so that the result does not depend on the load of the machine. It leaves in WORK `float.keras` and
`imbalanced.keras`: the same function in float, with its channels scaled apart so that coarse quantization hurts.
"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path("/usr/share/datasets/fashion-mnist")
SEED = 0
BATCH = 128
STEPS = 2808  # six passes over the 60,000 images
PEAK_RATE = 3e-3
WARMUP = 0.15  # of the steps
IMBALANCE = 10.0

Pixels = NDArray[np.uint8]


def read_idx(path: Path) -> Pixels:
    """One gzipped file of the idx format (magic 0x0000_08dd with dd dimensions, big-endian sizes, bytes)."""
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", count=rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(tuple(int(n) for n in shape))


def dataset(split: str) -> tuple[Pixels, Pixels]:
    """Images uint8 [n, 28, 28, 1] and labels uint8 [n] of the split "train" or "t10k"."""
    images = read_idx(DATA / f"{split}-images-idx3-ubyte.gz")
    return images[..., None], read_idx(DATA / f"{split}-labels-idx1-ubyte.gz")


def classifier(batch: int | None = None) -> Any:
    """A depthwise-separable network, 139,146 parameters: image [batch, 28, 28, 1] -> probabilities [batch, 10].

    Plain ReLU, not ReLU6: it commutes with the positive scales that make the imbalanced twin.
    """
    from tensorflow import keras

    layers = keras.layers

    def activated(x: Any, name: str) -> Any:
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    image = layers.Input((28, 28, 1), batch_size=batch, name="image")
    x = activated(layers.Conv2D(32, 3, 2, padding="same", use_bias=False, name="stem")(image), "stem")
    for k, (filters, stride) in enumerate([(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)]):
        x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=f"block{k}_depthwise")(x)
        x = activated(x, f"block{k}_depthwise")
        x = activated(layers.Conv2D(filters, 1, use_bias=False, name=f"block{k}_pointwise")(x), f"block{k}_pointwise")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    return keras.Model(image, layers.Dense(10, activation="softmax", name="probabilities")(x), name="fashion_mnist")


def rate(step: int) -> float:
    """The learning rate of a step: linear warm-up, then half a cosine down to 0.3 % of the peak."""
    done = step / STEPS
    if done < WARMUP:
        return PEAK_RATE * done / WARMUP
    return PEAK_RATE * max(0.003, float(1 + np.cos(np.pi * (done - WARMUP) / (1 - WARMUP))) / 2)


def train(images: Pixels, labels: Pixels) -> Any:
    """Train on images / 255 with random mirroring, then fold the division into the first layer: pixels 0..255 go in."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    rng = np.random.default_rng(SEED)
    model = classifier()
    optimizer = tf.keras.optimizers.Adam(PEAK_RATE)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy()

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow has no types
    def update(x: Any, y: Any, learning_rate: Any) -> Any:
        optimizer.learning_rate.assign(learning_rate)
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    per_epoch = len(images) // BATCH
    for step in range(STEPS):
        if step % per_epoch == 0:
            order = rng.permutation(len(images))
        picked = order[(step % per_epoch) * BATCH :][:BATCH]
        x = images[picked].astype(np.float32) / 255
        mirrored = rng.random(BATCH) < 0.5
        x[mirrored] = x[mirrored, :, ::-1]
        loss = update(x, labels[picked], tf.constant(rate(step), tf.float32))
        if (step + 1) % per_epoch == 0:
            sys.stderr.write(f"epoch {(step + 1) // per_epoch}, loss of its last step {float(loss):.3f}\n")
    stem = model.get_layer("stem")
    stem.set_weights([stem.get_weights()[0] / 255])
    return model


def with_batch_of_one(model: Any) -> Any:
    """The same network for [1, 28, 28, 1]: the static shape that accelerators want."""
    single = classifier(batch=1)
    single.set_weights(model.get_weights())
    return single


def imbalanced(model: Any) -> Any:
    """A twin with the same float function: depthwise channels times s in [1/S, S], the next layer divided by s."""
    rng = np.random.default_rng(SEED)
    twin = with_batch_of_one(model)
    for k in range(5):
        norm, pointwise = twin.get_layer(f"block{k}_depthwise_norm"), twin.get_layer(f"block{k}_pointwise")
        gamma, beta, mean, variance = norm.get_weights()
        scale = np.exp(rng.uniform(-np.log(IMBALANCE), np.log(IMBALANCE), len(gamma))).astype(np.float32)
        norm.set_weights([gamma * scale, beta * scale, mean, variance])
        pointwise.set_weights([pointwise.get_weights()[0] / scale[None, None, :, None]])
    return twin


def accuracy(model: Any, images: Pixels, labels: Pixels) -> float:
    """Top-1 of a Keras model, 0..1."""
    right = 0
    for start in range(0, len(images), 500):
        probabilities = model(images[start : start + 500].astype(np.float32), training=False).numpy()
        right += int((probabilities.argmax(1) == labels[start : start + 500]).sum())
    return right / len(images)


def main() -> None:
    """Train, make the twin, save both."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    work = Path(sys.argv[1])
    work.mkdir(parents=True, exist_ok=True)
    model = train(*dataset("train"))
    sys.stderr.write(f"top-1 on the 10,000 test images: {accuracy(model, *dataset('t10k')):.4f}\n")
    with_batch_of_one(model).save(work / "float.keras")
    imbalanced(model).save(work / "imbalanced.keras")


if __name__ == "__main__":
    main()
