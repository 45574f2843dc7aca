"""Jobs under instruments: contexts around them, on a real session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.instruments import INSTRUMENTS, measured
from benchbench.instruments.base import Seen, Watch
from benchbench.values.conditions import Conditions
from benchbench.values.device import Device, Local
from benchbench.values.errors import DeviceError
from benchbench.values.job import Job, JobResult, Sampling


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads a file of the device during a job, and notes on this host when the job runs."""

    name: str
    file: str
    diary: Path

    @contextmanager
    def around(self, job: Job) -> Iterator[Watch]:
        self._note(f"{self.name} begun")
        try:
            yield Watch(replace(job, samples=(*job.samples, Sampling(self.name, 1, (self.file,)))), self._seen)
        finally:
            self._note(f"{self.name} ended")

    def _seen(self, result: JobResult) -> Seen:
        return Seen({self.name: float(result.samples[self.name][0].text)})

    def _note(self, word: str) -> None:
        with self.diary.open("a") as file:
            print(word, file=file)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(name="host", address=Local(), workdir=str(tmp_path / "work"))


def test_a_job_runs_within_its_instruments_which_tell_what_they_saw(device: Device, tmp_path: Path) -> None:
    power, heat, diary = tmp_path / "power", tmp_path / "heat", tmp_path / "diary"
    power.write_text("1250\n")
    heat.write_text("41.5\n")
    # Both may be there at once, and /proc/uptime, by which readings are dated, tells hundredths of a second.
    script = f"until [ -s series.power ] && [ -s series.heat ]; do sleep 0.1; done; sleep 0.1; echo job >> '{diary}'"
    with open_session(device) as session:
        job = Job(argv=("sh", "-c", script), timeout_s=600)
        instruments = (*INSTRUMENTS, Meter("power", str(power), diary), Meter("heat", str(heat), diary))
        result, seen = measured(session, "a", job, outputs_to=tmp_path, instruments=instruments)
    assert result.raw.exit_code == 0
    assert diary.read_text().splitlines() == ["power begun", "heat begun", "job", "heat ended", "power ended"]
    quantities = seen["quantities"]
    assert isinstance(quantities, dict)
    assert quantities.pop("controller_cpu") > 0
    assert quantities == {"power": 1250, "heat": 41.5}
    before, after = seen["before"], seen["after"]
    assert isinstance(before, Conditions)
    assert isinstance(after, Conditions)
    assert before.load is not None
    assert before.at < after.at


def test_a_context_is_left_when_its_job_fails(device: Device, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    job = Job(argv=("true",), timeout_s=9, files={"no/such/folder": ""})
    with open_session(device) as session, pytest.raises(DeviceError):
        measured(session, "a", job, outputs_to=tmp_path, instruments=(Meter("power", "/none", diary),))
    assert diary.read_text() == "power begun\npower ended\n"
