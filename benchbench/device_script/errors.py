"""The two ways in which what was asked for cannot be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .protocol import Verdict


class Unusable(Exception):
    """What was asked for did not take the graph; no number may be given for it."""

    def __init__(self, verdict: Verdict, evidence: str) -> None:
        super().__init__(evidence)
        self.verdict = verdict


class NeedsCpu(Exception):
    """The accelerator cannot take the whole graph: start again with the CPU for the rest."""


def one_line(error: BaseException) -> str:
    """All that an exception says, without line breaks."""
    return " ".join(str(error).split())


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
