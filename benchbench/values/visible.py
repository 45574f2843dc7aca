"""Text that may be shown: what devices, tools, models, file names and logs say may hold control characters."""

from __future__ import annotations

import re

# C0 but for tab and newline, DEL, C1; soft hyphen; marks of direction, invisible characters, separators of lines; half
# a surrogate pair; a byte order mark, annotations; tags. The joiners U+200C and U+200D belong to words of some scripts.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""The text with every control character written out, as \u001b: harmless to see, and the same inside JSON."""
    return _HIDDEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
