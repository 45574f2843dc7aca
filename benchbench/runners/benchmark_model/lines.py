"""The lines that mean something, found behind whatever prefix a log puts before them and however noisy it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchbench.runners.benchmark_model.prefixes import Stripped, strip
from benchbench.runners.benchmark_model.wordings import CRASH, GIVING_UP, LABELS, PATTERNS, TROUBLE

_BLOCK = 64  # lines that are searched for a wording at once: a phone's whole logcat costs little


@dataclass(frozen=True, slots=True)
class Event:
    """One line that means something: what kind, where, as printed, and what the pattern caught."""

    kind: str
    at: int
    line: str
    values: dict[str, str]


Patterns = Sequence[tuple[str, str, re.Pattern[str]]]


def events(lines: Sequence[str]) -> list[Event]:
    """What the lines say, in order; linear in their number."""
    found: list[Event] = []
    for start in range(0, len(lines), _BLOCK):
        block = "\n".join(lines[start : start + _BLOCK])
        patterns = [entry for entry in PATTERNS if entry[1] in block]
        trouble = [words for words in TROUBLE if words in block]
        if not patterns and not trouble and ": [" not in block:
            continue
        for at in range(start, min(start + _BLOCK, len(lines))):
            found += _events_of(lines, at, patterns, trouble)
    return found


def _events_of(lines: Sequence[str], at: int, patterns: Patterns, trouble: Sequence[str]) -> Iterator[Event]:
    line, told = lines[at], False
    for kind, words, pattern in patterns:
        if words in line and (match := _search(kind, pattern, lines, at)):
            told = True
            values = {key: value for key, value in match.groupdict().items() if value}
            yield Event(kind, at, match.string.strip(), _continued(lines, at, values) if kind == "command" else values)
    parameter, troubled = ": [" in line and not told, any(words in line for words in trouble)
    if parameter or troubled:
        stripped = strip(line)
        if parameter and (event := _parameter(at, line, stripped)):
            yield event
        elif troubled and not stripped.foreign and (serious := _seriousness(stripped)):
            yield Event(serious, at, line.strip(), {"body": stripped.body})


def _continued(lines: Sequence[str], at: int, values: dict[str, str]) -> dict[str, str]:
    """A command that goes on after a backslash at the end of its line."""
    rest = values.get("rest", "")
    while rest.endswith("\\") and at + 1 < len(lines):
        at += 1
        rest = f"{rest[:-1].rstrip()} {lines[at].strip()}"
    return {"rest": rest.strip()}


def _parameter(at: int, line: str, stripped: Stripped) -> Event | None:
    """The tool's echo of a parameter: `Use gpu: [1]`."""
    head, _, value = stripped.body.partition(": [")
    name = LABELS.get(head.rpartition(": ")[2].strip(" .").lower())
    if name is None or not value.endswith("]"):
        return None
    return Event("parameter", at, line.strip(), {"name": name, "value": value[:-1]})


def _seriousness(stripped: Stripped) -> str | None:
    """Warnings and errors: by their severity, or by their words where a dialect gives none."""
    if CRASH.search(stripped.body):
        return "crash"
    if stripped.severity == "F" or GIVING_UP.search(stripped.body):
        return "fatal"
    return {"E": "error", "W": "warning"}.get(stripped.severity) if stripped.body else None


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
