"""What ONNX Runtime's exceptions say."""

from __future__ import annotations

import re


def in_words(error: BaseException) -> str:
    """What an exception says, without places in ONNX Runtime's sources and signatures of its functions."""
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
