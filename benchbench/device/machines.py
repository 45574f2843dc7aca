"""Which devices are one and the same machine, reached in several ways."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchbench.device.side_by_side import side_by_side
from benchbench.transports import connect
from benchbench.values.device import Device
from benchbench.values.errors import BenchbenchError, SameMachine

BOOT_ID = "/proc/sys/kernel/random/boot_id"


def unusable(devices: Sequence[Device]) -> dict[str, BenchbenchError]:
    """Why a device cannot be used beside the others, by its name: it is the machine of an earlier one, or is not there.

    It is asked before anything is locked, so that which one is used does not depend on which is quicker.
    """
    if len(devices) < 2:
        return {}
    found: dict[str, str | BenchbenchError] = {}

    def ask(device: Device) -> None:
        try:
            found[device.name] = _boot_id(device)
        except BenchbenchError as error:
            found[device.name] = error

    side_by_side([partial(ask, device) for device in devices])
    first: dict[str, Device] = {}
    wrong: dict[str, BenchbenchError] = {}
    for device in devices:
        machine = found[device.name]
        if isinstance(machine, BenchbenchError):
            wrong[device.name] = machine
        elif machine and (used := first.setdefault(machine, device)) is not device:
            said = f"{device.name} is the same machine as {used.name}, which is used"
            wrong[device.name] = SameMachine(said, remedy="keep one of their files")
    return wrong


def _boot_id(device: Device) -> str:
    """What tells a device's machine from every other for as long as it runs; "" where it has none. Raises Unreachable.

    Machine ids and host keys are copied with SD cards, and one machine may be reached at several addresses.
    """
    transport = connect(device.address)
    try:
        return transport.run(["cat", BOOT_ID], timeout_s=30).text.strip()
    finally:
        transport.close()
