"""A file has its name whole or not at all, and what others may rely on is on the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchbench.values.atomic import atomic, put_in_place


def test_a_file_has_its_name_when_all_of_it_is_written(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with atomic(target) as file:
        file.write(b"new")
        file.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_what_ends_the_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def interrupted() -> None:
        with atomic(target) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_program_that_is_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    program = (
        "import os, signal, sys; from pathlib import Path; from benchbench.values.atomic import atomic\n"
        "with atomic(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"


def test_the_content_is_on_the_disk_before_the_name_and_the_name_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, synced = tmp_path / "a", list[tuple[int, bool]]()
    sync = os.fsync

    def noted(file: int) -> None:
        synced.append((os.fstat(file).st_ino, target.exists()))
        sync(file)

    monkeypatch.setattr(os, "fsync", noted)
    with atomic(target) as file:
        file.write(b"new")
    assert synced == [(target.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_the_mode_is_what_was_asked_for(tmp_path: Path, mode: int) -> None:
    with atomic(tmp_path / "a", mode=mode) as file:
        file.write(b"")
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


def test_without_a_mode_a_file_is_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with atomic(tmp_path / "a"):
        pass
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_gets_its_name_with_all_that_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "made"
    (made / "below").mkdir(parents=True)
    (made / "below" / "file").write_bytes(b"x")
    inside = {path.stat().st_ino for path in (made, *made.rglob("*"))}
    synced = list[int]()
    sync = os.fsync

    def noted(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        sync(file)

    monkeypatch.setattr(os, "fsync", noted)
    put_in_place(made, tmp_path / "target")
    assert (tmp_path / "target" / "below" / "file").read_bytes() == b"x"
    assert not made.exists()
    assert (set(synced[:-1]), synced[-1]) == (inside, tmp_path.stat().st_ino)
