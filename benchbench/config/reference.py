"""The reference of every key of a file, from its JSON Schema: for the READMEs, and for what `init` writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchbench.config.schema import Schema, device_schema, matrix_schema
from benchbench.config.toml_text import toml_value

_DEFAULT_IN_WORDS = re.compile(r"\s*\[([^\]]+)\]$")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table, in words."""

    name: str
    value: str  # what may be written
    default: str  # what holds where it is not; "" = it is required
    meaning: str
    example: str  # as TOML: the default, where it can be written; "" = there is none


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a file, as it is headed there, with its keys."""

    heading: str
    about: str
    keys: tuple[Key, ...]


def matrix_reference() -> str:
    return _page(sections(matrix_schema(), "At the top of the file"))


def device_reference() -> str:
    return _page(sections(device_schema(), "The keys of a device file"))


def sections(schema: Schema, heading: str) -> list[Section]:
    """The tables of a file, the outermost first."""
    return [_section(schema, heading), *_inner(schema, "", schema)]


def _inner(table: Schema, path: str, schema: Schema) -> Iterator[Section]:
    for name, value in table["properties"].items():
        way = f"{path}.{name}" if path else name
        for table_name, repeated in _tables(value):
            inner = schema["$defs"][table_name]
            yield _section(inner, _heading(way, repeated, inner, inline=bool(path)))
            yield from _inner(inner, way, schema)


def _tables(value: Schema, *, repeated: bool = False) -> Iterator[tuple[str, bool]]:
    """The names of the tables that a value may be, and whether there may be several."""
    if "$ref" in value:
        yield value["$ref"].rpartition("/")[2], repeated
    for one in (*value.get("anyOf", ()), *value.get("oneOf", ()), *value.get("allOf", ())):
        yield from _tables(one, repeated=repeated)
    if "items" in value:
        yield from _tables(value["items"], repeated=True)


def _heading(way: str, repeated: bool, table: Schema, *, inline: bool) -> str:
    """How a table begins in the file."""
    kinds = [f'{name} = "{key["const"]}", ' for name, key in table["properties"].items() if _is_tag(key)]
    if not kinds and not inline:
        return f"[[{way}]]" if repeated else f"[{way}]"
    written = f"{{ {''.join(kinds)}… }}"
    return f"{way.rpartition('.')[2]} = {f'[{written}]' if repeated else written}"


def _is_tag(key: Schema) -> bool:
    """Whether a key tells the kind of its table: it has one value, and that without being written."""
    return "const" in key and key.get("default") == key["const"]


def _section(table: Schema, heading: str) -> Section:
    """The key that tells the kind of a table is in its heading."""
    required = table.get("required", ())
    properties = table["properties"].items()
    keys = (_key(name, value, name in required) for name, value in properties if not _is_tag(value))
    return Section(heading, table.get("description", ""), tuple(keys))


def _key(name: str, value: Schema, required: bool) -> Key:
    said = value.get("description", "")
    in_words = _DEFAULT_IN_WORDS.search(said)
    default = in_words[1] if in_words else "none"
    if "default" in value and not in_words:
        default = f"`{toml_value(value['default'])}`"
    example = next((toml_value(one) for one in (*value.get("examples", ()), *_default(value))), "")
    return Key(name, words(value), "" if required else default, _DEFAULT_IN_WORDS.sub("", said), example)


def _default(value: Schema) -> tuple[Any, ...]:
    return (value["default"],) if "default" in value else ()


def words(value: Schema) -> str:
    """What may be written for a value of such a schema."""
    match value:
        case {"const": const}:
            return f"`{toml_value(const)}`"
        case {"enum": options}:
            return ", ".join(f"`{toml_value(option)}`" for option in options)
        case {"$ref": _} | {"oneOf": _}:
            return "table"
        case {"anyOf": options}:
            return " or ".join(dict.fromkeys(map(words, options)))
        case {"type": "array", "prefixItems": [first, *others]}:
            return f"list of {1 + len(others)}: {words(first)}"
        case {"type": "array", "items": items}:
            return f"list: {words(items)}"
        case {"type": "object", "additionalProperties": inner} if isinstance(inner, dict):
            return f"table: name = {words(inner)}"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "integer"}:
            return f"whole number{_limits(value)}"
        case {"type": "number"}:
            return f"number{_limits(value)}"
    return "text"


def _limits(value: Schema) -> str:
    said: dict[str, Any] = {
        " from ": value.get("minimum"),
        " above ": value.get("exclusiveMinimum"),
        " to ": value.get("maximum"),
        " below ": value.get("exclusiveMaximum"),
    }
    return "".join(f"{word}{limit:g}" for word, limit in said.items() if limit is not None)


def _page(found: list[Section]) -> str:
    lines: list[str] = []
    for section in found:
        lines += [f"## `{section.heading}`" if section is not found[0] else f"## {section.heading}", ""]
        lines += [section.about, ""] if section is not found[0] and section.about else []
        lines += ["| key | value | default | |", "|---|---|---|---|"] if section.keys else ["It has no options."]
        for key in section.keys:
            default = key.default or "**required**"
            lines.append(f"| `{key.name}` | {_cell(key.value)} | {_cell(default)} | {_cell(key.meaning)} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
