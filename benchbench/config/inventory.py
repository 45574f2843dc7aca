"""The devices: files in devices/, phones that the adb server sees, and this machine."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchbench.config.complaints import did_you_mean
from benchbench.config.globs import bounded, fits
from benchbench.config.toml_files import read_toml, validated
from benchbench.config.toml_text import toml_value
from benchbench.runtimes import KINDS
from benchbench.values.account import expanded
from benchbench.values.device import FROM_FILE, ON_HOST, Adb, Device, Local
from benchbench.values.errors import InputError, NothingToDo

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
BINARIES = tuple(key for key, field in Device.model_fields.items() if FROM_FILE in field.metadata)


def read_device(path: Path) -> Device:
    """One devices/NAME.toml, its binaries found from there; raises InputError naming the file and the key."""
    if not NAME.fullmatch(path.stem):
        raise InputError(f"{path}: a device's name is letters, digits, '-' and '_'", remedy="rename the file")
    device = validated(Device, {"name": path.stem} | read_toml(path), path)
    if device.name != path.stem:
        raise InputError(f"{path}: name: the file's name is the device's name", remedy="leave the key out")
    given = {key: place for key in BINARIES if (place := getattr(device, key)) is not None}
    binaries = {key: str(path.parent.absolute() / expanded(place, f"{path}: {key}")) for key, place in given.items()}
    for kind in device.libraries:
        if kind.partition(":")[0] not in KINDS:
            raise InputError(f'{path}: libraries: no such delegate: "{kind}"', remedy=did_you_mean(kind, KINDS))
    libraries = {kind: _from_folder(place, path, kind) for kind, place in device.libraries.items()}
    return device.model_copy(update={"source": str(path), "libraries": libraries, **binaries})


def _from_folder(place: str, path: Path, kind: str) -> str:
    """Where a library is; one on this host found from the folder of the device's file."""
    if not place.startswith(ON_HOST):
        return place
    written = expanded(place.removeprefix(ON_HOST), f"{path}: libraries: {kind}")
    return f"{ON_HOST}{path.parent.absolute() / written}"


def read_inventory(folder: Path) -> tuple[Device, ...]:
    """All devices of a folder by name, and this machine as "host" where no file says otherwise."""
    devices = [read_device(path) for path in sorted(folder.glob("*.toml"))] if folder.is_dir() else []
    if not any(isinstance(device.address, Local) for device in devices) and all(d.name != "host" for d in devices):
        devices.append(Device(name="host", address=Local()))
    return tuple(sorted(devices, key=lambda device: device.name))


def with_discovered(devices: Sequence[Device], phones: Iterable[tuple[str, str | None]]) -> tuple[Device, ...]:
    """The inventory and every phone (serial, model) that no file describes, under a name made from its model."""
    known = {device.address.serial for device in devices if isinstance(device.address, Adb)}
    names = {device.name for device in devices}
    found = list(devices)
    for serial, model in phones:
        if serial in known:
            continue
        name = _free_name(model or serial, serial, names)
        names.add(name)
        found.append(Device(name=name, address=Adb(serial=serial)))
    return tuple(found)


def _free_name(wanted: str, serial: str, taken: set[str]) -> str:
    def slug(text: str) -> str:
        return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "phone"

    name = slug(wanted)
    if name in taken:
        name = f"{name}-{slug(serial)}"[:60]
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([name], numbered) if free not in taken)


def select(devices: Sequence[Device], patterns: Sequence[str] | None, source: str) -> tuple[Device, ...]:
    """The devices that names or globs choose, each once; `source` is where they are written, for complaints.

    Raises InputError for a pattern that fits none or is too long, NothingToDo where there is no pattern at all.
    """
    if patterns is None:
        return tuple(devices)
    if not patterns:
        raise NothingToDo(f"{source}: is empty", remedy="name some, or leave the key out for all")
    chosen: dict[str, Device] = {}
    for pattern in patterns:
        bounded(pattern, source)
        fitting = [device for device in devices if fits(pattern, device.name)]
        if not fitting:
            remedy = did_you_mean(pattern, [device.name for device in devices])
            raise InputError(f"{source}: no device fits {pattern!r}", remedy=remedy)
        chosen |= {device.name: device for device in fitting}
    return tuple(chosen.values())


def device_file(device: Device) -> str:
    """The TOML text of a device's file, for `devices --add`."""
    return f"address = {toml_value(device.address.model_dump(exclude_none=True))}\n"
