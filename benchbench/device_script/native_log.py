"""What the native libraries write to stderr."""

from __future__ import annotations

import os
import re
import sys
from typing import Callable

from .protocol import NATIVE_LOG


def redirect_stderr(path: str) -> Callable[[], None]:
    """Send fd 2 to `path`; the function that it returns puts it back and copies what was written."""
    sys.stderr.flush()
    before = os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    os.close(log)

    def restore() -> None:
        sys.stderr.flush()
        os.dup2(before, 2)
        with open(path, "rb") as file:
            text = file.read()
        while text:
            text = text[os.write(2, text) :]

    return restore


def native_text() -> str:
    """All that was written until now."""
    sys.stderr.flush()
    with open(NATIVE_LOG, "rb") as file:
        return file.read().decode("utf-8", "replace")


def line_with(pattern: str, text: str) -> str | None:
    """The last line that matches, without its log prefix."""
    found = [line.strip() for line in text.splitlines() if re.search(pattern, line)]
    return re.sub(r"^(?:[IWE]\d{4} [^\]]*|(?:INFO|WARNING|ERROR): \[[^\]]*)\]\s*", "", found[-1]) if found else None
