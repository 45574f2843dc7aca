"""`run --wait`: a device that another controller uses is waited for, and it is told for whom."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.values.device import Device, Local
from tests.workbench import Workbench, outcomes, planned


@pytest.fixture
def night(tmp_path: Path) -> Iterator[ExitStack]:
    """Another controller of this machine; it gives it back when it is closed."""
    with ExitStack() as stack:
        device = Device(name="night", address=Local(), workdir=str(tmp_path / "another's work"))
        stack.enter_context(open_session(device, purpose="run night of models"))
        yield stack


def told_to_wait(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    line = next(line for line in process.stderr if "in use by" in line)
    assert line.startswith("waiting: host is in use by ")
    assert "(run night of models, since " in line
    return line


def test_a_run_waits_for_a_device_and_tells_for_whom(bench: Workbench, night: ExitStack) -> None:
    process = bench.begin("run", "--wait", str(bench.matrix("float32", rounds=1)))
    told_to_wait(process)
    night.close()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert "in use by" not in stderr  # it is told once
    assert [outcome.status for outcome in outcomes(bench.latest())] == ["ok"]


def test_a_resumed_run_waits_too(bench: Workbench, tmp_path: Path) -> None:
    journal = bench.run(bench.matrix("float32", rounds=2)) / "outcomes.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:1]))
    with ExitStack() as night:
        device = Device(name="night", address=Local(), workdir=str(tmp_path / "another's work"))
        night.enter_context(open_session(device, purpose="run night of models"))
        process = bench.begin("run", "--resume", str(bench.latest()), "--wait=60")
        told_to_wait(process)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert sorted(outcome.trial for outcome in outcomes(bench.latest())) == sorted(planned(bench.latest()))


@pytest.mark.parametrize("wait", [[], ["--wait=0"], ["--wait=0.02"]], ids=["at once", "at once, too", "for a while"])
def test_when_the_wait_is_over_the_device_is_busy(bench: Workbench, night: ExitStack, wait: list[str]) -> None:
    done = bench.benchbench("run", *wait, str(bench.matrix("float32")), expect=4)
    assert "benchbench: host is in use by " in done.stderr.splitlines()[-1]
    assert "(run night of models, since " in done.stderr.splitlines()[-1]
    assert not bench.reports.exists()


def test_waiting_ends_at_once_when_it_is_interrupted(bench: Workbench, night: ExitStack) -> None:
    process = bench.begin("run", str(bench.matrix("float32")), "--wait")
    told_to_wait(process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert "Traceback" not in stderr


def test_a_wait_is_minutes(bench: Workbench) -> None:
    assert "is not a valid" in bench.benchbench("run", "--wait=soon", str(bench.matrix()), expect=2).stderr
