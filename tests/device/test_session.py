"""A session over the local transport, in a work folder of its own: its jobs and its hold."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.transports import Finished, Transport
from benchbench.values.device import Device, Local
from benchbench.values.errors import DeviceBusy, LinkLost
from benchbench.values.job import Sampling
from tests.beds.waiting import becomes_true
from tests.device.jobs import runs, shell


def test_a_job_is_run_in_a_folder_of_its_own_with_its_environment_and_files(device: Device, tmp_path: Path) -> None:
    job = shell(
        'cat "in put"; echo "$COLOUR" >&2; echo answer > answer; echo big > output; exit 4',
        env={"COLOUR": "a 'b'"},
        files={"in put": "given"},
        answers=("answer",),
    )
    with open_session(device) as session:
        result = session.run("a", job, outputs_to=tmp_path)
    assert (result.raw.exit_code, result.raw.stdout, result.raw.stderr) == (4, b"given\n", b"a 'b'\n")
    assert result.raw.answers == {"answer": b"answer\n"}
    assert result.retries == ()
    assert (result.before, result.after) == (None, None)  # nobody asked
    assert list(Path(str(device.workdir), "jobs").iterdir()) == []


def test_values_of_a_devices_environment_that_a_tool_repeats_are_not_taken_back(tmp_path: Path) -> None:
    secret = "s3cret-t0ken-of-mine"
    device = Device(
        name="host", address=Local(), workdir=str(tmp_path / "work"), env={"HF_TOKEN": secret, "LEVEL": "1"}
    )
    job = shell("echo out $T $LEVEL; echo err $T >&2; echo answer $T > answer", env={"T": secret}, answers=("answer",))
    with open_session(device) as session:
        raw = session.run("a", replace(job, env={**job.env, **device.env}), outputs_to=tmp_path).raw
    assert (raw.stdout, raw.stderr) == (b"out (HF_TOKEN) 1\n", b"err (HF_TOKEN)\n")
    assert raw.answers == {"answer": b"answer (HF_TOKEN)\n"}


def test_outputs_are_pulled_as_files(device: Device, tmp_path: Path) -> None:
    job = shell("head -c 1000000 /dev/zero > out.bin", outputs=("out.bin",))
    with open_session(device) as session:
        result = session.run("a", job, outputs_to=tmp_path / "kept")
    assert result.outputs == (tmp_path / "kept" / "out.bin",)
    assert result.outputs[0].stat().st_size == 1_000_000


def test_a_job_beyond_its_limit_is_late(device: Device, tmp_path: Path) -> None:
    with open_session(device) as session:
        result = session.run("a", shell("sleep 60", timeout_s=0.5), outputs_to=tmp_path)
    assert result.raw.late


def test_two_controllers_exclude_each_other_and_the_second_is_told_by_whom(device: Device) -> None:
    held = pytest.raises(DeviceBusy, match=f"host is in use by .* pid {os.getpid()}")
    with open_session(device), held, open_session(device):
        pass
    with open_session(device) as session:
        assert session.notes == []


def test_a_cancelled_session_ends_its_job_and_gives_the_device_back(device: Device, tmp_path: Path) -> None:
    name = tmp_path / "pid"
    with open_session(device) as session:

        def cancel() -> None:
            assert becomes_true(lambda: name.exists() and name.read_text().endswith("\n"))
            session.cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(LinkLost):
            session.run("a", shell(f"echo $$ > '{name}'; exec sleep 60"), outputs_to=tmp_path)
        canceller.join()
    assert not runs(int(name.read_text()))
    with open_session(device) as session:
        assert session.notes == []


@pytest.mark.parametrize("link", ["local", "board", "phone"])
def test_a_job_with_all_that_is_read_is_one_round_trip(
    link: str, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if link != "local":
        there = request.getfixturevalue(link)
        device = Device(name=link, address=there.address, workdir=f"{there.workdir}/work")
    sampling = Sampling("load", 1, ("/proc/loadavg",))
    job = shell(
        "until [ -s series.load ]; do sleep 0.1; done; cp request x",
        files={"request": "given"},
        answers=("x",),
        conditions=True,
        samples=(sampling,),
    )
    verbs: list[str] = []
    with open_session(device) as session:
        run = type(session.transport).run

        def counted(self: Transport, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Finished:
            verbs.append(argv[2])
            return run(self, argv, timeout_s=timeout_s, stdin=stdin)

        monkeypatch.setattr(type(session.transport), "run", counted)
        for name in ("a", "b"):
            result = session.run(name, job, outputs_to=tmp_path)
            assert result.raw.answers == {"x": b"given\n"}
            assert len(result.samples["load"][0].text.split()) == 5
            assert result.before is not None
            assert result.after is not None
            assert {"uptime", "load", "memory_available_kb"} <= result.before.values.keys() & result.after.values.keys()
        assert verbs == ["start", "start"]


@pytest.mark.parametrize(
    ("script", "kept"),
    [("true", True), ("head -c 1m /dev/zero > out.bin", False), ("exit 3", False), ("head -c 1m /dev/zero", False)],
    ids=["little", "outputs", "failed", "chatty"],
)
def test_what_may_be_large_is_removed_as_soon_as_it_is_here(
    script: str, kept: bool, device: Device, tmp_path: Path
) -> None:
    outputs = ("out.bin",) if "out.bin" in script else ()
    with open_session(device) as session:
        session.run("a", shell(script, outputs=outputs), outputs_to=tmp_path)
        assert Path(session.agent.jobs, "a").exists() is kept


def test_a_job_whose_result_was_taken_is_begun_anew_under_the_same_name(device: Device, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open_session(device) as session:
        for _ in range(2):
            session.run("a", shell(f"echo run >> '{log}'"), outputs_to=tmp_path)
    assert log.read_text() == "run\nrun\n"


def test_a_reading_between_two_jobs_is_one_and_has_one_time(device: Device, tmp_path: Path) -> None:
    job = shell("true", conditions=True)
    with open_session(device) as session:
        last = session.run("0", job, outputs_to=tmp_path)
        for number in range(1, 100):  # on a slow machine more than two seconds may be between two jobs
            between, last = last.after, session.run(str(number), job, outputs_to=tmp_path)
            assert between is not None
            assert last.before is not None
            assert last.after is not None
            if last.before.values == between.values:
                assert last.before.at == between.at
                assert last.before.at <= last.after.at <= datetime.now(UTC)
                return
    pytest.fail("there were always more than two seconds between two jobs")


def test_what_is_sampled_during_a_job_comes_back_with_its_times(device: Device, tmp_path: Path) -> None:
    (tmp_path / "current").write_text("-412000\n")
    sampling = Sampling("power", 1, (str(tmp_path / "current"),))
    job = shell("until [ -s series.power ]; do sleep 0.1; done", samples=(sampling,))
    with open_session(device) as session:
        result = session.run("a", job, outputs_to=tmp_path)
    sample = result.samples["power"][0]
    assert (sample.source, sample.text) == (str(tmp_path / "current"), "-412000")
    assert sample.uptime_s <= float(Path("/proc/uptime").read_text().split()[0])


def test_a_file_once_seen_is_not_asked_for_again(device: Device, tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    with open_session(device) as session:
        assert not session.has(str(library))
        library.touch()
        assert session.has(str(library))
        library.unlink()
        assert session.has(str(library))
        session.transport.close()
        session.reading()  # over a new link
        assert not session.has(str(library))
