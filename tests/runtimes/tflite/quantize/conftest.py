"""Data on which a quantized model goes wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.runtimes.tflite.quantize.shipped import SAMPLES, saved


@pytest.fixture
def with_outlier(tmp_path: Path) -> Path:
    """Representative data with one sample far beyond the others, which stretches every range."""
    x = np.load(SAMPLES)["x"][:12].astype(np.float32)
    x[0] *= 1e4
    return saved(tmp_path / "outlier.npz", x=x)
