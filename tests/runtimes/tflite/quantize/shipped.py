"""The float model that is shipped, and data for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchbench.runtimes.quantizing.manifest import Family, Made

SHIPPED = Path(__file__).parents[4] / "benchbench/demo/fashion_mnist"
FLOAT32 = SHIPPED / "fashion_mnist_float32.tflite"
SAMPLES = SHIPPED / "calibration.npz"


def made_of(family: Family) -> dict[str, Made]:
    return {made.scheme: made for made in family.made}


def saved(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return path
