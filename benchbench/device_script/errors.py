"""The two ways in which what was asked for cannot be measured."""

from __future__ import annotations

import re
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
    return " ".join(in_words(error).split())


def in_words(error: BaseException) -> str:
    """What an exception says; of ONNX Runtime's without places in its sources and signatures of its functions."""
    text = str(error).strip()
    if "onnxruntime" not in text.lower():
        return text
    text = re.sub(r"\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    while True:
        found = re.search(r" ?/\S+\.(?:h|cc):\d+ ", text)
        if not found:
            return text
        text = f"{text[: found.start()]} {text[_after_signature(text, found.end()) :]}"


def _after_signature(text: str, start: int) -> int:
    """Where the signature of a C++ function ends, with what it is instantiated for; else the end of its bare name."""
    opened = text.find("(", start)
    if opened < 0 or "::" not in text[start:opened]:
        return text.find(" ", start) + 1 or len(text)
    end = _closed(text, opened)
    bound = re.compile(r"(?: const)?(?: \[with )?").match(text, end)
    if bound and bound.group().endswith("[with "):
        end = _closed(text, text.index("[", end))
    elif bound:
        end = bound.end()
    return end + 1 if text[end : end + 1] == " " else end


def _closed(text: str, opened: int) -> int:
    """The place behind the bracket that closes the one at `opened`."""
    depth = 0
    for place in range(opened, len(text)):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    return len(text)


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its type where it says nothing."""
    return (in_words(error).splitlines() or [type(error).__name__])[0]
