"""What a family is made from: a float model of some runtime's format, a Keras file, or a SavedModel folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from benchbench.runtimes import RUNTIMES
from benchbench.values.errors import InputError

SourceKind = str  # a runtime's format, "keras" or "saved_model"
KERAS = (".keras", ".h5")
BY_SUFFIX = {suffix: runtime.format for runtime in RUNTIMES for suffix in runtime.suffixes} | dict.fromkeys(
    KERAS, "keras"
)
SOURCES = f"{', '.join(f'a {suffix}' for suffix in BY_SUFFIX)} file, or a SavedModel folder"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FLOAT = re.compile(r"(?<=.)[._-](float32|fp32|f32|float)$", re.IGNORECASE)  # a source is of no other scheme


def kind_of(source: Path) -> SourceKind:
    """Which kind of model a path holds; InputError when it is none that can be quantized."""
    if (source / "saved_model.pb").is_file():
        return "saved_model"
    if not source.is_file():
        raise InputError(f"{source} is no model file and no SavedModel folder", remedy="check the path")
    if kind := BY_SUFFIX.get(source.suffix.lower()):
        return kind
    raise InputError(
        f"{source}: {source.suffix or 'a file without suffix'} cannot be quantized", remedy=f"give {SOURCES}"
    )


def family_name(source: Path, wanted: str | None) -> str:
    """The name that was wanted, else the source's without its scheme: `net` of net_float32.tflite.

    Raises InputError for a name that cannot begin the name of a file.
    """
    if wanted is not None and not NAME.fullmatch(wanted):
        raise InputError(f"{wanted!r} cannot name a family", remedy="use letters, digits, '.', '_' and '-'")
    given = source.absolute()  # "." has no name
    return wanted or FLOAT.sub("", given.name if given.is_dir() else given.stem)


def digest(source: Path) -> str:
    """sha256 of a file, or of all files of a folder with their names."""
    if source.is_file():
        return hashlib.sha256(source.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    for file in sorted(file for file in source.rglob("*") if file.is_file()):
        whole.update(file.relative_to(source).as_posix().encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()
