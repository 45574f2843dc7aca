"""Lines that fit a terminal without a word being cut in two.

By hand, since rich cuts a word that is longer than a line, and Python's textwrap counts characters, not cells.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

_AFTER_SLASH = re.compile(r"(?<=/)")


def wrapped(text: str, width: int, *, indent: str = "", at_slashes: bool = False) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces; further lines begin as it does, and with `indent`.

    A word that is longer has a line to itself and stays whole, so that a path can be copied; with `at_slashes` it is
    broken there, as ids of cases may be.
    """
    words = text.lstrip(" ")
    lines = [text[: len(text) - len(words)]]
    indent = lines[0] + indent
    for word in words.split(" "):
        pieces = [word] if not at_slashes or cell_len(word) <= width - len(indent) else _AFTER_SLASH.split(word)
        for number, piece in enumerate(pieces):
            gap = " " if number == 0 and lines[-1].strip() else ""
            if lines[-1].strip() and cell_len(lines[-1]) + len(gap) + cell_len(piece) > width:
                lines.append(indent + piece)
            else:
                lines[-1] += gap + piece
    return lines
