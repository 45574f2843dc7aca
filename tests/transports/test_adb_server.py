"""The adb server between us and phones: which it sees, whom they let in, and where it runs."""

from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from benchbench.transports.adb import Seen, connect_adb, discover
from benchbench.transports.adb_server import AdbServer, adb_program
from benchbench.transports.deadline import Deadline
from benchbench.values.device import Adb
from benchbench.values.errors import InputError, LinkLost, Unauthorized, Unreachable
from tests.beds.adb_server import AdbServerProcess, free_port
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.transports.processes import GUARD_S, once_alive, sh, wait_until_gone

MakePhone = Callable[..., Phone]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_unauthorized_phone_asks_for_a_tap_and_works_after_it(make_phone: MakePhone) -> None:
    phone = make_phone(auth="ask")
    with pytest.raises(Unauthorized, match="unauthorized") as caught:
        connect_adb(phone.address)
    assert "tap Allow" in caught.value.remedy
    phone.allow()
    with closing(connect_adb(phone.address)) as link:
        assert link.run(["echo", "hello"], timeout_s=120).text == "hello\n"


def test_a_phone_that_knows_the_key_lets_it_in_at_once(make_phone: MakePhone) -> None:
    phone = make_phone(auth="ask")
    with pytest.raises(Unauthorized):
        connect_adb(phone.address)
    phone.allow()
    phone.vanish()
    phone.come_back()
    connect_adb(phone.address).close()


@pytest.mark.parametrize("refusal", ["device offline", "device '127.0.0.1:5555' not found"])
def test_a_phone_whose_link_was_just_replaced_is_awaited_again(
    phone: Phone, adb_server: AdbServerProcess, refusal: str
) -> None:
    with refusing_once(adb_server, b":features", refusal) as (server, refused):
        connect_adb(Adb(serial=phone.serial, server=server)).close()
        assert refused.is_set()


