"""Who is let in over SSH: keys, hosts, agents, and ports where nothing of the kind answers."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchbench.transports.ssh import connect_ssh
from benchbench.values.device import Ssh
from benchbench.values.errors import InputError, Unauthorized, Unreachable
from tests.beds.adb_server import free_port
from tests.beds.sshd import Board, make_key, public
from tests.transports.processes import GUARD_S, says_hello

MakeBoard = Callable[..., Board]


def test_an_unknown_host_key_is_refused_with_its_fingerprint_and_the_remedy(board: Board) -> None:
    board.known_hosts.write_text("")
    with pytest.raises(Unauthorized, match=r"not known \(ssh-ed25519 SHA256:") as caught:
        connect_ssh(board.address)
    assert f"ssh-keyscan -p {board.port} 127.0.0.1" in caught.value.remedy
    assert board.known_hosts.read_text() == ""


def test_a_changed_host_key_is_refused_and_says_so(board: Board, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} {public(tmp_path / 'other')}")
    with pytest.raises(Unauthorized, match="has changed") as caught:
        connect_ssh(board.address)
    assert "ssh-keygen -R" in caught.value.remedy


def test_a_hashed_known_hosts_file_is_read(board: Board) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(board.known_hosts)], check=True, capture_output=True)
    assert "127.0.0.1" not in board.known_hosts.read_text()
    assert says_hello(connect_ssh(board.address))


def test_a_key_that_the_board_does_not_know_is_refused(board: Board, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    with pytest.raises(Unauthorized, match="refuses our keys") as caught:
        connect_ssh(board.address.model_copy(update={"key": str(tmp_path / "stranger")}))
    assert "ssh-copy-id" in caught.value.remedy


def test_a_missing_key_file_is_named(board: Board) -> None:
    with pytest.raises(InputError, match=r"no private key .*nowhere/key"):
        connect_ssh(board.address.model_copy(update={"key": "nowhere/key"}))


def test_a_key_with_a_passphrase_asks_for_the_agent(board: Board, tmp_path: Path) -> None:
    make_key(tmp_path / "locked", passphrase="secret")
    with pytest.raises(Unauthorized, match="passphrase") as caught:
        connect_ssh(board.address.model_copy(update={"key": str(tmp_path / "locked")}))
    assert "ssh-add" in caught.value.remedy


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)
    yield path
    process.kill()
    process.wait()


def test_the_agent_is_asked_for_keys(board: Board, home: Path, agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = board.address.model_copy(update={"key": None, "config": None})
    (home / ".ssh" / "known_hosts").write_text(board.known_hosts.read_text())
    with pytest.raises(Unauthorized, match="no key to log in"):
        connect_ssh(without)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    subprocess.run(["ssh-add", "-q", str(board.key)], check=True, capture_output=True)
    assert says_hello(connect_ssh(without))


def test_a_closed_port_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"Connection refused|connect"):
        connect_ssh(Ssh(host="127.0.0.1", port=free_port(), user="nobody"))


def test_a_port_that_never_speaks_is_unreachable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            connect_ssh(Ssh(host="127.0.0.1", port=silent.getsockname()[1], user="nobody"), timeout_s=1)
        assert time.monotonic() - began < GUARD_S


def test_a_port_that_speaks_something_else_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable):
            connect_ssh(Ssh(host="127.0.0.1", port=server.getsockname()[1], user="nobody"), timeout_s=5)
        thread.join()


def test_a_damaged_known_hosts_file_is_named(board: Board) -> None:
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} ssh-ed25519 this-is-not-base64!\n")
    with pytest.raises(InputError, match=r"known_hosts: not a known_hosts file"):
        connect_ssh(board.address)


def test_ipv6(make_board: MakeBoard) -> None:
    if not socket.has_ipv6:
        pytest.skip("Python has no IPv6 here")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no ::1 here")
    board = make_board(host="::1")
    assert says_hello(connect_ssh(board.address))
    assert board.address.reached == f"ssh {board.user}@[::1]:{board.port}"
