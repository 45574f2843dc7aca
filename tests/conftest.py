"""The real devices that tests measure on: boards (sshd), phones (adbd), and the adb server they are seen by."""

from __future__ import annotations

import fcntl
import itertools
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.beds.adb_server import AdbServerProcess
from tests.beds.namespaces import be_another_machine, can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import SSHD, Board
from tests.workbench import Workbench

InProcess = Callable[..., "subprocess.CompletedProcess[str]"]
_count = itertools.count()

# Folders of files that take up to a minute. They are begun first, so that no worker is left with one when all else is
# done (`make test` switches off that xdist begins with the files of many tests, which are short ones).
LONG = ("end_to_end", "faults", "execution", "transports", "cli", "runtimes/onnxruntime", "report")

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


def pytest_configure() -> None:
    """In the background or under nohup signals are ignored, in all that is started too; tests send them for real."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if can_mount():
        be_another_machine()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    items.sort(key=lambda item: not item.path.relative_to(here).as_posix().startswith(LONG))


@pytest.fixture(autouse=not can_mount())
def _one_test_at_a_time() -> Iterator[None]:
    """Who may not mount shares this machine's lock with the other workers of pytest, so they take turns."""
    with Path(tempfile.gettempdir(), "benchbench-tests.turn").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def bed_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes short-named folders that other users may enter, for devices."""
    base = tmp_path_factory.getbasetemp()

    def make(kind: str) -> Path:
        folder = base / f"{kind}{next(_count)}"
        folder.mkdir(mode=0o755)
        return folder

    return make


@pytest.fixture
def make_board(bed_folder: Callable[[str], Path]) -> Iterator[Callable[..., Board]]:
    """Boards, each a started sshd of its own; arguments as Board has them."""
    if SSHD is None:
        pytest.skip("there is no sshd here: install openssh-server")
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Board(bed_folder("board"), **options))


@pytest.fixture
def board(make_board: Callable[..., Board]) -> Board:
    """One board."""
    return make_board()


@pytest.fixture(scope="session")
def adb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServerProcess]:
    """The adb server that this session's environment leads to: never the user's own."""
    with AdbServerProcess(tmp_path_factory.mktemp("adb")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(server.port))
        patch.delenv("ANDROID_ADB_SERVER_ADDRESS", raising=False)
        yield server


@pytest.fixture
def make_phone(adb_server: AdbServerProcess, bed_folder: Callable[[str], Path]) -> Iterator[Callable[..., Phone]]:
    """Phones, started but not yet connected to the adb server; arguments as Phone has them."""
    with ExitStack() as stack:

        def make(**options: Any) -> Phone:
            return stack.enter_context(Phone(bed_folder("phone"), **options))

        yield make
    adb_server.forget_phones()


@pytest.fixture
def phone(make_phone: Callable[..., Phone]) -> Phone:
    """One phone."""
    return make_phone()


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """A folder with an inventory of this machine, and the command line in it."""
    return Workbench(tmp_path)


@pytest.fixture
def in_process(bench: Workbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    """Commands as `Workbench.benchbench` runs them, without a Python of their own, which takes a second to start."""
    from benchbench.cli.main import main

    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("BENCHBENCH_CACHE", bench.environment["BENCHBENCH_CACHE"])

    def call(*arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["benchbench", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        stdout, stderr = capsys.readouterr()
        assert ended.value.code == expect, stdout + stderr
        return subprocess.CompletedProcess(arguments, expect, stdout, stderr)

    return call
