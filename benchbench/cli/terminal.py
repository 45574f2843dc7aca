"""The edge to a person: what may be shown, and what happens when nobody is there any more to see it.

Text from devices, tools, models, file names and logs may hold control characters: escape sequences that rewrite the
terminal, marks that turn the order of letters around. None of them is ever shown as it is.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from benchbench.values.visible import visible


class Styled(io.TextIOWrapper):
    """A standard stream that takes escape sequences from who has already made the text harmless (rich).

    When the terminal or the reader at the other end is gone it says so once, and what is written later goes nowhere.
    """

    def __init__(self, stream: TextIO, gone: Callable[[OSError], None]) -> None:
        super().__init__(
            stream.buffer,
            encoding=stream.encoding,
            errors="backslashreplace",
            line_buffering=stream.isatty(),
            write_through=True,
        )
        self._gone = gone

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._lost(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lost(error)

    def _lost(self, error: OSError) -> None:
        if error.errno not in {errno.EIO, errno.EPIPE}:
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        self._gone(error)


class Plain(Styled):
    """A standard stream for everything else: every control character is written out."""

    def __init__(self, stream: TextIO, gone: Callable[[OSError], None]) -> None:
        super().__init__(stream, gone)
        self.styled = Styled(stream, gone)

    def write(self, text: str) -> int:
        return super().write(visible(text))

    def detach(self) -> Any:
        self.styled.detach()
        return super().detach()


@contextlib.contextmanager
def guarded(gone: Callable[[OSError], None]) -> Iterator[None]:
    """Both standard streams behind the edge; `gone` hears when one cannot be written any more."""
    before = sys.stdout, sys.stderr
    stdout, stderr = Plain(sys.stdout, gone), Plain(sys.stderr, gone)
    sys.stdout, sys.stderr = stdout, stderr
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        stdout.detach()
        stderr.detach()


def styled(stream: TextIO) -> TextIO:
    """The face of a standard stream that takes escape sequences."""
    face: TextIO = getattr(stream, "styled", stream)
    return face
