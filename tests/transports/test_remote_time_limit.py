"""The time limit's shell text, in every shell that devices have."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from benchbench.transports.remote_time_limit import time_limited
from tests.transports.processes import GUARD_S, alive, wait_until, wait_until_gone


@pytest.fixture(params=["dash", "bash", "mksh", "busybox"])
def shells(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder for PATH in which `sh` is the shell, and whose other programs are this machine's."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"there is no {request.param} here")
    (tmp_path / "sh").symlink_to(program)
    for name in ("sleep", "setsid", "head"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    return tmp_path


def run(shells: Path, argv: list[str], timeout_s: float) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", shlex.join(time_limited(argv, timeout_s))],
        env={"PATH": str(shells)},
        capture_output=True,
        timeout=GUARD_S,
        check=False,
    )


def in_another_session(word: str, shell: subprocess.Popen[bytes]) -> bool:
    """Whether a process with this word among its arguments has left the session of the shell that started it."""
    for pid in alive(word):
        with suppress(ProcessLookupError):  # it has just ended
            if os.getsid(int(pid)) != shell.pid:
                return True
    return False


def test_it_adds_nothing_to_what_the_program_says(shells: Path) -> None:
    done = run(shells, ["sh", "-c", "echo out; echo err >&2; kill -SEGV $$"], 10)
    assert (done.returncode, done.stdout, done.stderr) == (139, b"out\n", b"err\n")


def test_the_device_kills_everything_at_the_limit(shells: Path) -> None:
    marker = f"marker-{uuid4()}"
    done = run(shells, ["sh", "-c", f"sh -c 'sleep 500; true' {marker} & setsid -w true; sleep 500; true", marker], 0.4)
    assert done.returncode == 137
    wait_until_gone(marker)


def test_without_setsid_the_program_itself_is_killed(shells: Path) -> None:
    (shells / "setsid").unlink()
    marker = f"marker-{uuid4()}"
    assert run(shells, ["sh", "-c", "exec sleep 500", marker], 0.4).returncode == 137
    wait_until_gone(marker)
    assert run(shells, ["sh", "-c", "exit 7"], 10).returncode == 7


def test_the_limit_holds_when_the_link_and_its_shell_are_gone(shells: Path) -> None:
    marker = f"marker-{uuid4()}"
    limit_s = 5 + random.randrange(1000) / 1000  # seen among the arguments of the time limit
    command = shlex.join(time_limited(["sh", "-c", "sleep 500; true", marker], limit_s))
    began = time.monotonic()
    shell = subprocess.Popen(["/bin/sh", "-c", command], env={"PATH": str(shells)}, start_new_session=True)
    wait_until(lambda: in_another_session(marker, shell) and in_another_session(f"{limit_s:.3f}", shell))
    os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()
    wait_until_gone(marker)
    assert time.monotonic() - began >= limit_s


def test_a_hang_up_ends_the_program_at_once(shells: Path) -> None:
    """adbd sends it to the shell when the host goes away."""
    marker = f"marker-{uuid4()}"
    command = shlex.join(time_limited(["sh", "-c", "sleep 500; true", marker], 400))
    shell = subprocess.Popen(["/bin/sh", "-c", f"exec {command}"], env={"PATH": str(shells)}, start_new_session=True)
    wait_until(lambda: in_another_session(marker, shell))
    shell.send_signal(signal.SIGHUP)
    shell.wait(timeout=GUARD_S)
    wait_until_gone(marker)


def test_a_sleep_without_fractions_waits_for_the_next_whole_second(shells: Path) -> None:
    (shells / "sleep").unlink()
    (shells / "sleep").write_text('#!/bin/sh\ncase $1 in *.*) exit 1;; esac; exec /bin/sleep "$1"\n')
    (shells / "sleep").chmod(0o755)
    began = time.monotonic()
    assert run(shells, ["sh", "-c", "while true; do true; done"], 0.3).returncode == 137
    assert 0.9 < time.monotonic() - began < GUARD_S
