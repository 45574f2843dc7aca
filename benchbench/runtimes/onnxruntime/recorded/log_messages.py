"""What a line of ONNX Runtime tells, without what stands around it for developers.

Its log lines have their time, which makes one reason look like many, and are coloured, in files too, where the colour
ends on a line of its own. A message of an exception comes after its place in the source: the whole signature of a
function, often longer than the message.
"""

from __future__ import annotations

import re

LEFT_OUT = re.compile(
    r"not (?:supported|enabled) in this build|not supported on this platform|not included in perf test runner"
)
NO_LIBRARY = re.compile(r"Failed to load library \S+ with error: (.+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TIME = re.compile(r"^\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ (?=\[)")
# net/some_file.cc:45 void Some::function(const T&) [with T = int]
_PLACE = re.compile(
    r"[^\s:]+\.(?:cc|cpp|h):\d+ (?:\S+ ){0,3}?\S*::\S*?\((?:[^()]|\([^()]*\))*\)"
    r"(?: const)?(?: \[(?:with )?\w+ = [^\]]*\])? "
)


def left_out_line(text: str) -> str | None:
    """The line that says that a provider was not built in, or that its library is missing; None = none does."""
    lines = (line for line in text.splitlines() if LEFT_OUT.search(line) or NO_LIBRARY.search(line))
    return next((message_in(line)[:300] for line in lines), None)


def message_in(line: str) -> str:
    """Its message; "" where a line has none."""
    return _PLACE.sub("", _TIME.sub("", _COLOUR.sub("", line))).strip()
