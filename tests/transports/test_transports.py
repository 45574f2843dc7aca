"""What every link owes: the same for this machine, a board over SSH, and phones new and old."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from benchbench.values.errors import Late, LinkLost, TooMuchOutput, TransferFailed
from tests.transports.conftest import Reach
from tests.transports.processes import GUARD_S, alive, once_alive, sh, wait_until, wait_until_gone

HOSTILE = [
    "plain",
    "",
    "two words",
    "it's",
    'say "hi"',
    "$(touch pwned) `id` $HOME ${IFS}",
    "a;b|c&d>e<f",
    "line\nbreak",
    "tab\there",
    "*?[a-z]~",
    "back\\slash\\",
    "-n",
    "--help",
    "!history",
    "#comment",
    "Grüße 世界 🐢",
    "%s%n",
    "a,b=c",
]
NAMES = [name for name in HOSTILE if name and "/" not in name]


def test_the_exit_code_is_the_programs(reach: Reach) -> None:
    for code in (0, 1, 3, 77, 255):
        assert reach.transport.run(sh(f"exit {code}"), timeout_s=120).exit_code == code


def test_a_signal_is_128_and_its_number(reach: Reach) -> None:
    for name, code in {"SEGV": 139, "KILL": 137, "TERM": 143}.items():
        done = reach.transport.run(sh(f"kill -{name} $$"), timeout_s=120)
        assert (done.exit_code, done.stdout, done.stderr) == (code, b"", b"")


def test_a_missing_program_is_127_and_one_without_leave_126(reach: Reach, tmp_path: Path) -> None:
    source = tmp_path / "program"
    source.write_text("#!/bin/sh\n")
    target = f"{reach.folder}/program"
    reach.transport.push(source, target, mode=0o644)
    assert reach.transport.run(["no-such-program"], timeout_s=120).exit_code == 127
    assert reach.transport.run([target], timeout_s=120).exit_code == 126


def test_the_streams_stay_apart(reach: Reach) -> None:
    done = reach.transport.run(sh("echo out; echo err >&2; echo out again"), timeout_s=120)
    if reach.streams_apart:
        assert (done.stdout, done.stderr) == (b"out\nout again\n", b"err\n")
    else:
        assert (done.stdout, done.stderr) == (b"out\nerr\nout again\n", b"")


def test_output_is_bytes_as_they_are(reach: Reach) -> None:
    done = reach.transport.run(sh(r"printf 'a\r\n\000\377\033end'"), timeout_s=120)
    assert done.stdout == b"a\r\n\0\xff\x1bend"


def test_five_megabytes_on_both_streams_at_once(reach: Reach) -> None:
    noise = "i=0; while [ $i -lt 5 ]; do i=$((i+1)); head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done"
    done = reach.transport.run(sh(noise), timeout_s=60)
    assert done.exit_code == 0
    assert len(done.stdout) + len(done.stderr) == 10_000_000
    if reach.streams_apart:
        assert len(done.stdout) == 5_000_000


def test_who_never_stops_talking_is_cut_short_and_the_link_goes_on(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchbench.transports.output_limit.MOST_BYTES", 1_000_000)
    marker = uuid4().hex
    endless = sh("while :; do head -c 65536 /dev/zero; head -c 65536 /dev/zero >&2; done", marker)
    with pytest.raises(TooMuchOutput, match="more than 1 MB"):
        reach.transport.run(endless, timeout_s=5)
    assert reach.transport.run(sh("echo still here"), timeout_s=120).text == "still here\n"
    wait_until_gone(marker)  # at the latest at its time limit, which the device keeps


def test_stdin_arrives_whole_and_ends(reach: Reach) -> None:
    for stdin in (b"", b"line\nno end", bytes(range(256)) * 20_000):
        done = reach.transport.run(["cat"], timeout_s=60, stdin=stdin)
        assert done.exit_code == 0
        assert hashlib.sha256(done.stdout).hexdigest() == hashlib.sha256(stdin).hexdigest()


def test_a_program_need_not_read_its_input(reach: Reach) -> None:
    done = reach.transport.run(sh("echo done"), timeout_s=20, stdin=bytes(3_000_000))
    assert (done.exit_code, done.stdout) == (0, b"done\n")


def test_arguments_arrive_exactly(reach: Reach) -> None:
    done = reach.transport.run(["printf", r"%s\0", *HOSTILE], timeout_s=120)
    assert done.stdout.decode().split("\0")[:-1] == HOSTILE


def test_a_long_command_arrives_whole(reach: Reach) -> None:
    argument = "x" * 20_000
    assert reach.transport.run(["printf", "%s", argument], timeout_s=120).text == argument


def test_hostile_file_names_are_only_names(reach: Reach, tmp_path: Path) -> None:
    for name in NAMES:
        content = f"content of {name}\n".encode()
        (tmp_path / "source").write_bytes(content)
        target = f"{reach.folder}/{name}"
        reach.transport.push(tmp_path / "source", target, mode=0o600)
        assert reach.transport.run(["cat", target], timeout_s=120).stdout == content
        reach.transport.pull(target, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == content
    listed = reach.transport.run(
        sh('cd "$1" && for f in * .[!.]*; do printf "%s\\0" "$f"; done', reach.folder), timeout_s=10
    )
    assert set(listed.stdout.decode().split("\0")[:-1]) - {".[!.]*"} == set(NAMES)


def test_fifty_megabytes_go_and_come_back_with_checksum_and_mode(reach: Reach, tmp_path: Path) -> None:
    source, back, target = tmp_path / "source", tmp_path / "back", f"{reach.folder}/fifty"
    source.write_bytes(os.urandom(1 << 20) * 50)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    reach.transport.push(source, target, mode=0o750)
    said = reach.transport.run(["sha256sum", target], timeout_s=60).text
    assert said.split()[0] == digest
    assert reach.transport.run(["stat", "-c", "%a", target], timeout_s=120).text.strip() == "750"
    reach.transport.pull(target, back)
    assert hashlib.sha256(back.read_bytes()).hexdigest() == digest


def test_a_pushed_program_runs_and_can_be_replaced(reach: Reach, tmp_path: Path) -> None:
    source, target = tmp_path / "program", f"{reach.folder}/program"
    for word in ("one", "two"):
        source.write_text(f"#!/bin/sh\necho {word} $1\n")
        reach.transport.push(source, target, mode=0o755)
        assert reach.transport.run([target, "x"], timeout_s=120).text == f"{word} x\n"


def test_an_empty_file_is_a_file(reach: Reach, tmp_path: Path) -> None:
    source, back = tmp_path / "empty", tmp_path / "back"
    source.touch()
    reach.transport.push(source, f"{reach.folder}/empty")
    reach.transport.pull(f"{reach.folder}/empty", back)
    assert back.read_bytes() == b""


def test_pulling_a_missing_file_leaves_nothing_behind(reach: Reach, tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match=r"no such file|No such file"):
        reach.transport.pull(f"{reach.folder}/missing", tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


def test_pulling_a_folder_fails(reach: Reach, tmp_path: Path) -> None:
    with pytest.raises(TransferFailed):
        reach.transport.pull(reach.folder, tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_pushing_into_a_missing_folder_names_the_reason_and_makes_nothing(reach: Reach, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    with pytest.raises(TransferFailed, match=r"no folder|No such file|can't cd|No such"):
        reach.transport.push(source, f"{reach.folder}/missing/target")
    assert reach.transport.run(sh('[ -e "$1" ]', f"{reach.folder}/missing"), timeout_s=120).exit_code == 1


def test_pushing_a_missing_file_names_it(reach: Reach, tmp_path: Path) -> None:
    with pytest.raises(TransferFailed, match=r"missing.*No such file"):
        reach.transport.push(tmp_path / "missing", f"{reach.folder}/target")


def test_pushing_onto_a_folder_fails(reach: Reach, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    reach.transport.run(["mkdir", f"{reach.folder}/taken"], timeout_s=120)
    with pytest.raises(TransferFailed):
        reach.transport.push(source, f"{reach.folder}/taken")
    assert reach.transport.run(["ls", "-A", f"{reach.folder}/taken"], timeout_s=120).text == ""


SILENT = 'sleep 500 & echo "$0 $@" >/dev/null; sleep 500; true'
CHATTY = "while true; do echo talk; done"


@pytest.mark.parametrize("text", [SILENT, CHATTY], ids=["silent", "chatty"])
def test_a_late_program_is_dead_on_the_device(reach: Reach, text: str) -> None:
    marker = f"marker-{uuid4()}"
    began = time.monotonic()
    with pytest.raises(Late, match=r"killed after 0.6 s"):
        reach.transport.run(sh(text, marker), timeout_s=0.6)
    assert 0.6 <= time.monotonic() - began < GUARD_S
    wait_until_gone(marker)
    assert reach.transport.run(["echo", "still here"], timeout_s=120).text == "still here\n"


def test_the_grandchildren_of_a_late_program_are_dead_too(reach: Reach) -> None:
    """Also those in a process group of their own, as GNU timeout makes one."""
    marker = f"marker-{uuid4()}"
    nested = f"sh -c 'sleep 500; true' {marker} & timeout 500 sh -c 'sleep 500; true' {marker}; true"
    with pytest.raises(Late):
        reach.transport.run(sh(nested, marker), timeout_s=0.6)
    wait_until_gone(marker)


def test_a_program_that_ignores_signals_is_dead_too(reach: Reach) -> None:
    marker = f"marker-{uuid4()}"
    with pytest.raises(Late):
        reach.transport.run(sh("trap '' HUP TERM INT; while true; do sleep 0.1; done", marker), timeout_s=0.5)
    wait_until_gone(marker)


def test_what_a_program_starts_in_a_session_of_its_own_outlives_it(reach: Reach) -> None:
    """A job is started that way: the end of the command that starts it must not be its own."""
    marker = f"marker-{uuid4()}"
    started = reach.transport.run(
        sh('setsid sh -c "sleep 500; true" "$1" >/dev/null 2>&1 </dev/null & echo started', marker), timeout_s=10
    )
    assert started.text == "started\n"
    seen: list[str] = []

    def one_is_left() -> bool:
        seen[:] = alive(marker)
        return len(seen) == 1

    wait_until(one_is_left)  # while it starts, the shell that starts it has the same words, and in an exec it has none
    os.kill(int(seen[0]), signal.SIGKILL)


def test_nothing_of_ours_stays_behind_a_command(reach: Reach) -> None:
    seconds = 10_000 + random.randrange(1_000_000) / 1000  # seen among the arguments of the time limit
    for _ in range(5):
        reach.transport.run(["true"], timeout_s=seconds)
    wait_until_gone(f"{seconds:.3f}")


def test_close_from_another_thread_ends_a_command_at_once(reach: Reach) -> None:
    marker = f"marker-{uuid4()}"
    once_alive(marker, reach.transport.close)
    began = time.monotonic()
    with pytest.raises(LinkLost, match=r"closed"):
        reach.transport.run(sh("sleep 500; true", marker), timeout_s=600)
    assert time.monotonic() - began < GUARD_S


def test_a_close_that_races_with_a_start_leaves_nothing_running(reach: Reach) -> None:
    """Whenever it comes: before, while and after a program is started."""
    markers = [f"marker-{uuid4()}" for _ in range(12)]
    for number, marker in enumerate(markers):
        with closing(reach.again()) as link:
            closer = threading.Timer(number * 0.004, link.close)
            closer.start()
            began = time.monotonic()
            with pytest.raises(LinkLost):
                link.run(sh("sleep 500; true", marker), timeout_s=60 if reach.kind == "local" else 5)
            assert time.monotonic() - began < GUARD_S
            closer.join()
    for marker in markers:  # at the latest at their time limits, which the device keeps
        wait_until_gone(marker)


def test_close_may_come_twice_and_nothing_works_after_it(reach: Reach, tmp_path: Path) -> None:
    reach.transport.close()
    reach.transport.close()
    with pytest.raises(LinkLost):
        reach.transport.run(["true"], timeout_s=120)
    with pytest.raises(LinkLost):
        reach.transport.pull(f"{reach.folder}/x", tmp_path / "x")


def test_a_hundred_commands_in_a_row(reach: Reach) -> None:
    for number in range(100):
        assert reach.transport.run(["echo", str(number)], timeout_s=120).text == f"{number}\n"
