"""Make the shipped family out of the trained networks: every scheme, the data to judge them by, and a manifest.

    python -m benchbench.demo.train_fashion_mnist WORK
    python -m benchbench.demo.ship_fashion_mnist WORK OUT

needs what training needs, and `pip install 'benchbench[quantize,tensorflow]'`. OUT must not exist. The .onnx twins are
added by onnx_fashion_mnist.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.demo.qat_fashion_mnist import converted, fine_tuned
from benchbench.demo.train_fashion_mnist import BATCH, IMBALANCE, SEED, STEPS, Pixels, dataset
from benchbench.pipeline import quantize
from benchbench.runtimes.models import inspect
from benchbench.runtimes.quantizing.manifest import MANIFEST

FAMILY = "fashion_mnist"
TEST_IMAGES = 2000
CALIBRATION_IMAGES = 500
LABELS = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
PACKAGES = ["tensorflow-cpu", "keras", "litert-quantizer", "ai-edge-litert", "numpy"]


def main(work: Path, out: Path) -> None:
    """Fill `out`; a few minutes, most of them for QAT and for judging int16x8."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    images, labels = dataset("train")
    samples = work / "calibration.npz"
    np.savez_compressed(samples, x=images[:CALIBRATION_IMAGES])
    family = quantize(work / "float.keras", None, out, representative=samples, name=FAMILY)
    files = {made.file: made.model_dump(exclude={"mapping"}) for made in family.made}
    files |= _hurt(work, out, samples)
    files |= _taught(work, out, images, labels)
    shutil.copyfile(samples, out / samples.name)
    test_images, test_labels = dataset("t10k")
    np.savez_compressed(out / "test.npz", x=test_images[:TEST_IMAGES], y=test_labels[:TEST_IMAGES])
    (out / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    for file, entry in files.items():
        right = predictions(out / file, test_images) == test_labels
        entry["top1"] = {"10000": float(right.mean()), str(TEST_IMAGES): float(right[:TEST_IMAGES].mean())}
        sys.stderr.write(f"{file}: {entry['top1']}\n")
    manifest = {
        "name": FAMILY,
        "input": "float32 [1, 28, 28, 1], grey pixels 0…255 as they are (the division by 255 is in the first layer)",
        "output": "float32 [1, 10], probabilities in the order of labels.txt",
        "training": {"script": Path(__file__).with_name("train_fashion_mnist.py").name, "seed": SEED, "steps": STEPS}
        | {"batch": BATCH, "data": "Fashion-MNIST, 60,000 images, as packaged by Debian (dataset-fashion-mnist)"},
        "imbalanced": f"the same float function, depthwise channels scaled apart by up to {IMBALANCE:g} either way",
        "calibration": family.calibration and family.calibration.model_dump(),
        "versions": {"python": platform.python_version()} | {package: version(package) for package in PACKAGES},
        "variants": list(files.values()),
        "skipped": [skipped.model_dump() for skipped in family.skipped],
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _hurt(work: Path, out: Path, samples: Path) -> dict[str, dict[str, Any]]:
    """The imbalanced twin in per-tensor int8: the variant that shows a price."""
    folder = work / "imbalanced"
    shutil.rmtree(folder, ignore_errors=True)
    twin = quantize(work / "imbalanced.keras", ["int8"], folder, representative=samples, per_channel=False)
    name = f"{FAMILY}_int8-pertensor-imbalanced.tflite"
    shutil.copyfile(folder / twin.made[0].file, out / name)
    return {name: twin.made[0].model_dump(exclude={"mapping"}) | {"file": name}}


def _taught(work: Path, out: Path, images: Pixels, labels: Pixels) -> dict[str, dict[str, Any]]:
    """The same twin in the same scheme after quantization-aware training: QAT against PTQ."""
    import tensorflow as tf

    model = tf.keras.models.load_model(work / "imbalanced.keras", compile=False)
    name = f"{FAMILY}_int8-pertensor-imbalanced-qat.tflite"
    (out / name).write_bytes(converted(*fine_tuned(model, images, labels)))
    info = inspect(out / name)
    return {
        name: {"file": name, "scheme": "int8", "found": info.scheme, "granularity": info.granularity}
        | {"tool": f"TFLiteConverter {tf.__version__}", "recipe": "qat_fashion_mnist.py: one pass with rounded values"}
        | {"size_bytes": info.size_bytes, "sha256": info.sha256}
    }


def predictions(model: Path, images: Pixels) -> NDArray[np.int64]:
    """The class that the plain interpreter gives each image, one at a time on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    entry, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    classes = []
    for image in images:
        x = image[None].astype(np.float32)
        if entry["dtype"] is np.int8:
            scale, zero = entry["quantization"]
            x = np.clip(np.round(x / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(entry["index"], x)
        interpreter.invoke()
        classes.append(int(interpreter.get_tensor(exit_["index"])[0].argmax()))
    return np.array(classes)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
