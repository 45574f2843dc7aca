"""What the tools say of the cache of a delegate, and what that means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchbench.values.outcome import CacheLine


@dataclass(frozen=True, slots=True)
class CacheLines:
    """Patterns of lines: the cache was read, was looked for in vain, or can be neither read nor written."""

    read: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def find(self, text: str) -> CacheLine | None:
        """What a launch said of its cache; where it said several things, the gravest."""
        lines = text.splitlines()
        for pattern in self.refused:
            if line := _line_with(pattern, lines):
                return CacheLine(event="refused", line=line)
        for pattern in self.missed:
            if line := _line_with(pattern, lines):
                return CacheLine(event="missed", line=line)
        for pattern in self.read:
            if line := _line_with(pattern, lines):
                return CacheLine(event="read", line=line)
        return None


def _line_with(pattern: str, lines: list[str]) -> str | None:
    return next((line.strip() for line in lines if re.search(pattern, line)), None)