@contextmanager
def refusing_once(behind: AdbServerProcess, question: bytes, refusal: str) -> Iterator[tuple[str, threading.Event]]:
    """The address of a relay to an adb server that refuses a question the first time it is asked; whether it was."""
    refused = threading.Event()

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            size = self.request.recv(4, socket.MSG_WAITALL)
            asked = size + self.request.recv(int(size, 16), socket.MSG_WAITALL)
            if asked.endswith(question) and not refused.is_set():
                refused.set()
                self.request.sendall(f"FAIL{len(refusal):04x}{refusal}".encode())
                return
            with socket.create_connection(("127.0.0.1", behind.port)) as server:
                server.sendall(asked)
                while answer := server.recv(65536):
                    self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relay) as relay:
        thread = threading.Thread(target=relay.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{relay.server_address[1]}", refused
        finally:
            relay.shutdown()
            thread.join()


def test_a_phone_that_does_not_answer_is_unreachable_in_time(phone: Phone) -> None:
    phone.device.mute = True
    began = time.monotonic()
    with pytest.raises(Unreachable):
        connect_adb(phone.address, timeout_s=1.5)
    assert time.monotonic() - began < GUARD_S


def test_a_closed_port_is_unreachable(adb_server: AdbServerProcess) -> None:
    with pytest.raises(Unreachable, match="Connection refused") as caught:
        connect_adb(Adb(serial=f"127.0.0.1:{free_port()}"))
    assert "wireless debugging" in caught.value.remedy


def test_an_unknown_serial_names_the_phones_there_are(phone: Phone) -> None:
    connect_adb(phone.address).close()
    with pytest.raises(Unreachable, match="no such phone") as caught:
        connect_adb(Adb(serial="R58M123"))
    assert phone.serial in caught.value.remedy


def test_discovery_sees_every_phone_with_its_state(make_phone: MakePhone) -> None:
    ready, asking = make_phone(properties={"ro.product.model": "Pixel 8"}), make_phone(auth="ask")
    connect_adb(ready.address).close()
    with pytest.raises(Unauthorized):
        connect_adb(asking.address)
    seen = {phone.serial: phone for phone in discover()}
    assert seen[ready.serial] == Seen(ready.serial, "device", "Pixel_8")
    assert seen[asking.serial].state == "unauthorized"


def test_discovery_finds_nothing_where_no_server_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nowhere/adb")
    began = time.monotonic()
    assert discover() == ()
    assert time.monotonic() - began < GUARD_S


def test_this_machines_server_is_started_once_for_all_threads(
    phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    for name, value in {"ANDROID_ADB_SERVER_PORT": str(port), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("ADB_USB", "ADB_MDNS"):  # without them it looks around for 3 s before it listens
        monkeypatch.setenv(name, "0")
    try:
        with ThreadPoolExecutor(6) as pool:
            links = list(pool.map(lambda _: connect_adb(phone.address), range(6)))
        assert [link.run(["echo", "hello"], timeout_s=120).text for link in links] == ["hello\n"] * 6
        assert [seen.serial for seen in discover()] == [phone.serial]
    finally:
        subprocess.run([adb_program(), "-P", str(port), "kill-server"], check=True, capture_output=True)


@pytest.fixture
def other_server(tmp_path: Path) -> Iterator[AdbServerProcess]:
    """An adb server that is not this machine's own, as far as benchbench knows."""
    home = tmp_path / "other"
    home.mkdir()
    with AdbServerProcess(home) as server:
        yield server


def test_a_phone_behind_an_adb_server_elsewhere(phone: Phone, other_server: AdbServerProcess) -> None:
    with closing(connect_adb(Adb(serial=phone.serial, server=other_server.address))) as link:
        assert link.run(["echo", "hello"], timeout_s=120).text == "hello\n"
    assert [seen.serial for seen in discover(other_server.address)] == [phone.serial]


def test_no_server_is_started_in_place_of_one_elsewhere(phone: Phone) -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=f"adb server 127.0.0.1:{port}"):
        connect_adb(Adb(serial=phone.serial, server=f"127.0.0.1:{port}"))
    assert discover(f"127.0.0.1:{port}") == ()
    assert not listens(port)


def test_an_adb_server_that_never_answers_is_unreachable_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            connect_adb(Adb(serial="x", server=f"127.0.0.1:{silent.getsockname()[1]}"), timeout_s=1)
        assert time.monotonic() - began < GUARD_S


def test_an_adb_server_that_dies_in_the_middle_is_a_lost_link(phone: Phone, other_server: AdbServerProcess) -> None:
    marker = f"marker-{uuid4()}"
    with closing(connect_adb(Adb(serial=phone.serial, server=other_server.address))) as link:
        once_alive(marker, other_server.kill)
        with pytest.raises(LinkLost, match="broke off"):
            link.run(sh("echo partial; sleep 500; true", marker), timeout_s=120)
        wait_until_gone(marker)
        with pytest.raises(Unreachable, match="adb server"):
            link.run(["true"], timeout_s=5)
    assert not listens(other_server.port)


@pytest.mark.parametrize("address", ["host:port", "host:", ":"])
def test_a_bad_server_address_is_an_input_error(address: str) -> None:
    with pytest.raises(InputError, match="host:port"):
        AdbServer.named(address)


def test_a_server_address_may_leave_the_usual_port_out() -> None:
    assert AdbServer.named("10.0.0.5") == AdbServer("10.0.0.5", 5037, startable=False)
    assert AdbServer.named("[fd00::1]:5038") == AdbServer("fd00::1", 5038, startable=False)


def test_a_deadline_counts_down() -> None:
    deadline = Deadline.after(0.05)
    assert 0 < deadline.left() <= 0.05
    time.sleep(0.06)
    assert deadline.passed
    with pytest.raises(TimeoutError):
        deadline.left()


NO_ROUTE = """\
import socket, subprocess, sys, threading
from pathlib import Path
from benchbench.values.device import Adb
from benchbench.values.errors import LinkLost
from benchbench.transports.adb import AdbTransport
from benchbench.transports.adb_server import AdbServer

subprocess.run("ip link set lo up; ip addr add 10.77.0.1/32 dev lo", shell=True, check=True)
listening = socket.create_server(("10.77.0.1", 0))

def serve(verb):  # as an adb server elsewhere: both requests are granted, then its network goes away
    connection, _ = listening.accept()
    connection.recv(1 << 16)
    connection.sendall(b"OKAY")
    connection.recv(1 << 16)
    away = "ip route del local 10.77.0.1 table local; ip route add unreachable 10.77.0.1"
    subprocess.run(away, shell=True, check=True)
    threading.Event().wait()

port = listening.getsockname()[1]
for verb in sys.argv[1:]:
    threading.Thread(target=serve, args=(verb,), daemon=True).start()
    link = AdbTransport(Adb(serial="x"), AdbServer("10.77.0.1", port, False), shell_v2=True)
    Path("source").write_bytes(bytes(1 << 22))
    try:
        link.run(["cat"], timeout_s=60, stdin=bytes(1 << 22)) if verb == "run" else link.push(Path("source"), "/data/x")
    except LinkLost as error:
        print(error)
"""


def test_a_remote_adb_server_to_which_there_is_no_route_any_more_is_a_lost_link(tmp_path: Path) -> None:
    """Both at once: the kernel gives a silent link up after 10 s."""
    if not can_mount() or shutil.which("ip") is None:
        pytest.skip("a network of its own needs root and iproute2")
    for verb in ("run", "push"):
        (tmp_path / verb).mkdir()
    begun = [
        subprocess.Popen(
            ["unshare", "-n", sys.executable, "-c", NO_ROUTE, verb],
            cwd=tmp_path / verb,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for verb in ("run", "push")
    ]
    for process in begun:
        said, complaint = process.communicate(timeout=200)
        assert process.returncode == 0, complaint
        assert "the link broke off" in said
