"""Values of frames as plain ones that JSON has, as short as they can be."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def number(value: Any, digits: int = 6) -> float | int | None:
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, int) else rounded(value, digits)


def rounded(value: float, digits: int = 6) -> float | int:
    """So many significant digits, and a whole number as one: each takes its place in the page."""
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
