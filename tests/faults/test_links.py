"""What happens to devices in the middle of a run, and that it costs no more than it must (design: Faults)."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from benchbench.config.matrix import Matrix
from benchbench.device.session import open_session
from benchbench.execution.scheduler import Event, Started, execute, workers
from benchbench.modes.base import RunContext
from benchbench.plan import make_plan
from benchbench.run_folder.journal import create, new_folder, read_outcomes
from benchbench.run_folder.manifest import Manifest
from benchbench.runtimes.base import Target
from benchbench.runtimes.models import variants
from benchbench.runtimes.tflite.backends import Xnnpack
from benchbench.transports import connect
from benchbench.values.device import Address, Device, Local, ToolChoice
from benchbench.values.errors import DeviceBusy
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Outcome
from tests.beds.benchmark_model import install
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import Board
from tests.workbench import FAMILY

MEASURE = MeasurementSettings(
    rounds=3, canary=False, runs=1, min_seconds=0.8, warmup_runs=1, warmup_min_seconds=0, timeout_seconds=120
)
MATRIX = Matrix(
    name="faults",
    source="faults.toml",
    devices=None,
    threads=(1,),
    affinity=(),
    delegates=(Xnnpack(),),
    variants=variants("fashion_mnist", [FAMILY / "fashion_mnist_float32.tflite"]),
    entries=(),
    datasets={},
    samples={},
    measure=MEASURE,
    skips=(),
    tool=ToolChoice(),
)


class Bed(Protocol):
    """What boards and phones have in common."""

    @property
    def address(self) -> Address: ...

    @property
    def workdir(self) -> str: ...

    def reboot(self) -> None: ...


@dataclass(frozen=True)
class Away:
    """A device that is not this machine, and its ways to go."""

    device: Device
    bed: Bed
    lose_link: Callable[[], None]
    power_off: Callable[[], None]
    freeze: Callable[[], None]
    thaw: Callable[[], None]


@pytest.fixture(params=["board", "phone"])
def away(request: pytest.FixtureRequest, tmp_path: Path) -> Away:
    if request.param == "board":
        board: Board = request.getfixturevalue("board")
        device = Device(name="board", address=board.address, workdir=f"{board.workdir}/work", python=sys.executable)
        return Away(device, board, board.kill_sessions, board.stop, board.freeze, board.thaw)
    phone: Phone = request.getfixturevalue("phone")
    tool = str(install(tmp_path / "benchmark_model"))
    device = Device(name="phone", address=phone.address, workdir=f"{phone.workdir}/work", binary=tool)

    def lose_link() -> None:
        phone.vanish()
        phone.come_back()

    return Away(device, phone, lose_link, phone.power_off, phone.freeze, phone.thaw)


def run(
    folder: Path, devices: Sequence[Device], fault: Callable[[], object], *, patience_s: float = 30
) -> list[Outcome]:
    """Three rounds; the fault happens in the middle of the second trial of the first device."""
    faults: list[threading.Thread] = []

    def tell(event: Event) -> None:
        if isinstance(event, Started) and event.trial.case.device == devices[0].name and event.trial.round == 2:
            timer = threading.Timer(0.6, fault)
            timer.start()
            faults.append(timer)

    with workers(devices, ToolChoice(), patience_s=patience_s) as opened:
        plan = make_plan(MATRIX, [Target(device) for device in devices], seed=1)
        journal = create(new_folder(folder / "reports", "faults"), Manifest(name="faults"))
        execute(plan, opened, RunContext(MEASURE, journal, {}), tell)
        journal.close()
    for thread in faults:
        thread.join()
    assert len(faults) == 1
    told = list(read_outcomes(journal.folder))
    assert len({outcome.trial for outcome in told}) == len(told) == len(plan.trials)
    return told


def test_a_link_lost_in_the_middle_of_a_trial_neither_loses_nor_repeats_it(away: Away, tmp_path: Path) -> None:
    told = run(tmp_path, [away.device], away.lose_link)
    assert [outcome.status for outcome in told] == ["ok"] * 3, [outcome.error for outcome in told]
    assert [outcome.attempts for outcome in told] == [1] * 3
    assert [len(outcome.retries) > 0 for outcome in told] == [False, True, False]


def test_a_device_that_restarts_in_the_middle_of_a_trial_does_that_trial_again(away: Away, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a boot id of its own needs root")
    told = run(tmp_path, [away.device], away.bed.reboot)
    assert [outcome.status for outcome in told] == ["ok"] * 3, [outcome.error for outcome in told]
    assert [outcome.attempts for outcome in told] == [1, 2, 1]
    assert any("the device was restarted" in why for why in told[1].retries)


def test_a_lost_device_fails_its_own_trials_only_and_can_be_had_again(away: Away, tmp_path: Path) -> None:
    host = Device(name="host", address=Local(), workdir=str(tmp_path / "host work"))
    began = time.monotonic()
    told = run(tmp_path, [away.device, host], away.power_off, patience_s=2)
    by_device = {name: [o for o in told if o.device == name] for name in (away.device.name, "host")}
    assert [outcome.status for outcome in by_device["host"]] == ["ok"] * 3
    gone = by_device[away.device.name]
    assert [outcome.status for outcome in gone] == ["ok", "failed", "failed"]
    assert all(outcome.transient for outcome in gone[1:])
    assert all("went away and did not come back" in str(outcome.error) for outcome in gone[1:])
    assert time.monotonic() - began < 240
    away.bed.reboot()
    with open_session(away.device) as session:
        assert "load" in session.reading().values


def test_a_link_that_is_frozen_for_a_while_is_waited_for(away: Away, tmp_path: Path) -> None:
    def freeze_for_a_while() -> None:
        away.freeze()
        time.sleep(3)
        away.thaw()

    told = run(tmp_path, [away.device], freeze_for_a_while)
    assert [outcome.status for outcome in told] == ["ok"] * 3, [outcome.error for outcome in told]
    assert [outcome.attempts for outcome in told] == [1] * 3


def test_two_controllers_cannot_have_one_device(away: Away) -> None:
    with open_session(away.device):
        with workers([away.device], ToolChoice()) as (absent,):
            error = getattr(absent, "error", None)
        assert isinstance(error, DeviceBusy)
        assert f"{away.device.name} is in use by " in str(error)


def test_a_disk_that_fills_up_fails_the_trials_in_words(make_board: Callable[..., Board], tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a disk of its own needs root")
    board = make_board(disk_mb=4)
    device = Device(name="board", address=board.address, workdir=f"{board.workdir}/work", python=sys.executable)

    def fill() -> None:
        with closing(connect(board.address)) as link:
            link.run(["sh", "-c", 'head -c 9m /dev/zero > "$1/filler"', "sh", board.workdir], timeout_s=120)

    told = run(tmp_path, [device], fill)
    assert told[0].status == "ok"
    assert told[2].status == "failed"
    assert "No space left on device" in str(told[2].error) or "exit code could be written" in str(told[2].error)
    assert f"`benchbench devices --clean {told[2].device}` empties it" in str(told[2].remedy)


def test_what_a_restart_lost_with_the_work_folder_is_staged_again(
    make_board: Callable[..., Board], tmp_path: Path
) -> None:
    if not can_mount():
        pytest.skip("a work folder in memory needs root")
    board = make_board(disk_mb=16)  # in memory: a restart leaves nothing
    device = Device(name="board", address=board.address, workdir=f"{board.workdir}/work", python=sys.executable)
    told = run(tmp_path, [device], board.reboot)
    assert [outcome.status for outcome in told] == ["ok"] * 3, [outcome.error for outcome in told]
    assert [outcome.attempts for outcome in told] == [1, 2, 1]
