"""Cells of a frame as plain values for a template."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd


def number(value: Any) -> float | None:
    return None if pd.isna(value) or math.isinf(value) else float(value)


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
