"""The lines that mean something, found behind whatever prefix a log puts before them and however noisy it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchbench.runtimes.tflite.benchmark_model.log_patterns import (
    CRASH,
    GIVING_UP,
    LABELS,
    PATTERNS,
    TROUBLE,
    LinePattern,
)
from benchbench.runtimes.tflite.benchmark_model.log_prefixes import Stripped, strip

_BLOCK = 64  # lines that are searched for a pattern at once: a phone's whole logcat costs little


@dataclass(frozen=True, slots=True)
class Event:
    """One line that means something: what kind, where, as printed, and what the pattern caught."""

    kind: str
    at: int
    line: str
    values: dict[str, str]
    delegate: str | None = None  # that only such a line can be about


def events(lines: Sequence[str]) -> list[Event]:
    """What the lines say, in order; linear in their number."""
    found: list[Event] = []
    for start in range(0, len(lines), _BLOCK):
        block = "\n".join(lines[start : start + _BLOCK])
        patterns = [entry for entry in PATTERNS if entry.words in block]
        trouble = [words for words in TROUBLE if words in block]
        if not patterns and not trouble and ": [" not in block:
            continue
        for at in range(start, min(start + _BLOCK, len(lines))):
            found += _events_of(lines, at, patterns, trouble)
    return found


def _events_of(
    lines: Sequence[str], at: int, patterns: Sequence[LinePattern], trouble: Sequence[str]
) -> Iterator[Event]:
    """What a line says, from left to right: lines of a terminal may have run together."""
    line = lines[at]
    found = [
        (match.start(), Event(kind, at, match.string.strip(), _values(kind, match, lines, at), delegate))
        for kind, words, pattern, delegate in patterns
        if words in line and (match := _search(kind, pattern, lines, at))
    ]
    if any(event.kind == "command" for _, event in found):
        found = [(start, event) for start, event in found if event.kind != "other"]
    parameters = [] if ": [" not in line else _parameters(at, line)
    found = sorted([*found, *parameters], key=lambda each: each[0])
    yield from (event for _, event in found)
    if not parameters and any(words in line for words in trouble):
        stripped = strip(line)
        if not stripped.foreign and (serious := _seriousness(stripped)):
            yield Event(serious, at, line.strip(), {"body": stripped.body})


def _values(kind: str, match: re.Match[str], lines: Sequence[str], at: int) -> dict[str, str]:
    values = {key: value for key, value in match.groupdict().items() if value}
    return _continued(lines, at, values) if kind == "command" else values


def _continued(lines: Sequence[str], at: int, values: dict[str, str]) -> dict[str, str]:
    """A command that goes on after a backslash at the end of its line, and ends where the tool's first line begins."""
    rest = values.get("rest", "")
    while rest.endswith("\\") and at + 1 < len(lines):
        at += 1
        rest = f"{rest[:-1].rstrip()} {lines[at].strip()}"
    return {"rest": _OUTPUT.split(rest, maxsplit=1)[0].strip()}


def _parameters(at: int, line: str) -> list[tuple[int, Event]]:
    """The tool's echo of its parameters, `Use gpu: [1]`; several where lines ran together."""
    body = strip(line).body
    start, found = line.find(body), list[tuple[int, Event]]()
    label, *parts = body.split(": [")
    for part in parts:
        name = LABELS.get(label.removeprefix("STARTING!").rpartition(": ")[2].strip(" .").lower())
        value, end, label = part.rpartition("]")
        if name is not None and end:
            found.append((start, Event("parameter", at, line.strip(), {"name": name, "value": value})))
    return found


def _seriousness(stripped: Stripped) -> str | None:
    """Warnings and errors: by their severity, or by their words where a dialect gives none."""
    if CRASH.search(stripped.body):
        return "crash"
    if stripped.severity == "F" or GIVING_UP.search(stripped.body):
        return "fatal"
    return {"E": "error", "W": "warning"}.get(stripped.severity) if stripped.body else None


_OUTPUT = re.compile(r"(?:INFO: ?)?(?:STARTING!|Log parameter values verbosely|Loaded model )")
_WRAPPED = {"summary", "applied", "not_taken", "memory", "replacing", "count"}
_GOES_ON = re.compile(
    r"[\s>|#*]*(?:will|not|be|executed|by|the|completely|partially|w/|\d+|delegates?|kernels|graph|model|node|yielding|"
    r"partitions|for|first|curr|min|max|avg|std|p5|median|p95|init|overall|First|Warmup|Inference|Init|\(avg\)|\(MB\))"
    r"(?![\w.])"
)


def _search(kind: str, pattern: re.Pattern[str], lines: Sequence[str], at: int) -> re.Match[str] | None:
    """The pattern in this line, or in this line and what a narrow window or an author wrapped onto the next two."""
    match = pattern.search(lines[at])
    if kind not in _WRAPPED or (match and _whole(kind, match)):
        return match
    tail = lines[at + 1 : at + 3]
    if not tail or not _GOES_ON.match(tail[0]):
        return match
    bodies, length = [strip(line).body for line in tail], len(lines[at].rstrip())
    for joint in (" ", ""):
        for end in range(1, len(bodies) + 1):
            joined = pattern.search(joint.join([lines[at].rstrip(), *bodies[:end]]))
            if joined and joined.start() < length < joined.end() and _whole(kind, joined):
                return joined
    return match


def _whole(kind: str, match: re.Match[str]) -> bool:
    if kind == "count":
        return match["std"] is not None or match["first"] is None
    if kind == "applied":
        return match["extent"] == "completely" or match["kernels"] is not None
    return kind != "replacing" or match["partitions"] is not None
