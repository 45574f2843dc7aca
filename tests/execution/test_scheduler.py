"""The threads of a run, interrupted at any time: no outcome is lost on its way to the journal, and nobody waits on."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchbench import pipeline as api
from benchbench.execution.scheduler import Done, Event
from tests.beds.sshd import Board
from tests.workbench import Workbench, outcomes

# Devices that cannot be had have outcomes at once: all that is done here is starting, handing on, counting.
SWEEP = """
import random, signal, sys
from pathlib import Path
from benchbench.device.opening import Absent
from benchbench.execution.scheduler import execute
from benchbench.modes.base import RunContext
from benchbench.plan import make_plan
from benchbench.run_folder.journal import create, read_outcomes
from benchbench.run_folder.manifest import Manifest
from benchbench.runtimes.base import Target
from benchbench.values.device import Device, Local
from benchbench.values.errors import Unreachable
from tests.plans import matrix

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
devices = [Device(name=name, address=Local()) for name in ("a", "b", "c")]
plan = make_plan(matrix(threads=(1,)), [Target(device) for device in devices], seed=1)
absent = [Absent(device, Unreachable("gone")) for device in devices]
draw, interrupted, folder = random.Random(1), 0, Path(sys.argv[1])
for number in range(int(sys.argv[2])):
    (folder / f"{number}").mkdir()
    journal, told = create(folder / f"{number}", Manifest()), []
    context = RunContext(plan.measure, journal, {})
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-5 + draw.random() / 100)
        execute(plan, absent, context, told.append)
        signal.setitimer(signal.ITIMER_REAL, 0)
        whole = True
    except KeyboardInterrupt:
        interrupted, whole = interrupted + 1, False
    journal.close()
    written = [outcome.trial for outcome in read_outcomes(journal.folder)]
    heard = [event.trial.id for event in told]
    assert heard == written[:len(heard)], (number, heard, written)
    for device in plan.devices:
        own = [trial for trial in written if trial.startswith(device + "/")]
        planned = [trial.id for trial in plan.of(device)]
        assert own == planned[:len(planned) if whole else len(own)], (number, own)
print(interrupted)
"""


def test_every_outcome_is_written_whenever_an_interrupt_comes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SWEEP, str(tmp_path), "300"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_on_this_machine_a_trial_begins_when_all_is_written_and_told_of_the_last(tmp_path: Path) -> None:
    bench, told_at = Workbench(tmp_path), list[str]()

    def tell(event: Event) -> None:
        if isinstance(event, Done):
            time.sleep(0.5)
            told_at.append(datetime.now(UTC).isoformat(timespec="milliseconds"))

    api.run(
        bench.matrix("float32", rounds=3),
        inventory=bench.inventory,
        reports=bench.reports,
        watching=lambda _: nullcontext(tell),
    )
    started = [outcome.started or "" for outcome in outcomes(bench.latest())]
    assert len(started) == len(told_at) == 3
    assert all(told <= begun for told, begun in zip(told_at, started[1:], strict=False))


def test_this_machine_is_measured_when_the_others_are_done(board: Board, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    address = ", ".join(f"{key} = {value!r}" for key, value in board.address.model_dump(exclude_none=True).items())
    workdir = f"{board.workdir}/work"
    bench.device("board", f'address = {{ {address} }}\nworkdir = "{workdir}"\npython = "{sys.executable}"\n')
    matrix = bench.matrix("float32", devices=("host", "board"), rounds=2)
    found = outcomes(api.run(matrix, inventory=bench.inventory, reports=bench.reports))
    assert [outcome.status for outcome in found] == ["ok"] * 4, [outcome.error for outcome in found]
    assert [outcome.device for outcome in found] == ["board", "board", "host", "host"]
    began = {
        device: [datetime.fromisoformat(o.started or "") for o in found if o.device == device]
        for device in ("host", "board")
    }
    ended = max(at + timedelta(seconds=o.wall_s or 0) for at, o in zip(began["board"], found, strict=False))
    assert min(began["host"]) >= ended - timedelta(milliseconds=1)
    assert all(outcome.quantities["controller_cpu"] > 0 for outcome in found)
