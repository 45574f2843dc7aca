"""An arm64 Debian with Python and ONNX Runtime, run by qemu in this machine's kernel: a Raspberry Pi 4's user land."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QEMU, MMDEBSTRAP = "qemu-aarch64-static", "mmdebstrap"
DEBIAN = "bookworm"
PACKAGES = "python3-minimal,python3.11,libpython3.11-stdlib,libstdc++6"
CORE = """\
processor	: {number}
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd08
CPU revision	: 3

"""


def missing() -> str | None:
    """Why there is none here."""
    lacking = [tool for tool in (QEMU, MMDEBSTRAP) if shutil.which(tool) is None]
    return f"there is no {' and no '.join(lacking)}: apt-get install qemu-user-static mmdebstrap" if lacking else None


@contextmanager
def python_with(package: str) -> Iterator[str]:
    """A command that is an arm64 Python which can import a package: from PyPI, in the version that is published."""
    with tempfile.TemporaryDirectory(prefix="benchbench-arm64-") as folder:
        root, site, python = Path(folder, "root"), Path(folder, "root", "opt", "site"), Path(folder, "python")
        unpack = [MMDEBSTRAP, "--quiet", "--arch=arm64", "--variant=extract", f"--include={PACKAGES}"]
        subprocess.run([*unpack, DEBIAN, str(root)], check=True, capture_output=True)
        pip = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--only-binary", ":all:", "--target", str(site)]
        platform = ["--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.11"]
        subprocess.run([*pip, *platform, package], check=True)
        _be_an_arm_machine(root)
        command = f'{QEMU} -cpu cortex-a72 -L "{root}" -E PYTHONPATH="{site}" "{root}/usr/bin/python3.11"'
        python.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        python.chmod(0o755)
        yield str(python)


def _be_an_arm_machine(root: Path) -> None:
    """What libraries read of the processor: qemu shows these files instead of the kernel's own, which say x86-64."""
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text("".join(CORE.format(number=k) for k in range(2)) + "Hardware	: BCM2835\n")
    cpus = root / "sys" / "devices" / "system" / "cpu"
    cpus.mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present"):
        (cpus / name).write_text("0-1\n")
