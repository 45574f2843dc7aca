"""The two ways in which what was asked for cannot be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Verdict

    Words = Callable[[BaseException], str]  # what an exception of a runtime says, without what tells nobody anything


class Unusable(Exception):
    """What was asked for did not take the graph; no number may be given for it."""

    def __init__(self, verdict: Verdict, evidence: str) -> None:
        super().__init__(evidence)
        self.verdict = verdict


class NeedsCpu(Exception):
    """The accelerator cannot take the whole graph: start again with the CPU for the rest."""


def in_words(error: BaseException) -> str:
    """All that an exception says."""
    return str(error).strip()


def one_line(error: BaseException, words: Words = in_words) -> str:
    """All that an exception says, without line breaks."""
    return " ".join(words(error).split())


def first_line(error: BaseException, words: Words = in_words) -> str:
    """The first line of what an exception says, or its type where it says nothing."""
    return (words(error).splitlines() or [type(error).__name__])[0]
