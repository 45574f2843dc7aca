"""What the tests of accuracy share: the description of a tensor, and the shipped family."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

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
