"""`make sample`: reports/sample, a real run on this machine, a board over SSH and a phone over ADB, in two families.

Board and phone are those of the tests, sshd and an adbd on loopback: their times are this machine's. On the phone
measures the stand-in of benchmark_model.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchbench.analysis.frames import load
from benchbench.cli.options import watch
from benchbench.config.matrix import load_matrix
from benchbench.execution.selection import Selection
from benchbench.pipeline import quantize, run_matrix
from benchbench.report import FigureFiles, write_report
from benchbench.values.device import Device, Local
from tests.beds.adb_server import AdbServerProcess
from tests.beds.benchmark_model import install
from tests.beds.models import filter_model
from tests.beds.namespaces import be_another_machine, can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import Board

ROOT = Path(__file__).parents[1]
SAMPLE = Path(os.environ.get("SAMPLE_OUT", ROOT / "reports" / "sample"))
FAMILY = ROOT / "benchbench" / "demo" / "fashion_mnist"
PHONE = "test phone (stand-in)"
GPU_REFUSED = {"STANDIN_GPU": "refused"}  # its driver cannot be had, as on many a phone
FILTER_SCHEMES = ("float32", "dynamic-int8", "int8")
SHOWN = {"float32", "float16", "dynamic-int8", "int8", "int8-pertensor-imbalanced"}
# A software GPU says nothing; threads are swept on this machine alone.
LEFT_OUT = ("host/*/gpu/*", "board/*/gpu/*", f"{PHONE}/*/gpu/t2", "board/*/t2", f"{PHONE}/*/t2")
FIGURES = ("overview", "accuracy")  # those that the README shows: all would be six megabytes
ROUNDS = int(os.environ.get("SAMPLE_ROUNDS", "6"))
MATRIX = f"""\
name = "sample"
threads = [1, 2]
delegates = ["cpu", "xnnpack", "gpu", "ort-cpu"]

[[model]]
family = "fashion_mnist"
variants = {{ VARIANTS }}
dataset = "{FAMILY}/test.npz"
samples = 500
native_samples = 16

[[model]]
family = "image_filter"
variants = "FILTERS/*.tflite"
dataset = "random"
native_samples = 16

[measure]
rounds = {ROUNDS}
runs = 20
min_seconds = 0.1
warmup_runs = 5
warmup_min_seconds = 0.1
timeout_seconds = 60
profile = true
"""


def matrix_of(folder: Path) -> Path:
    """The matrix, with a family that is made here from a net of random weights, from image to image."""
    source = folder / "image_filter.tflite"
    source.write_bytes(filter_model(size=64, channels=16, layers=3))
    quantize(source, FILTER_SCHEMES, folder / "image_filter", name="image_filter")
    files = sorted([*FAMILY.glob("*.tflite"), *FAMILY.glob("*.onnx")])
    named = {path.name.removeprefix("fashion_mnist_"): path for path in files}
    shown = {
        name.replace(".tflite", "").replace(".", "-"): path
        for name, path in named.items()
        if name.rpartition(".")[0] in SHOWN
    }
    variants = ", ".join(f'"{name}" = "{path}"' for name, path in shown.items())
    matrix = folder / "matrix.toml"
    matrix.write_text(MATRIX.replace("VARIANTS", variants).replace("FILTERS", str(folder / "image_filter")))
    return matrix


def without_places(folder: Path, places: Mapping[str, str]) -> None:
    """Paths of the machine that made it are those of no machine: an earlier place goes before one that holds it."""
    for path in (*folder.glob("*.json*"), *folder.glob("*.toml"), *(folder / "logs").iterdir()):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        for place, instead in places.items():
            text = text.replace(place, instead)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")


def main() -> None:
    if can_mount():
        be_another_machine()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sample-")))
        for name in ("board", "phone", "adb"):
            (folder / name).mkdir(mode=0o755)
        server = stack.enter_context(AdbServerProcess(folder / "adb"))
        os.environ["ANDROID_ADB_SERVER_PORT"] = str(server.port)
        board = stack.enter_context(Board(folder / "board"))
        phone = stack.enter_context(Phone(folder / "phone", properties={"ro.product.model": PHONE}))
        tool = str(install(folder / "benchmark_model"))
        devices = [
            Device(name="host", address=Local(), workdir=str(folder / "host")),
            Device(name="board", address=board.address, workdir=f"{board.workdir}/work", python=sys.executable),
            Device(
                name=PHONE, address=phone.address, workdir=f"{phone.workdir}/benchbench", binary=tool, env=GPU_REFUSED
            ),
        ]
        matrix = load_matrix(matrix_of(folder))
        run = run_matrix(
            matrix, devices, reports=folder / "reports", selection=Selection(skip=LEFT_OUT, seed=1), watching=watch
        )
        for outputs in run.glob("outputs/**/*.npz"):
            outputs.unlink()
        work = dict.fromkeys((f"{board.workdir}/work", str(folder / "host")), "~/.cache/benchbench/device")
        without_places(run, work | {str(folder): "~", sys.prefix: "~/venv", str(ROOT): "~/benchbench"})
        shutil.rmtree(SAMPLE, ignore_errors=True)
        shutil.copytree(run, SAMPLE)
        os.chdir(SAMPLE.parents[1])
        shown = SAMPLE.relative_to(SAMPLE.parents[1])  # a page names its folder
        write_report([load(shown)], shown, FigureFiles(names=FIGURES))
    print(SAMPLE)


if __name__ == "__main__":
    main()
