"""What the agent says: key=value lines, and numbers in them."""

from __future__ import annotations

import math


def pairs(text: str, prefix: str = "") -> dict[str, str]:
    """key=value lines as a dict; with a prefix, only the keys that begin with it, without it."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.startswith(prefix):
            found[key.removeprefix(prefix)] = value.strip()
    return found


def number(text: str | None) -> float | None:
    """What a device wrote as a finite number, else None."""
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None
