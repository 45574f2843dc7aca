"""The matrix that `benchbench init` writes: what was found is set, and every other key is there as a comment."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.config.drafts import FamilyDraft, run_name, variant_line
from benchbench.config.reference import Section, sections
from benchbench.config.schema import MATRIX_FILE, matrix_schema
from benchbench.config.toml_text import toml_value
from benchbench.runtimes import KINDS

WIDTH = 110
HEAD = f"""\
#:schema ./{MATRIX_FILE}
# What benchbench measures, on what, and how. `benchbench plan` shows what would run, `benchbench run` runs it.
# A line that begins with # and a key is not set: it shows the default, or an example.
"""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device as the matrix tells of it; `kept` = a file describes it, or it is this machine."""

    name: str
    reached: str
    kept: bool


def commented_matrix(
    drafts: Sequence[FamilyDraft], devices: Sequence[FoundDevice], delegates: Sequence[str], folder: Path
) -> str:
    """matrix.toml for a folder. A phone without a file is named in a comment only: it may be gone, and a plan would not
    know it.
    """
    top, *tables = sections(matrix_schema(), "")
    by_heading = {table.heading: table for table in tables}
    names = [device.name for device in devices]
    given: dict[str, object] = {"name": run_name(drafts), "delegates": delegates}
    given |= {"devices": names} if all(device.kept for device in devices) else {}
    lines = HEAD.splitlines()
    lines += _keys(
        top,
        given,
        {"devices": _found(devices), "delegates": f"Kinds: {', '.join(KINDS)}; {MATRIX_FILE} has their options."},
    )
    for number, draft in enumerate(drafts):
        lines += ["", "[[model]]", *_model(by_heading["[[model]]"], draft, folder, commented=number == 0)]
    lines += ["", "# How each trial is measured.", "[measure]", *_keys(by_heading["[measure]"], {})]
    for heading, table in by_heading.items():
        if heading.startswith("[") and heading not in {"[[model]]", "[measure]"}:
            lines += ["", *_wrapped(table.about), f"#{heading}", *_keys(table, {})]
    return "\n".join(lines) + "\n"


def _model(section: Section, draft: FamilyDraft, folder: Path, *, commented: bool) -> Iterator[str]:
    if commented:
        yield from _keys(section, {"family": draft.name})
        yield ""
        yield from _wrapped("Its variants: name = file, from this file's folder. The scheme is read from each file.")
    else:
        yield f"family = {toml_value(draft.name)}"
    yield "[model.variants]"
    for name, path in draft.variants.items():
        yield variant_line(name, Path(os.path.relpath(path, folder)))


def _found(devices: Sequence[FoundDevice]) -> str:
    found = ", ".join(f"{device.name} ({device.reached})" for device in devices)
    without = [device.name for device in devices if not device.kept]
    keep = f" `benchbench devices --add {without[0]}` writes the file that lets it be named here." if without else ""
    return f"Found: {found}.{keep}"


def _keys(section: Section, given: Mapping[str, object], more: Mapping[str, str] | None = None) -> Iterator[str]:
    """What each key means, and the key: set where it is given, else as a comment where there is something to show."""
    for key in section.keys:
        if key.name in given or key.example:
            yield ""
            yield from _wrapped(" ".join([key.meaning, (more or {}).get(key.name, "")]))
            yield f"{key.name} = {toml_value(given[key.name])}" if key.name in given else f"#{key.name} = {key.example}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
