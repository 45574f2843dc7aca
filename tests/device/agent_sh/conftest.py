"""agent.sh in each of the shells that it meets."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.beds.namespaces import can_mount, lock_folder
from tests.device.agent_sh.machine import Machine

APPLETS = ("cat", "chmod", "cp", "head", "mkdir", "mv", "rm", "setsid", "sha256sum", "sleep", "uname", "wc")
SHELLS = {
    "dash": ("dash", ()),
    "bash": ("bash", ("--posix",)),
    "mksh and toybox": ("mksh", ()),
    "busybox": ("busybox", ("sh",)),
}


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    program, options = SHELLS[request.param]
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} here")
    programs = tmp_path / "bin"
    programs.mkdir()
    if options:
        (programs / "sh").write_text(f'#!/bin/sh\nexec {found} {" ".join(options)} "$@"\n')
        (programs / "sh").chmod(0o755)
    else:
        (programs / "sh").symlink_to(found)
    if box := shutil.which(request.param.split()[-1]):
        for applet in APPLETS if box.endswith("box") else ():
            (programs / applet).symlink_to(box)
    (tmp_path / "work" / "jobs").mkdir(parents=True)
    machine = Machine(tmp_path / "work", f"{programs}:{os.environ['PATH']}")
    machine = replace(machine, hold=machine.take(f"{secrets.token_hex(4)} by=me"))
    Path(machine.jobs).mkdir()
    yield machine
    machine.verb("unlock", machine.jobs, expect=None)
    if can_mount():  # then it is this process's own, and a failed test has left what it took
        for entry in lock_folder().iterdir():
            entry.unlink() if entry.is_symlink() else entry.rmdir()
