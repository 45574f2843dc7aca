from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchbench.device_script import system


def test_memory_is_in_units_of_2_to_the_20() -> None:
    resident, peak, shared = system.resident_mb(), system.peak_mb(), system.proportional_mb()
    assert resident is not None
    assert peak is not None
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    assert resident == pytest.approx(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, rel=0.2)
    assert (shared or 0) <= resident <= peak * 1.2


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    system.write_whole(str(path), "old")
    (tmp_path / "answer.json.part").mkdir()
    with pytest.raises(OSError, match=r"answer\.json\.part"):
        system.write_whole(str(path), "new")
    assert path.read_text() == "old"


def test_the_cpus_are_those_that_the_process_may_use() -> None:
    assert system.allowed_cpus() == tuple(sorted(os.sched_getaffinity(0)))
