"""A lab of three devices: this machine, a board over SSH and a phone over ADB, as an inventory folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.config.inventory import device_file
from benchbench.values.device import Device
from tests.beds.adb_server import AdbServerProcess
from tests.beds.benchmark_model import install
from tests.beds.phone import Phone
from tests.beds.sshd import Board

FAMILY = Path(__file__).parents[2] / "benchbench" / "demo" / "fashion_mnist"


@dataclass(frozen=True)
class Lab:
    """Devices, and the command line with an inventory, reports folder and cache of its own."""

    folder: Path
    board: Board
    phone: Phone

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def benchbench(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"BENCHBENCH_CACHE": str(self.folder / "cache")}
        done = subprocess.run(
            [sys.executable, "-m", "benchbench.cli.main", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def run(self, text: str) -> Path:
        """A run of a matrix from Python: its folder, without a page."""
        return api.run(self.write("matrix.toml", text), inventory=self.folder / "devices", reports=self.reports)

    def latest(self) -> Path:
        return max(self.reports.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)


@pytest.fixture
def lab(board: Board, make_phone: Callable[..., Phone], adb_server: AdbServerProcess, tmp_path: Path) -> Lab:
    """host with Python, "board" with Python over SSH, "phone" with the stand-in of benchmark_model over ADB."""
    phone = make_phone()
    devices = tmp_path / "devices"
    devices.mkdir()
    tool = install(tmp_path / "benchmark_model")
    lab = Lab(tmp_path, board, phone)
    host = f'address = {{ transport = "local" }}\nworkdir = "{tmp_path / "host work"}"\n'
    (devices / "host.toml").write_text(host)
    over_ssh = device_file(Device(name="board", address=board.address))
    (devices / "board.toml").write_text(f'{over_ssh}workdir = "{board.workdir}/work"\npython = "{sys.executable}"\n')
    over_adb = device_file(Device(name="phone", address=phone.address))
    (devices / "phone.toml").write_text(f'{over_adb}workdir = "{phone.workdir}/benchbench"\nbinary = "{tool}"\n')
    return lab
