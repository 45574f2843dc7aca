"""What the tests of accuracy share: the description of a tensor, and the shipped family."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.reference import Reference, reference_outputs
from benchbench.accuracy.shards import cut
from benchbench.runtimes.tflite.runtime import REFERENCES

FAMILY = Path(__file__).parents[2] / "benchbench" / "demo" / "fashion_mnist"


@dataclass(frozen=True)
class Described:
    """An input or output as a test needs it."""

    name: str = "image"
    dtype: str = "float32"
    shape: tuple[int, ...] = (1, 4, 4, 1)
    scale: float | None = None
    zero_point: int | None = None


@pytest.fixture
def family() -> Path:
    if not (FAMILY / "test.npz").is_file():
        pytest.skip(f"needs the shipped family in {FAMILY.name}")
    return FAMILY


def reference_of(model: Path, dataset: Dataset, at_most_seconds: float = 120, timeout_s: float = 600) -> Reference:
    """The float32 reference, by way of shards that nobody keeps."""
    with TemporaryDirectory(prefix="benchbench-test-") as folder:
        shards = cut(dataset, Path(folder))
        return reference_outputs(model, shards, REFERENCES, at_most_seconds=at_most_seconds, timeout_s=timeout_s)
