"""A link of each kind, with the folder on its device that a test may fill."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchbench.transports import Transport, connect
from benchbench.transports.local import LocalTransport
from benchbench.values.device import Local
from tests.beds.adbd.device import FEATURES

BOARDS: dict[str, dict[str, object]] = {
    "ssh": {},
    "ssh without sftp": {"sftp": False},
    "tcsh": {"login_shell": "tcsh"},
    "fish": {"login_shell": "fish"},
}
WITHOUT_SHELL_V2 = tuple(feature for feature in FEATURES if feature != "shell_v2")


@dataclass(frozen=True)
class Reach:
    """An open link, a folder on its device, whether its two streams stay apart."""

    kind: str
    transport: Transport
    folder: str
    streams_apart: bool = True
    again: Callable[[], Transport] = LocalTransport  # another link to the same device


@pytest.fixture(params=["local", "ssh", "ssh without sftp", "tcsh", "fish", "adb", "adb without shell v2"])
def reach(request: pytest.FixtureRequest, bed_folder: Callable[[str], Path]) -> Iterator[Reach]:
    kind: str = request.param
    if kind == "local":
        address, folder = Local(), str(bed_folder("local"))
    elif kind in BOARDS:
        options = BOARDS[kind]
        if (shell := options.get("login_shell")) and shutil.which(str(shell)) is None:
            pytest.skip(f"there is no {shell} here")
        board = request.getfixturevalue("make_board")(**options)
        (board.home / "files").mkdir()  # some shells keep files of their own in the home
        address, folder = board.address, f"{board.workdir}/files"
    else:
        make_phone = request.getfixturevalue("make_phone")
        phone = make_phone(features=FEATURES if kind == "adb" else WITHOUT_SHELL_V2)
        address, folder = phone.address, phone.workdir
    with closing(connect(address)) as transport:
        streams_apart = kind != "adb without shell v2"
        yield Reach(kind, transport, folder, streams_apart, lambda: connect(address))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, with an empty .ssh, and no agent."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path / "home"
