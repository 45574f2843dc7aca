"""SSH beyond the contract: who is let in, by which way, and what happens to a link."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from benchbench.transports import Transport
from benchbench.transports.ssh import connect_ssh
from benchbench.values.device import Ssh
from benchbench.values.errors import InputError, LinkLost, TransferFailed, Unauthorized, Unreachable
from tests.beds.adb_server import free_port
from tests.beds.namespaces import can_mount
from tests.beds.sshd import Board, make_key, public
from tests.transports.processes import GUARD_S, once_alive, sh, wait_until_alive, wait_until_gone

MakeBoard = Callable[..., Board]


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> float:
    """Less patience with a device that does not answer, so that the test is quick."""
    monkeypatch.setattr("benchbench.transports.ssh.GRACE_S", 0.7)
    return 0.7


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, with an empty .ssh, and no agent."""
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path / "home"


def says_hello(transport: Transport) -> bool:
    with closing(transport):
        return transport.run(["echo", "hello"], timeout_s=120).text == "hello\n"


# who is let in


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


# by which way


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


# what happens to a link


def test_a_killed_session_is_a_lost_link_and_its_program_ends_at_its_limit(board: Board) -> None:
    marker = f"{500 + secrets.randbelow(10**6) / 1e6:.6f}"  # a word of the program's child alone: it has begun then
    with closing(connect_ssh(board.address)) as link:
        once_alive(marker, board.kill_sessions)
        began = time.monotonic()
        with pytest.raises(LinkLost, match="broke off"):
            link.run(sh(f"echo partial; sleep {marker}; true"), timeout_s=10)
        wait_until_gone(marker)
        assert time.monotonic() - began >= 10  # it lived until its limit
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=5)


def test_a_link_lost_while_a_file_is_on_its_way_leaves_no_target(board: Board, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(200 << 20))
    with closing(connect_ssh(board.address)) as link:
        threading.Timer(0.3, board.kill_sessions).start()
        with pytest.raises(LinkLost):
            link.push(source, f"{board.workdir}/target")
    with closing(connect_ssh(board.address)) as link:
        assert link.run(["ls", f"{board.workdir}/target"], timeout_s=120).exit_code != 0


def test_a_frozen_board_is_a_lost_link_soon_after_the_limit(board: Board, short_grace: float) -> None:
    with closing(connect_ssh(board.address)) as link:
        assert link.run(["true"], timeout_s=120).exit_code == 0
        board.freeze()
        began = time.monotonic()
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=0.5)
        assert 0.5 < time.monotonic() - began < GUARD_S


def test_a_board_that_freezes_in_the_middle_is_a_lost_link(board: Board, short_grace: float) -> None:
    with closing(connect_ssh(board.address)) as link:
        marker = f"marker-{uuid4()}"
        once_alive(marker, board.freeze)
        with pytest.raises(LinkLost):
            link.run(sh("while true; do echo talk; sleep 0.01; done", marker), timeout_s=10)


def test_a_frozen_board_holds_no_transfer_longer_than_its_limit(board: Board, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(bytes(8 << 20))
    with closing(connect_ssh(board.address)) as link:
        link.push(tmp_path / "source", f"{board.workdir}/target")
        board.freeze()
        began = time.monotonic()
        with pytest.raises(TransferFailed, match="not done in time"):
            link.pull(f"{board.workdir}/target", tmp_path / "back", timeout_s=1)
        assert time.monotonic() - began < GUARD_S
        assert not (tmp_path / "back").exists()


def test_a_frozen_board_is_unreachable_in_time(board: Board) -> None:
    board.freeze()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        connect_ssh(board.address, timeout_s=1)
    assert time.monotonic() - began < GUARD_S


def test_a_board_is_there_again_after_a_reboot(board: Board) -> None:
    marker = f"marker-{uuid4()}"
    boot_id = "/proc/sys/kernel/random/boot_id"
    with closing(connect_ssh(board.address)) as link:
        link.run(sh('setsid sh -c "sleep 500; true" "$1" >/dev/null 2>&1 </dev/null &', marker), timeout_s=120)
        wait_until_alive(marker)
        before = link.run(["cat", boot_id], timeout_s=120).text
        board.reboot()
        with pytest.raises(LinkLost):
            link.run(["true"], timeout_s=120)
    with closing(connect_ssh(board.address)) as link:
        wait_until_gone(marker)
        if can_mount():
            assert link.run(["cat", boot_id], timeout_s=120).text != before


def test_a_full_disk_is_named_and_nothing_stays(make_board: MakeBoard, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a small disk needs root")
    board = make_board(disk_mb=4)
    (tmp_path / "source").write_bytes(os.urandom(8 << 20))
    with closing(connect_ssh(board.address)) as link:
        with pytest.raises(TransferFailed, match="no space left on device"):
            link.push(tmp_path / "source", f"{board.workdir}/target")
        assert link.run(["ls", "-A", board.workdir], timeout_s=120).text == ""


def test_a_read_only_disk_is_named(make_board: MakeBoard, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a disk to remount needs root")
    board = make_board(disk_mb=4)
    board.make_read_only()
    (tmp_path / "source").write_bytes(b"x")
    with closing(connect_ssh(board.address)) as link, pytest.raises(TransferFailed, match="Read-only file system"):
        link.push(tmp_path / "source", f"{board.workdir}/target")


def test_a_board_has_a_home_and_sensors_of_its_own(make_board: MakeBoard) -> None:
    if not can_mount():
        pytest.skip("sensors of its own need root")
    for celsius in (50.0, 72.5):
        board = make_board()
        board.heat(celsius)
        with closing(connect_ssh(board.address)) as link:
            read = link.run(sh("pwd; echo $HOME; cat /sys/class/thermal/thermal_zone0/temp"), timeout_s=120).text
        assert read.split() == [str(board.home), str(board.home), f"{celsius * 1000:.0f}"]
