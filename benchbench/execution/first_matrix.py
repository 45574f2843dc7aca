"""A first matrix for the models and devices that are there: what `benchbench init` writes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.config.commented import FoundDevice, commented_matrix
from benchbench.config.drafts import families
from benchbench.config.matrix import matrix_of
from benchbench.config.schema import MATRIX_FILE, as_text, matrix_schema
from benchbench.execution.selection import DEVICES, all_devices
from benchbench.runtimes import ON_CPU, RUNTIMES
from benchbench.runtimes.models import inspect
from benchbench.values.atomic import atomic
from benchbench.values.backend import Backend
from benchbench.values.device import Adb, Device, Local
from benchbench.values.errors import InputError, NothingToDo, file_error
from benchbench.values.model import ModelInfo

MATRIX = Path("matrix.toml")


@dataclass(frozen=True, slots=True)
class FirstMatrix:
    """What was written, and for what; `remarks` are files that were left out."""

    path: Path
    models: tuple[Path, ...]
    devices: tuple[Device, ...]
    remarks: tuple[str, ...]


def init(
    places: Sequence[str | Path] = (".",),
    *,
    matrix: str | Path = MATRIX,
    inventory: str | Path = DEVICES,
    force: bool = False,
) -> FirstMatrix:
    """Write a commented matrix for the models in files and folders and for all devices, with its schema beside it.

    Touches no device. Raises InputError where the file exists, unless `force`; NothingToDo where there is no model.
    """
    path = Path(matrix)
    if path.exists() and not force:
        raise InputError(f"{path}: exists already", remedy="--force writes it anew")
    infos, remarks = _models(list(_model_files(places)))
    if not infos:
        told = f": {remarks[0]}" if remarks else f" ({', '.join(_suffixes())}) in {', '.join(map(str, places))}"
        raise NothingToDo(f"no model{told}", remedy="name files or folders, or see `benchbench demo`")
    devices = all_devices(Path(inventory))
    found = [
        FoundDevice(device.name, device.address.reached, bool(device.source) or isinstance(device.address, Local))
        for device in devices
    ]
    drafts = families({Path(info.path): info.scheme for info in infos})
    text = commented_matrix(drafts, found, _delegates(infos, devices), path.absolute().parent)
    matrix_of(text, str(path))  # raises where its models cannot be one matrix
    try:
        _write(path, text)
        _write(path.with_name(MATRIX_FILE), as_text(matrix_schema()))
    except OSError as error:
        raise file_error(error, f"{path}: cannot be written") from error
    return FirstMatrix(path, tuple(Path(info.path) for info in infos), devices, remarks)


def _write(path: Path, text: str) -> None:
    with atomic(path) as file:
        file.write(text.encode())


def _suffixes() -> tuple[str, ...]:
    return tuple(suffix for runtime in RUNTIMES for suffix in runtime.suffixes)


def _model_files(places: Iterable[str | Path]) -> Iterator[Path]:
    """Files as they are named, and what is in folders; not in hidden ones, run folders and Python environments."""
    for place in map(Path, places):
        if not place.is_dir():
            yield place
            continue
        for folder, inner, files in os.walk(place):
            kept = {"run.json", "pyvenv.cfg"}.isdisjoint(files)
            inner[:] = sorted(name for name in inner if kept and not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(files) if kept and name.lower().endswith(_suffixes()))


def _models(files: Sequence[Path]) -> tuple[list[ModelInfo], tuple[str, ...]]:
    """What is in the files that are models, each once, and a line on each of the others."""
    by_content: dict[str, ModelInfo] = {}
    remarks: list[str] = []
    for file in files:
        try:
            info = inspect(file)
        except InputError as error:
            remarks.append(str(error))
            continue
        first = by_content.setdefault(info.sha256, info)
        if first is not info:
            remarks.append(f"{file}: is the same as {first.path}")
    return list(by_content.values()), tuple(remarks)


def _delegates(infos: Sequence[ModelInfo], devices: Sequence[Device]) -> tuple[str, ...]:
    """What runs anywhere, what phones have where there are some, and what models need that were compiled for it."""
    phones = any(isinstance(device.address, Adb) for device in devices)
    runtimes = [runtime for runtime in RUNTIMES if any(info.format == runtime.format for info in infos)]
    backends = {kind: backend for runtime in runtimes for kind, backend in runtime.backends.items()}
    usual = {runtime.usual_backend for runtime in runtimes}  # of others on the CPU, most builds have none
    kinds = [kind for kind in backends if kind in ON_CPU and (kind in usual or not backends[kind].is_delegate)]
    kinds += [kind for kind, backend in backends.items() if phones and backend.on_every_phone]
    for scheme in {info.scheme: None for info in infos}:
        kinds += next(([kind] for kind, one in backends.items() if scheme in one.compiled_schemes and _plain(one)), [])
    return tuple(dict.fromkeys(kinds))


def _plain(backend: type[Backend]) -> bool:
    """Whether its kind alone is enough."""
    return not any(field.is_required() for field in backend.model_fields.values())
