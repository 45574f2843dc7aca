"""A binary for a device: what it is built for, by its own header, and what it says of itself there."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from benchbench.device.session import Session
from benchbench.runtimes.interpreters import environment
from benchbench.transports import Finished
from benchbench.values.errors import ToolError

# e_machine of the ELF header, System V ABI
_ELF_MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "arm64", 243: "riscv64"}
# cputype of the Mach-O header, <mach/machine.h>
_MACHO_CPUS = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_MACHO_64 = b"\xcf\xfa\xed\xfe"
_PT_INTERP = 3


def matches(path: Path, os: str, arch: str) -> str | None:
    """Why the binary cannot run on a device, to be read after its name; None = it can, as far as its header says.

    Reads the ELF machine, class and program interpreter (an Android binary asks for /system/bin/linker), or the
    Mach-O processor. A script (`#!`) fits everywhere, a static ELF every system of its processor.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"#!"):
        return None
    if head.startswith(b"\x7fELF"):
        return _elf(head, path.stat().st_size, os, arch)
    if head.startswith(_MACHO_64) and len(head) >= 8:
        return _differs("macos", _MACHO_CPUS.get(struct.unpack_from("<I", head, 4)[0], "another processor"), os, arch)
    return f"is no program for {os} {arch}: it starts with {head[:16]!r}" if head else "is empty"


def ask(session: Session, argv: Sequence[str], *, timeout_s: float = 60) -> Finished:
    """Run a staged binary as a launch would; raises ToolError where the device may not execute it."""
    asked = session.transport.run([*environment(session.device), *argv], timeout_s=timeout_s)
    if asked.exit_code == 126:
        raise ToolError(
            f"{session.device.name}: {argv[0]} may not be executed there",
            remedy="the work folder is mounted noexec: set `workdir` to another place, such as /data/local/tmp",
        )
    return asked


def _elf(head: bytes, size: int, os: str, arch: str) -> str | None:
    try:
        machine, system, whole = _elf_facts(head)
    except struct.error:
        return "is an ELF file cut off in its header"
    if size < whole:
        return f"is cut off: {size} bytes of at least {whole}"
    return _differs(system or os, machine, os, arch)


def _elf_facts(head: bytes) -> tuple[str, str | None, int]:
    """Processor, system (None = static, any), and the size the file must at least have."""
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    machine = struct.unpack_from(f"{order}H", head, 18)[0]
    pointers, counts = ("QQ", 54) if wide else ("II", 42)
    program, sections = struct.unpack_from(f"{order}{pointers}", head, 32 if wide else 28)
    entry_size, entries, section_size, section_count = struct.unpack_from(f"{order}HHHH", head, counts)
    system = None
    for index in range(entries):
        at = program + index * entry_size
        if struct.unpack_from(f"{order}I", head, at)[0] == _PT_INTERP:
            offset = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", head, at + (8 if wide else 4))[0]
            system = "android" if head[offset:].startswith(b"/system/") else "linux"
    return _ELF_MACHINES.get(machine, f"machine {machine}"), system, sections + section_size * section_count


def _differs(system: str, machine: str, os: str, arch: str) -> str | None:
    if (system, machine) == (os, arch):
        return None
    return f"is built for {system} {machine}, the device is {os} {arch}"
