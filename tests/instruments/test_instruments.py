"""Jobs under instruments: contexts around them, on a real session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchbench.device.session import JobResult, open_session
from benchbench.instruments import INSTRUMENTS, measured
from benchbench.instruments.base import Watch
from benchbench.values.device import Device, Local
from benchbench.values.errors import DeviceError
from benchbench.values.job import Job, Sampling
from benchbench.values.outcome import Conditions


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads a file of the device during a job, and notes on this host when the job runs."""

    file: str
    diary: Path

    @contextmanager
    def around(self, job: Job) -> Iterator[Watch]:
        self._note("begun")
        try:
            yield Watch(replace(job, samples=(*job.samples, Sampling("meter", 1, (self.file,)))), self._seen)
        finally:
            self._note("ended")

    def _seen(self, result: JobResult) -> Mapping[str, object]:
        return {"power_mw": float(result.samples["meter"][0].text)}

    def _note(self, word: str) -> None:
        with self.diary.open("a") as file:
            print(word, file=file)


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(name="host", address=Local(), workdir=str(tmp_path / "work"))


def test_a_job_runs_within_its_instruments_which_tell_what_they_saw(device: Device, tmp_path: Path) -> None:
    power, diary = tmp_path / "power", tmp_path / "diary"
    power.write_text("1250\n")
    script = f"until [ -s series.meter ]; do sleep 0.1; done; echo job >> '{diary}'"
    with open_session(device) as session:
        job = Job(argv=("sh", "-c", script), timeout_s=600)
        instruments = (*INSTRUMENTS, Meter(str(power), diary))
        result, seen = measured(session, "a", job, outputs_to=tmp_path, instruments=instruments)
    assert result.raw.exit_code == 0
    assert diary.read_text() == "begun\njob\nended\n"
    assert seen["power_mw"] == 1250
    before, after = seen["before"], seen["after"]
    assert isinstance(before, Conditions)
    assert isinstance(after, Conditions)
    assert before.load is not None
    assert before.at < after.at


def test_a_context_is_left_when_its_job_fails(device: Device, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    job = Job(argv=("true",), timeout_s=9, files={"no/such/folder": b""})
    with open_session(device) as session, pytest.raises(DeviceError):
        measured(session, "a", job, outputs_to=tmp_path, instruments=(Meter("/none", diary),))
    assert diary.read_text() == "begun\nended\n"
