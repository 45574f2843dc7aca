"""Libraries of delegates: where they are on a device, and those of this host put there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from benchbench.device.session import Session
from benchbench.device.store import sha256_of
from benchbench.runtimes import backend_type
from benchbench.values.device import ON_HOST, Device
from benchbench.values.errors import ToolError


def libraries_on(session: Session) -> Mapping[str, str]:
    """The libraries that the device's file names, by kind or label, each by its path there.

    Raises ToolError for one of this host that is not there, or that no delegate of the kind takes.
    """
    return {
        name: place if path is None else session.stage_library(path)
        for name, place in session.device.libraries.items()
        for path in (_on_host(session.device, name, place),)
    }


def sent_libraries(device: Device) -> Mapping[str, str]:
    """The sha256 of each library that is put on the device from this host; of a folder one of all its files."""
    found = {}
    for name, place in device.libraries.items():
        path = Path(place.removeprefix(ON_HOST))
        if place.startswith(ON_HOST) and path.exists():
            found[name] = _folder_sha256(path) if path.is_dir() else sha256_of(path)
    return found


def _folder_sha256(folder: Path) -> str:
    digests = [f"{sha256_of(file)}  {file.name}" for file in sorted(folder.iterdir()) if file.is_file()]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _on_host(device: Device, name: str, place: str) -> Path | None:
    """The file or folder of this host that a device's file names; None for what is on the device already."""
    if not place.startswith(ON_HOST):
        return None
    path, what = Path(place.removeprefix(ON_HOST)), f"{device.source or device.name}: libraries: {name}"
    backend = backend_type(name.partition(":")[0])
    if backend.library_form is None:
        raise ToolError(f"{what}: that delegate takes no library", remedy="leave it out")
    there = path.is_dir() if backend.library_form == "folder" else path.is_file()
    if not there:
        source = f": it comes from {backend.libraries_from}" if backend.libraries_from else ""
        raise ToolError(f"{what}: {path} is no {backend.library_form} on this host{source}", remedy="correct the path")
    return path
