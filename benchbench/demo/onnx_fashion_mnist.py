"""Make the .onnx twins of the shipped family out of its float32 .tflite, and hold their weights against the .tflite.

    python -m benchbench.demo.onnx_fashion_mnist FOLDER

needs `pip install 'benchbench[onnx,tensorflow]'`. FOLDER has the family; its .onnx files and their entries in
family.json are made anew.
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import version
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.pipeline import quantize
from benchbench.runtimes.quantizing.manifest import MANIFEST

FAMILY = "fashion_mnist"
SCHEMES = ("float32", "float16", "dynamic-int8", "int8")
EQUAL = ("float32", "float16", "int8")  # dynamic int8 has a scale a channel in .tflite and a scale a tensor in .onnx
PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
FEWEST = 200  # of a weight: what is smaller are biases and shapes


def main(folder: Path) -> None:
    """Add the twins to a shipped family, or make them again."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for old in folder.glob("*.onnx"):
        old.unlink()
    entries = [entry for entry in manifest["variants"] if not entry["file"].endswith(".onnx")]
    with TemporaryDirectory(prefix="benchbench-") as beside:
        made = Path(beside, "family")
        source = folder / f"{FAMILY}_float32.tflite"
        samples = folder / "calibration.npz"
        family = quantize(source, SCHEMES, made, representative=samples, name=FAMILY, model_format="onnx")
        for entry in family.made:
            shutil.copyfile(made / entry.file, folder / entry.file)
            twin = folder / f"{FAMILY}_{entry.scheme}.tflite"
            equal = equal_weights(twin, folder / entry.file)
            if entry.scheme in EQUAL and len(set(equal)) > 1:
                raise SystemExit(f"{entry.file}: {equal[0]} of {equal[1]} weights are those of {twin.name}")
            found = entry.model_dump(exclude={"mapping"}) | {"top1": accuracy(folder / entry.file, folder / "test.npz")}
            entries.append(found | {"equal_weights": f"{equal[0]} of {equal[1]}"})
    manifest["variants"] = entries
    manifest["versions"] |= {package: version(package) for package in PACKAGES}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def equal_weights(tflite: Path, onnx: Path) -> tuple[int, int]:
    """How many of the weights of a .tflite are in an .onnx, to the bit, and how many it has.

    Each format has the axes in the order that its kernels want.
    """
    there, ours = _of_onnx(onnx), _of_tflite(tflite)
    return sum(any(_same(one, other) for other in there) for one in ours), len(ours)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.dtype != other.dtype or sorted(one.shape) != sorted(other.shape):
        return False
    orders = permutations(range(one.ndim))
    return any(np.array_equal(one.transpose(order), other) for order in orders)


def _of_tflite(path: Path) -> list[NDArray[Any]]:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(path), experimental_op_resolver_type=plain)
    found = []
    for tensor in interpreter.get_tensor_details():
        try:
            array = interpreter.get_tensor(tensor["index"])
        except ValueError:  # it is computed, and holds nothing before a run
            continue
        if array.ndim > 1 and array.size >= FEWEST:
            found.append(array)
    return found


def _of_onnx(path: Path) -> list[NDArray[Any]]:
    import onnx

    return [onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer]


def accuracy(model: Path, samples: Path) -> dict[str, float]:
    """Top-1 by plain onnxruntime, one image at a time on one thread."""
    with np.load(samples) as data:
        right = predictions(model, data["x"]) == data["y"]
    return {str(len(right)): float(right.mean())}


def predictions(model: Path, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The class that plain onnxruntime gives each image."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    outputs = [session.run(None, {name: image[None].astype(np.float32)})[0][0] for image in images]
    classes: NDArray[np.int64] = np.array(outputs).argmax(1)
    return classes


if __name__ == "__main__":
    main(Path(sys.argv[1]))
