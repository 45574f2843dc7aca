"""Files in the work folder: taken in whole, named, kept apart from others', removed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from tests.device.agent_sh.machine import Machine


def accept(machine: Machine, content: bytes, digest: str, size: int, expect: int) -> tuple[bytes, Path]:
    temporary, final = machine.folder / "tem porary", machine.folder / "fi'nal"
    temporary.write_bytes(content)
    said = machine.verb("accept", str(temporary), str(final), digest, str(size), "755", expect=expect)
    assert not temporary.exists()
    return said, final


def test_a_file_that_arrived_whole_gets_its_name_and_mode(machine: Machine) -> None:
    content = b"some bytes"
    said, final = accept(machine, content, hashlib.sha256(content).hexdigest(), len(content), 0)
    assert (said, final.read_bytes(), final.stat().st_mode & 0o777) == (b"", content, 0o755)


def test_a_file_that_is_too_short_or_another_is_refused(machine: Machine) -> None:
    said, final = accept(machine, b"some", hashlib.sha256(b"some bytes").hexdigest(), 10, 1)
    assert said == b"size 4, not 10\n"
    assert not final.exists()
    said, final = accept(machine, b"same bytes", hashlib.sha256(b"some bytes").hexdigest(), 10, 1)
    assert said.startswith(b"sha256 ")
    assert not final.exists()


def test_have_names_the_files_that_are_there_and_not_empty(machine: Machine) -> None:
    (machine.folder / "a b'c").write_text("x")
    (machine.folder / "torn").touch()
    wanted = [str(machine.folder / name) for name in ("a b'c", "torn", "missing")]
    assert machine.agent("have", *wanted).decode().splitlines() == wanted[:1]


def test_what_another_machine_does_in_a_shared_work_folder_is_left_alone(machine: Machine) -> None:
    """A home on the network is the work folder of many machines, each of which has a lock of its own."""
    assert machine.hold is not None
    root = Path(machine.jobs).parent
    (root / f"{machine.hold.boot}.1000000000" / "old").mkdir(parents=True)
    busy, left = root / "another-boot.1000000007", root / "yet-another.1000000003"
    (busy / "its job").mkdir(parents=True)
    left.mkdir()
    os.utime(left, (time.time() - 3 * 86400,) * 2)
    machine.verb("sweep", machine.jobs)
    assert sorted(path.name for path in root.iterdir()) == sorted([busy.name, Path(machine.jobs).name])
    assert (busy / "its job").is_dir()


def test_clean_removes_what_is_ours_and_leaves_what_is_not(machine: Machine) -> None:
    (machine.folder / "store").mkdir()
    (machine.folder / "thesis.txt").write_text("precious")
    machine.verb("clean", str(machine.folder))
    assert [path.name for path in machine.folder.iterdir()] == ["thesis.txt"]
    (machine.folder / "thesis.txt").unlink()
    hold = machine.take("again by=me")
    machine.agent("clean", hold.name, str(machine.folder))
    assert not machine.folder.exists()
    machine.folder.mkdir()
    machine.agent("unlock", machine.take("free again by=me").name, machine.jobs)


def test_an_unknown_verb_is_refused(machine: Machine) -> None:
    machine.agent("dance", expect=2)
