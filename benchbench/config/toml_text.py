"""Values as TOML text, for the files that benchbench writes for people.

By hand, since Python's tomllib reads only, and what is needed is single values in one line, beside comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: object) -> str:
    """A text, number, list or table as TOML writes it in one line."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case Mapping():
            return f"{{ {', '.join(f'{toml_key(key)} = {toml_value(item)}' for key, item in value.items())} }}"
        case Sequence() if not isinstance(value, str):
            return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")  # a TOML text but for DEL


def toml_key(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml_value(key)
