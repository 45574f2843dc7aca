"""A warning as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason not to believe a number: its kind, the fact in words, and what to do about it."""

    kind: str
    text: str
    remedy: str

    def __str__(self) -> str:
        return self.text
