"""Globs over names, as people and matrices write them."""

from __future__ import annotations

import fnmatch
from typing import Annotated

from pydantic import Field

from benchbench.values.errors import InputError

LONGEST_GLOB = 500  # characters: what a glob costs grows with its length
Glob = Annotated[str, Field(max_length=LONGEST_GLOB)]


def is_glob(name: str) -> bool:
    return any(character in name for character in "*?[")


def fits(pattern: str, *names: str) -> bool:
    """Whether a glob fits one of the names."""
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def bounded(pattern: str, source: str) -> str:
    """The glob; raises InputError for one that is too long. `source` is where it is written."""
    if len(pattern) > LONGEST_GLOB:
        said = f"{pattern[:40]}… has {len(pattern)} characters"
        raise InputError(f"{source}: {said}", remedy=f"a name or glob has {LONGEST_GLOB} at most")
    return pattern
