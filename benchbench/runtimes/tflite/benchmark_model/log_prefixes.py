"""What a log puts before a line: indentation, comment marks, logcat in all its formats, time stamps, severities."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 4000  # characters; no line of the tool is longer, and a dump without line breaks shall not slow us down
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d+)?"
_DATE = r"(?:(?:\d{4}|\d\d)-)?\d\d-\d\d"
_EPOCH = r"\d{9,10}(?:\.\d+)?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
_STAMP = rf"(?:(?:{_DATE}[ T])?\d\d:\d\d:\d\d[.,]\d+|{_EPOCH}|\d{{1,7}}\.\d{{3}})"  # of logcat, in all its formats
_SYSLOG = rf"(?:[A-Z][a-z]{{2}} [ \d]\d {_CLOCK}|\d{{4}}-\d\d-\d\d[T ]{_CLOCK}{_ZONE}?|{_EPOCH})"
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
        (
            "0123456789JFMASOND",
            rf"{_SYSLOG} [\w.-]+ (?:[\w./@-]+\[\d+\]|\w*bench[\w-]*): ",
        ),  # syslog and the journal of systemd
        ("12", rf"\d{{4}}-\d\d-\d\d {_CLOCK}{_ZONE}? [\w.-]+\[\d+:\w+\] "),  # Apple's log
        # time stamps of serial consoles, CI, loggers and `ts`
        ("[", r"\[[\d:.,/ T+Z-]+\]\s*|\[[A-Z][a-z]{2} [ \d]\d [\d:.]+\]\s*"),
        ("012", rf"(?:\d{{4}}-\d\d-\d\d[T ])?{_CLOCK}{_ZONE}?\s+|{_EPOCH}\s+"),
        ("JFMASOND", rf"[A-Z][a-z]{{2}} [ \d]\d {_CLOCK}\s+"),
        ("DIWEC", r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<tag>[\w.]*benchmark[\w.]*): "),  # Python's logging
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
    cut = (line[: 2 * _LONGEST] for line in lines)  # before any pattern sees it
    return [(_ANSI.sub("", line) if "\x1b" in line else line)[:_LONGEST] for line in cut]
