"""What of a matrix is wanted, and which devices that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.config.globs import bounded, is_glob
from benchbench.config.inventory import read_inventory, select, with_discovered
from benchbench.config.matrix import Matrix
from benchbench.plan import cells_of, takes
from benchbench.values.device import Device
from benchbench.values.errors import InputError

DEVICES = Path("devices")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases of a matrix: globs over case ids, and the seed of the order (None = a new one).

    Raises InputError for a glob that is too long.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        for pattern in self.only:
            bounded(pattern, "--only")
        for pattern in self.skip:
            bounded(pattern, "--skip")


EVERYTHING = Selection()


def chosen_devices(matrix: Matrix, inventory: Path = DEVICES, selection: Selection = EVERYTHING) -> tuple[Device, ...]:
    """The devices of a matrix; phones without a file are looked for only where its names do not fit the files."""
    known = read_inventory(inventory)
    names = _needed(matrix, known, selection)
    if names is not None:
        try:
            return select(known, names, f"{matrix.source}: devices")
        except InputError:
            known = all_devices(inventory)
    else:
        known = all_devices(inventory)
    return select(known, names, f"{matrix.source}: devices")


def _needed(matrix: Matrix, known: Sequence[Device], selection: Selection) -> tuple[str, ...] | None:
    """The names and globs in a matrix's `devices`, but for names of unknown devices no case of which is selected."""

    def needed(name: str) -> bool:
        return (
            is_glob(name)
            or any(device.name == name for device in known)
            or any(takes(case.id, selection.only, selection.skip) for case in cells_of(matrix, name))
        )

    if matrix.devices is None:
        return None
    return tuple(filter(needed, matrix.devices)) or matrix.devices


def all_devices(inventory: str | Path = DEVICES) -> tuple[Device, ...]:
    """The inventory and every phone that the adb server sees."""
    from benchbench.transports.adb import discover

    known = read_inventory(Path(inventory))
    return with_discovered(known, [(seen.serial, seen.model) for seen in discover()])


def known_devices(matrix: Matrix, inventory: Path, selection: Selection) -> tuple[Device, ...]:
    """A name that no file has may be a phone's, which only asking finds out."""
    known = read_inventory(inventory)
    try:
        return select(known, _needed(matrix, known, selection), f"{matrix.source}: devices")
    except InputError as error:
        remedy = f"{error.remedy}, or is it a phone without a file? --probe looks for it"
        raise InputError(error.message, remedy=remedy) from error
