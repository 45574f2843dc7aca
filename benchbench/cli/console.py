"""The terminal: data on stdout, talk on stderr; plain lines where nobody is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from benchbench.cli.terminal import styled
from benchbench.cli.wrapping import wrapped
from benchbench.values.visible import visible


class Console(RichConsole):
    """Rich's, but no control character of a text reaches the terminal, and no line of one breaks within a word."""

    def print(self, *objects: Any, **how: Any) -> None:
        if self.is_terminal and len(objects) == 1 and isinstance(text := objects[0], str):
            objects = ("\n".join(line for part in text.split("\n") for line in wrapped(part, self.width)),)
            how |= {"soft_wrap": True}
        super().print(*objects, **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def out() -> Console:
    """Data: stdout. Tables are not squeezed into a pipe's 80 columns."""
    console = Console(file=styled(sys.stdout), highlight=False)
    return console if console.is_terminal else Console(file=console.file, highlight=False, width=200, soft_wrap=True)


def err() -> Console:
    """Talk: stderr. A terminal stays one when it is closed: the next words are to find that nobody reads them."""
    stream = styled(sys.stderr)
    return Console(file=stream, force_terminal=stream.isatty() or None, stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A sign of life on stderr while something takes its time."""
    console = err()
    if not console.is_terminal:
        console.print(f"{text} …", markup=False)
        yield
        return
    with console.status(escape(text)):
        yield
