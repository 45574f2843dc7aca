"""`make bench`: what the harness costs. Wall-clock of a run / the slowest device's time inside the measuring tool.

Each of this machine, a board over SSH and a phone over ADB (both on loopback) runs the same trials of at least two
seconds; the run is timed from opening the devices to the last outcome on disk, without the report.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchbench.config.matrix import load_matrix
from benchbench.execution.selection import Selection
from benchbench.pipeline import run_matrix
from benchbench.run_folder.journal import read_outcomes
from benchbench.values.device import Device, Local
from tests.beds.adb_server import AdbServerProcess
from tests.beds.benchmark_model import install
from tests.beds.phone import Phone
from tests.beds.sshd import Board

MODEL = Path(__file__).parents[1] / "benchbench" / "demo" / "fashion_mnist" / "fashion_mnist_float32.tflite"
MATRIX = f"""
name = "overhead"
delegates = ["xnnpack"]
[[model]]
family = "fashion_mnist"
variants = "{MODEL}"
[measure]
rounds = 20
runs = 1
min_seconds = 2.0
warmup_runs = 1
warmup_min_seconds = 0
"""


def cost(folder: Path, devices: list[Device]) -> tuple[float, float]:
    """Wall-clock of one run, and the slowest device's seconds inside the tool."""
    path = folder / "matrix.toml"
    path.write_text(MATRIX)
    matrix = load_matrix(path)
    began = time.monotonic()
    run = run_matrix(matrix, devices, reports=folder / "reports", selection=Selection(seed=0))
    wall = time.monotonic() - began
    inside: dict[str, float] = defaultdict(float)
    for outcome in read_outcomes(run):
        assert outcome.status == "ok", outcome.error
        inside[outcome.device] += outcome.tool_s or 0
    return wall, max(inside.values())


def main() -> None:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        for name in ("board", "phone", "adb"):
            (folder / name).mkdir(mode=0o755)
        server = stack.enter_context(AdbServerProcess(folder / "adb"))
        os.environ["ANDROID_ADB_SERVER_PORT"] = str(server.port)
        board = stack.enter_context(Board(folder / "board"))
        phone = stack.enter_context(Phone(folder / "phone"))
        tool = install(folder / "benchmark_model")
        host = Device(name="host", address=Local(), workdir=str(folder / "host"))
        ssh = Device(name="board", address=board.address, workdir=f"{board.workdir}/w", python=sys.executable)
        adb = Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/w", binary=str(tool))
        for title, devices in (("local", [host]), ("ssh", [ssh]), ("adb", [adb]), ("all three", [host, ssh, adb])):
            wall, inside = cost(folder, devices)
            print(f"{title:<10} run {wall:6.2f} s / tool {inside:6.2f} s = {wall / inside:.3f}")


if __name__ == "__main__":
    main()
