"""A command in words that every login shell passes on alike: sh, bash, csh, tcsh, fish.

sshd hands a command to the account's login shell as one text. csh and tcsh know no line break and no safe `!` between
single quotes, fish reads backslashes there. So all but plain characters travel as octal escapes, and a POSIX shell,
which every board has as `sh`, makes the words of them again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Letters and what stands for itself in all of those shells, within single quotes.
_NOT_PLAIN = re.compile(rb"[^A-Za-z0-9 _./:,=+@%~#^*?(){}\[\]<>|;&$\"`-]")

# A word begins with = (as it is) or @ (escaped). The x keeps line breaks at the end, which $() would take away.
_DECODE = (
    'n=$#; while [ "$n" -gt 0 ]; do w=$1; shift; case $w in @*) w=$(printf %bx "${w#@}"); w=${w%x} ;; *) w=${w#=} ;; '
    'esac; set -- "$@" "$w"; n=$((n - 1)); done; unset n w; exec "$@"'
)


def for_any_shell(argv: Sequence[str]) -> str:
    """One line that runs `argv`, each argument exactly as it is, whatever login shell reads it."""
    words = " ".join(f"'{_word(argument.encode('utf-8', 'surrogateescape'))}'" for argument in argv)
    return f"exec sh -c '{_DECODE}' sh {words}"


def _word(argument: bytes) -> str:
    escaped = _NOT_PLAIN.sub(lambda found: b"\\0%03o" % found[0][0], argument).decode("ascii")
    return ("=" if len(escaped) == len(argument) else "@") + escaped
