"""What `benchbench devices` changes: a file for a phone that was found, work folders that are emptied."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchbench.config.inventory import device_file, select
from benchbench.config.schema import DEVICE_FILE, as_text, device_schema
from benchbench.device.side_by_side import side_by_side
from benchbench.device.work_folder import clean as clean_device
from benchbench.execution.selection import DEVICES, all_devices
from benchbench.values.device import Device
from benchbench.values.errors import BenchbenchError, InputError


def add_device(name: str, inventory: str | Path = DEVICES) -> Path:
    """Write the file of a discovered phone, and the schema for editors beside it.

    Raises InputError when there is none of that name, or the file exists.
    """
    inventory = Path(inventory)
    found = select([device for device in all_devices(inventory) if not device.source], [name], "devices")
    path = inventory / f"{found[0].name}.toml"
    inventory.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"#:schema ./{DEVICE_FILE}\n{device_file(found[0])}")
        (inventory / DEVICE_FILE).write_text(as_text(device_schema()), encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{path}: exists already", remedy="edit it") from error
    return path


def clean(devices: Sequence[Device]) -> tuple[tuple[Device, str | BenchbenchError], ...]:
    """Empty the work folders of devices; each with the folder that was removed, or why not."""
    said: dict[str, str | BenchbenchError] = {}

    def one(device: Device) -> None:
        try:
            said[device.name] = clean_device(device)
        except BenchbenchError as error:
            said[device.name] = error

    side_by_side([partial(one, device) for device in devices])
    return tuple((device, said[device.name]) for device in devices)
