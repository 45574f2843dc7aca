"""By which way a board is reached: what ssh_config says, whose it is, and what it may run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchbench.transports.ssh import connect_ssh
from benchbench.values.device import Ssh
from benchbench.values.errors import InputError, LinkLost, Unauthorized, Unreachable
from tests.beds.sshd import Board
from tests.transports.processes import says_hello, sh

MakeBoard = Callable[..., Board]


def test_an_alias_of_the_ssh_config_has_everything(board: Board, home: Path) -> None:
    (home / ".ssh" / "config").write_text(
        f"Host kitchen\n  HostName 127.0.0.1\n  Port {board.port}\n  User {board.user}\n"
        f"  IdentityFile {board.key}\n  UserKnownHostsFile {board.known_hosts}\n"
    )
    assert says_hello(connect_ssh(Ssh(host="kitchen")))


def test_the_usual_known_hosts_and_key_are_used(board: Board, home: Path) -> None:
    (home / ".ssh" / "known_hosts").write_text(board.known_hosts.read_text())
    (home / ".ssh" / "id_ed25519").write_text(board.key.read_text())
    assert says_hello(connect_ssh(Ssh(host="127.0.0.1", port=board.port, user=board.user)))


@pytest.fixture
def behind(make_board: MakeBoard, tmp_path: Path) -> tuple[Board, Board, Path]:
    """A board that is reached through another, and the ssh config that says so."""
    gate, board = make_board(), make_board()
    config = tmp_path / "config"
    config.write_text(
        f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n  IdentityFile {gate.key}\n"
        f"  UserKnownHostsFile {gate.known_hosts}\n"
        f"Host hidden\n  HostName 127.0.0.1\n  Port {board.port}\n  IdentityFile {board.key}\n"
        f"  ProxyJump {gate.user}@gate\n  UserKnownHostsFile {board.known_hosts}\n"
    )
    return gate, board, config


def test_a_board_behind_another_is_reached_through_it(behind: tuple[Board, Board, Path]) -> None:
    gate, board, config = behind
    with closing(connect_ssh(Ssh(host="hidden", user=board.user, config=str(config)))) as link:
        assert link.run(sh('echo "$SSH_CONNECTION"'), timeout_s=120).text.endswith(f" {board.port}\n")
        gate.stop()
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=120)


def test_the_key_of_a_board_on_the_way_is_checked_too(behind: tuple[Board, Board, Path]) -> None:
    gate, board, config = behind
    gate.known_hosts.write_text("")
    with pytest.raises(Unauthorized, match=rf"\[127.0.0.1\]:{gate.port} is not known"):
        connect_ssh(Ssh(host="hidden", user=board.user, config=str(config)))


def test_a_dead_board_on_the_way_is_named(behind: tuple[Board, Board, Path]) -> None:
    gate, board, config = behind
    gate.stop()
    with pytest.raises(Unreachable, match=f"port {gate.port}"):
        connect_ssh(Ssh(host="hidden", user=board.user, config=str(config)))


def test_jumps_in_a_circle_are_an_error_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(InputError, match="circle"):
        connect_ssh(Ssh(host="a", config=str(tmp_path / "config")))


def test_a_proxy_command_of_the_users_own_config_is_followed(behind: tuple[Board, Board, Path], home: Path) -> None:
    _gate, board, config = behind
    through = f"ssh -F {shlex.quote(str(config))} -o IdentityAgent=none -W %h:%p gate"
    (home / ".ssh" / "config").write_text(
        f"Host proxied\n  HostName 127.0.0.1\n  Port {board.port}\n  IdentityFile {board.key}\n"
        f"  ProxyCommand {through}\n  UserKnownHostsFile {board.known_hosts}\n"
    )
    assert says_hello(connect_ssh(Ssh(host="proxied", user=board.user)))


@pytest.mark.parametrize("line", ["ProxyCommand touch {}", 'Match exec "touch {}"'])
def test_a_config_that_a_device_file_names_runs_nothing_here(tmp_path: Path, line: str) -> None:
    mark = tmp_path / "executed"
    (tmp_path / "config").write_text(f"{line.format(mark)}\n")
    with pytest.raises(InputError):
        connect_ssh(Ssh(host="127.0.0.1", config=str(tmp_path / "config")))
    assert not mark.exists()


def test_what_the_users_own_config_includes_and_matches_is_followed(board: Board, home: Path, tmp_path: Path) -> None:
    (tmp_path / "boards").write_text(f"Host kitchen\n  HostName 127.0.0.1\n  Port {board.port}\n")
    (home / ".ssh" / "config").write_text(
        f"Include {tmp_path}/boards\nMatch originalhost kitchen user {board.user}\n"
        f"  IdentityFile {board.key}\n  UserKnownHostsFile {board.known_hosts}\n"
    )
    assert says_hello(connect_ssh(Ssh(host="kitchen", user=board.user)))


@pytest.mark.parametrize(
    "lines",
    [
        "Include {other}",
        "Host 127.0.0.1\n  Include {other}",
        '"Match" "exec" "touch {mark}"',
        "=match !exec 'touch {mark}'",
        "\tMATCH host 127.0.0.1 EXEC touch\\ {mark}",
        "ProxyCommand=touch {mark}",
    ],
)
def test_no_spelling_makes_a_config_that_a_device_file_names_run_something(tmp_path: Path, lines: str) -> None:
    mark, other = tmp_path / "executed", tmp_path / "other"
    other.write_text(f'Match exec "touch {mark}"\n')
    (tmp_path / "config").write_text(lines.format(mark=mark, other=other) + "\n")
    with pytest.raises(InputError):
        connect_ssh(Ssh(host="127.0.0.1", config=str(tmp_path / "config")))
    assert not mark.exists()


@pytest.mark.parametrize(
    "named",
    [
        {"host": "$(touch executed)"},
        {"host": "-oProxyCommand=touch executed"},
        {"host": "a;touch executed"},
        {"host": "127.0.0.1", "user": "`touch executed`"},
    ],
)
def test_a_name_in_a_device_file_is_no_command_of_the_users_own_config(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (home / ".ssh" / "config").write_text('Match exec "echo %h %r %n"\n  ProxyCommand nc %h %p\n')
    with pytest.raises(InputError, match=r"is no (host|user) name"):
        connect_ssh(Ssh.model_validate(named))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("with_ssh", [True, False])
@pytest.mark.parametrize("port", ["abc", "70000", "0"])
def test_a_port_that_is_none_is_one_line(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str, with_ssh: bool
) -> None:
    (home / ".ssh" / "config").write_text(f"Host kitchen\n  Port {port}\n")
    if not with_ssh:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"(?i)port") as caught:
        connect_ssh(Ssh(host="kitchen"))
    assert caught.value.remedy


def test_without_the_ssh_program_paramiko_reads_the_config_and_says_what_it_cannot(
    board: Board, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    config = home / ".ssh" / "config"
    config.write_text(
        f"Host kitchen\n  HostName 127.0.0.1\n  Port {board.port}\n  User {board.user}\n"
        f"  IdentityFile {board.key}\n  UserKnownHostsFile {board.known_hosts}\n"
    )
    assert says_hello(connect_ssh(Ssh(host="kitchen")))
    config.write_text("Include boards\n" + config.read_text())
    with pytest.raises(InputError, match="Include") as caught:
        connect_ssh(Ssh(host="kitchen"))
    assert "openssh-client" in caught.value.remedy


NAMELESS = """\
import sys
from contextlib import closing
from benchbench.values.device import Device, Local, Ssh
from benchbench.values.errors import BenchbenchError
from benchbench.device.session import open_session
from benchbench.transports.ssh import connect_ssh
address = Ssh.model_validate_json(sys.argv[1])
with closing(connect_ssh(address.model_copy(update={"config": None}))) as link:
    print(link.run(["echo", "hello"], timeout_s=30).text.strip())
with open_session(Device(name="host", address=Local(), workdir=sys.argv[2])) as session:
    print(session.claim.holder.who)
try:
    connect_ssh(address.model_copy(update={"config": None, "user": None}))
except BenchbenchError as error:
    print(error)
"""


def test_an_account_without_a_name_and_a_home_can_measure(board: Board, tmp_path: Path) -> None:
    nobody = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]  # a number that no passwd file has
    if subprocess.run([*nobody, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("there are no user namespaces here")
    named = {"HOME", "USER", "LOGNAME", "LNAME", "USERNAME"}
    done = subprocess.run(
        [*nobody, sys.executable, "-c", NAMELESS, board.address.model_dump_json(), str(tmp_path / "work")],
        env={key: value for key, value in os.environ.items() if key not in named},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    hello, owner, refusal = done.stdout.splitlines()
    assert hello == "hello"
    assert owner.startswith("uid12345@")
    assert "give `user`" in refusal


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such ssh config"):
        connect_ssh(Ssh(host="127.0.0.1", config=str(tmp_path / "missing")))
