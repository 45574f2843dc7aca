"""Equipping a board that has python3 and nothing else, over a real link, with real wheels."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.device.work_folder import clean
from benchbench.execution.prepare import prepare_device
from benchbench.execution.provision import Installation, examine, install
from benchbench.execution.uv import uv_platform
from benchbench.pipeline import run_models
from benchbench.runtimes import RUNTIMES
from benchbench.values.device import Device, ToolChoice
from benchbench.values.errors import InputError, ToolError
from tests.beds.phone import Phone
from tests.beds.sshd import Board
from tests.workbench import Workbench, outcomes

DEBIAN = "/usr/bin/python3"  # without numpy, pip, ensurepip


@pytest.fixture(scope="module")
def index() -> None:
    asked = [sys.executable, "-m", "uv", "pip", "compile", "-q", "--no-header", "-"]
    if subprocess.run(asked, input=b"ai-edge-litert", capture_output=True, check=False).returncode != 0:
        pytest.skip("no package index can be reached from here")


def bare(python: str) -> bool:
    asked = subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False)
    return Path(python).exists() and asked.returncode != 0


@pytest.fixture
def plain(board: Board) -> Board:
    """A board whose own python3 has no packages, and cannot reach an index."""
    if not bare(DEBIAN):
        pytest.skip(f"{DEBIAN} is not there, or has packages")
    return board


@pytest.mark.usefixtures("index")
def test_a_board_is_equipped_from_here_and_run_uses_it(plain: Board, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    address = ", ".join(f'{key} = "{value}"' for key, value in plain.address.model_dump(exclude={"port"}).items())
    bench.device("board", f'address = {{ {address}, port = {plain.port} }}\nworkdir = "~/work"\n')
    before = bench.benchbench("devices", "board")
    assert "benchbench devices --equip board" in before.stdout
    assert " ready " not in before.stdout

    planned = bench.benchbench("devices", "--equip", "board")
    assert "ai-edge-litert==" in planned.stdout
    assert "onnxruntime==" in planned.stdout
    assert str(plain.home / "work" / "python") in planned.stdout
    assert not (plain.home / "work" / "python").exists()

    done = bench.benchbench("devices", "--equip", "board", "--yes")
    assert "`benchbench run` uses it" in done.stdout
    once_more = bench.benchbench("devices", "--equip", "board", "--yes")
    assert "already" in once_more.stdout

    (outcome,) = outcomes(bench.run(bench.matrix("int8", devices=("board",), rounds=1)))
    assert (outcome.status, outcome.runner) == ("ok", "python")
    assert (outcome.measurement.tool or "").startswith("ai-edge-litert")
    tiny = next(str(runtime.tiny_model) for runtime in RUNTIMES if runtime.format == "onnx")
    again = run_models([tiny], devices=["board"], rounds=1, inventory=bench.inventory, reports=bench.reports)
    (outcome,) = [outcome for outcome in outcomes(again) if outcome.timed]
    assert (outcome.status, outcome.delegation.verdict) == ("ok", "full")
    assert (outcome.measurement.tool or "").startswith("onnxruntime")


@pytest.mark.usefixtures("index")
def test_an_interpreter_in_the_device_file_is_the_base_of_the_environment(plain: Board) -> None:
    (plain.home / "py").symlink_to(DEBIAN)
    device = Device(name="board", address=plain.address, workdir="work", python="~/py")
    with open_session(device) as session:
        wanted = examine(session)
        assert isinstance(wanted, Installation)
        install(session, wanted, lambda _: None)
        prepared = prepare_device(session, ToolChoice())
        assert prepared.toolchains["tflite"].python == f"{plain.home}/work/python/bin/python3"
    clean(device)
    assert not (plain.home / "work").exists()


def test_a_boards_own_python_is_seen(board: Board) -> None:
    with open_session(Device(name="board", address=board.address, workdir="work")) as session:
        traits = session.probe()
    assert traits.python is not None
    assert traits.python.endswith("/python3")
    assert traits.home == str(board.home)


@pytest.mark.parametrize(
    ("machine", "libc", "platform"),
    [
        ("aarch64", ("glibc", "2.31"), "aarch64-manylinux_2_31"),
        ("aarch64", ("glibc", "2.30"), "aarch64-manylinux_2_28"),
        ("x86_64", ("glibc", "2.99"), "x86_64-manylinux_2_40"),
        ("aarch64", ("", ""), "aarch64-unknown-linux-musl"),
    ],
)
def test_wheels_are_no_newer_than_the_boards_libc(machine: str, libc: tuple[str, str], platform: str) -> None:
    assert uv_platform("board", machine, 64, libc) == platform


@pytest.mark.parametrize(("machine", "bits"), [("armv7l", 32), ("aarch64", 32), ("mips", 32)])
def test_a_board_for_which_nothing_is_published_is_told_another_way(machine: str, bits: int) -> None:
    with pytest.raises(ToolError) as caught:
        uv_platform("board", machine, bits, ("glibc", "2.31"))
    assert "tools --get board" in caught.value.remedy


def test_a_phone_has_no_python_to_equip(phone: Phone) -> None:

    address, workdir = phone.address, f"{phone.workdir}/work"
    with (
        open_session(Device(name="pixel", address=address, workdir=workdir)) as session,
        pytest.raises(InputError) as caught,
    ):
        examine(session)
    assert "tools --get pixel" in caught.value.remedy


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_who_interrupts_the_fetching_gets_the_prompt_back_and_the_board_is_free(
    plain: Board, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """The index takes the call and never answers."""
    bench = Workbench(tmp_path)
    address = ", ".join(f'{key} = "{value}"' for key, value in plain.address.model_dump(exclude={"port"}).items())
    bench.device("board", f'address = {{ {address}, port = {plain.port} }}\nworkdir = "~/work"\n')
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        settings = {
            "UV_DEFAULT_INDEX": where,
            "UV_INDEX": "",
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(tmp_path / "uv"),
        }
        with (
            subprocess.Popen(
                bench.command("devices", "--equip", "board", "--yes"),
                cwd=tmp_path,
                env=bench.environment | settings,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as equipping,
            silent.accept()[0],
        ):  # uv has called
            equipping.send_signal(number)
            _, said = equipping.communicate(timeout=300)
    assert equipping.returncode == code, said
    with open_session(Device(name="board", address=plain.address, workdir="work")) as session:
        assert session.notes == []
