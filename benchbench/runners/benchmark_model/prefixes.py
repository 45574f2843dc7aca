"""What a log puts before a line: indentation, comment marks, logcat in all its formats, time stamps, severities."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 4000  # characters; no line of the tool is longer, and a dump without line breaks shall not slow us down
_STAMP = r"(?:\d{4}-)?\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+"
# the characters that one can begin with; its pattern
_PREFIXES = tuple(
    (set(begins), re.compile(pattern))
    for begins, pattern in (
        (" \t>|*`", r"[\s>|*`]+"),  # indentation, quotation, lists
        ("/#", r"//\s*|#+(?!threads used)[ \t]*"),  # comments
        (".", r"\.\.\.\s+(?P<tag>\w+)\s*: "),  # an abbreviated logcat line
        (  # logcat: threadtime, time, brief, tag; Android Studio's; with year, time zone or user
            "0123456789VDIWEF",
            rf"(?:{_STAMP}\s+(?:[+-]\d{{4}}\s+)?)?(?:(?:\w+\s+)?\d+\s+\d+\s+|\d+-\d+(?:/\S+)?\s+)?"
            r"(?P<level>[VDIWEF])[ /](?P<tag>[\w.@/-]+)\s*(?:\(\s*\d+\))?\s*:(?:\s|$)",
        ),
        ("0123456789", rf"{_STAMP}\s+\d+-\d+\s+(?P<tag>\S+)\s+\S+\s+(?P<level>[VDIWEF])\s+"),
        ("IWEF", r"(?P<level>[IWEF])\d{4,8} [\d:.]+\s+\d+ [\w./-]+:\d+\] "),  # absl
        ("12", r"\d{4}-\d\d-\d\d [\d:.]+: (?P<level>[IWEF]) \S+:\d+\] "),  # TensorFlow
        ("n", r"native\s*: (?:[\w./-]+:\d+ )?"),
        # time stamps of serial consoles and CI
        ("[012", r"\[[\d:./ T+-]+\]\s*|\d{4}-\d\d-\d\dT[\d:.]+Z\s+|\d\d:\d\d:\d\d(?:\.\d+)?\s+"),
        ("VIWEF", r"(?P<level>VERBOSE|INFO|WARN|WARNING|ERROR|FATAL): ?(?:\[[\w./-]+:\d+\] ?)?"),
    )
)
_OURS = re.compile(r"tflite|litert|native|^libc$|^DEBUG$|benchmark", re.IGNORECASE)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Stripped:
    """A line without its prefixes: its severity (I, W, E, F, V), and whether another program logged it."""

    body: str
    severity: str
    foreign: bool


def strip(line: str) -> Stripped:
    severity, rest = "", line.strip()
    for _ in range(6):
        match = next((m for begins, pattern in _PREFIXES if rest[:1] in begins and (m := pattern.match(rest))), None)
        if match is None:
            break
        caught, rest = match.groupdict(), rest[match.end() :].lstrip()
        severity = (caught.get("level") or severity)[:1]
        if caught.get("tag") and not _OURS.search(caught["tag"]):
            return Stripped(rest, severity, foreign=True)
    return Stripped(rest, severity, foreign=False)


def to_text(data: str | bytes) -> str:
    """Text of a log; PowerShell's redirections are UTF-16."""
    if isinstance(data, str):
        return data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def to_lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(_ANSI.sub("", line) if "\x1b" in line else line)[:_LONGEST] for line in lines]
