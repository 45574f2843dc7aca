"""The times of single inferences: what is kept of a launch, where, and what a crash or damage costs."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from benchbench.device_script.protocol import Request, to_json
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.modes.launch import transcript, without_times
from benchbench.run_folder.conditions import read_conditions
from benchbench.run_folder.journal import Journal, create, new_folder, read_outcomes, reopen
from benchbench.run_folder.manifest import Manifest
from benchbench.run_folder.series import (
    CHOICE,
    EDGE,
    WHOLE,
    read_series,
    series_of,
    write_series,
)
from benchbench.run_folder.series_files import compact_all
from benchbench.values.conditions import DuringConditions, SensorSeries
from benchbench.values.errors import InputError
from benchbench.values.job import Job, JobOutput
from benchbench.values.outcome import Measurement, Outcome, Timings

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "reports" / "sample" / "outcomes.jsonl"
ALL = "inferences.parquet"
BEGAN = {f"a/r{number}": f"2026-11-28T12:00:0{number}.000+00:00" for number in (1, 2, 3)}


def times(count: int, seed: int = 0, us: float = 60.0) -> tuple[float, ...]:
    """Microseconds, in whole nanoseconds, of a model with a tail."""
    chance = np.random.default_rng(seed)
    found = us * (1 + 0.01 * chance.standard_normal(count))
    found[chance.random(count) < 0.02] *= 2
    found[chance.random(count) < 0.002] *= 20
    return tuple(np.round(found, 3).tolist())


def outcome(trial: str, us: tuple[float, ...] = (1.0, 2.5)) -> Outcome:
    measured = Measurement(timings=Timings(mean=1.5, samples=us), runs=len(us))
    case = trial.rpartition("/")[0]
    return Outcome(
        trial=trial, case=case, device="host", variant="a.b", round=1, position=1, status="ok", measurement=measured
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_folder(tmp_path / "reports", "my run")


@pytest.mark.parametrize("count", [1, 2, WHOLE - 1, WHOLE])
def test_a_short_launch_keeps_the_time_of_every_inference(folder: Path, count: int) -> None:
    asked = times(count)
    write_series(folder, series_of("host/a/t1/r1", asked))
    series = read_series(folder)["host/a/t1/r1"]
    assert series.inferences == count
    assert series.number.tolist() == list(range(count))
    assert (series.time_ns / 1000).tolist() == list(asked)
    assert series.quantile_ns(0.5) == np.quantile(series.time_ns, 0.5)


@pytest.mark.parametrize("count", [WHOLE + 1, 20_000])
def test_a_long_launch_keeps_its_ends_and_some_of_the_others(folder: Path, count: int) -> None:
    asked = times(count)
    write_series(folder, series_of("host/a/t1/r1", asked))
    series = read_series(folder)["host/a/t1/r1"]
    assert (series.inferences, len(series.number)) == (count, EDGE + CHOICE + EDGE)
    assert series.number[:EDGE].tolist() == list(range(EDGE))
    assert series.number[-EDGE:].tolist() == list(range(count - EDGE, count))
    assert (np.diff(series.number) > 0).all()
    assert (series.time_ns / 1000).tolist() == [asked[number] for number in series.number]


@pytest.mark.parametrize("us", [0.05, 60.0, 2e6])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.95, 0.99, 0.999, 0.9999, 1.0])
def test_a_quantile_of_a_long_launch_is_a_quarter_of_a_percent_off_at_most(share: float, us: float) -> None:
    asked = times(30_000, us=us)
    exact = 1000 * np.quantile(asked, share, method="lower")
    assert series_of("a", asked).quantile_ns(share) == pytest.approx(exact, rel=0.00251)


def test_every_part_of_a_long_launch_has_the_same_chance_to_be_kept() -> None:
    asked, found = times(5000), np.zeros(4)
    for number in range(50):
        between = series_of(f"trial {number}", asked).number[EDGE:-EDGE]
        found += np.histogram(between, 4, (EDGE, 5000 - EDGE))[0]
    assert found.sum() == 50 * CHOICE
    assert (abs(found / found.mean() - 1) < 0.06).all()  # four standard deviations; the choice is the same every time


def test_a_line_of_the_journal_has_no_times_and_the_series_has_them(folder: Path) -> None:
    journal = create(folder, Manifest())
    journal.append(outcome("host/a/t1/r1"))
    journal.close()
    assert "samples" not in (folder / "outcomes.jsonl").read_text()
    (told,) = read_outcomes(folder)
    assert told.measurement == Measurement(timings=Timings(mean=1.5), runs=2)
    assert read_series(folder)["host/a/t1/r1"].time_ns.tolist() == [1000, 2500]


def test_a_run_that_has_ended_has_one_file_with_all_series(folder: Path) -> None:
    journal = create(folder, Manifest())
    for number in range(5):
        journal.append(outcome(f"host/a/t1/r{number}", times(900 if number == 3 else 4, seed=number)))
    before = read_series(folder)
    journal.end()
    journal.close()
    assert [path.name for path in (folder / "series").iterdir()] == [ALL]
    after = read_series(folder)
    assert after.keys() == before.keys()
    for trial, series in after.items():
        for name in ("inferences", "number", "time_ns", "bin", "bin_count"):
            np.testing.assert_array_equal(getattr(series, name), getattr(before[trial], name))


def test_a_run_without_series_ends_without_a_file_of_them(folder: Path) -> None:
    journal = create(folder, Manifest())
    journal.append(outcome("host/a/t1/r1", ()))
    journal.end()
    journal.close()
    assert not (folder / "series").exists()
    assert read_series(folder) == {}


def test_a_trial_that_was_done_again_has_its_newer_series(folder: Path) -> None:
    for trial in ("a/r1", "a/r2"):
        write_series(folder, series_of(trial, (1.0, 2.0)))
    compact_all(folder)
    write_series(folder, series_of("a/r1", (7.0,)))
    assert read_series(folder)["a/r1"].time_ns.tolist() == [7000]
    compact_all(folder)
    assert {trial: series.time_ns.tolist() for trial, series in read_series(folder).items()} == {
        "a/r1": [7000],
        "a/r2": [1000, 2000],
    }


@pytest.mark.parametrize("damage", [b"", b"x", b"PAR1" * 9])
def test_a_damaged_file_is_named_and_costs_no_other(folder: Path, damage: bytes) -> None:
    for trial in ("a/r1", "a/r2"):
        write_series(folder, series_of(trial, (1.0, 2.0)))
    bad = folder / "series" / "a__r1.parquet"
    bad.write_bytes(damage)
    compact_all(folder)
    with pytest.raises(InputError, match=r"a__r1\.parquet: cannot be read") as told:
        read_series(folder)
    assert "delete it" in str(told.value.remedy)
    bad.unlink()
    assert read_series(folder).keys() == {"a/r2"}


def test_a_whole_that_is_damaged_stays_beside_the_new(folder: Path) -> None:
    write_series(folder, series_of("a/r1", (1.0,)))
    (folder / "series" / ALL).write_bytes(b"x")
    compact_all(folder)
    (folder / "series" / ALL).unlink()
    assert read_series(folder).keys() == {"a/r1"}


def test_ten_thousand_trials_of_a_quick_model_take_less_than_100_mb(folder: Path) -> None:
    """A hundredth of them: a second each at 60 µs, with logs and lines as the script's launches leave them."""
    told = Outcome.model_validate_json(SAMPLE.read_text(encoding="utf-8").splitlines()[0])
    journal = create(folder, Manifest())
    request = Request(
        model=f"/data/local/tmp/store/{'ab' * 32}.tflite", asked="xnnpack", delegate=InterpreterDelegate(xnnpack=True)
    )
    job = Job(argv=("python3", "request.json", "answer.json"), timeout_s=60, files={"request.json": to_json(request)})
    for number in range(100):
        us = times(16_667, seed=number)
        trial = f"host/fashion_mnist.dynamic-int8/xnnpack/t1/r{number}"
        answer = json.dumps({"warmup_ns": [60_123] * 8333, "steady_ns": [round(t * 1000) for t in us]}).encode()
        said = transcript(job, JobOutput(0, b"", b"", answers={"answer.json": answer}))
        log = journal.write_log(trial, without_times(said))
        timings = told.measurement.timings.model_copy(update={"samples": us})
        measured = told.measurement.model_copy(update={"timings": timings, "runs": len(us)})
        journal.append(told.model_copy(update={"trial": trial, "log": log, "measurement": measured}))
    while_it_goes_on = _size(folder)
    journal.end()
    journal.close()
    assert _size(folder) < while_it_goes_on < 1e6
    assert len(read_series(folder)) == 100


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_transcript_keeps_both_ends_of_a_long_list_and_all_of_a_short_one() -> None:
    short = json.dumps({"warmup_ns": list(range(200))}).encode()
    assert without_times(short) == short
    long = json.loads(without_times(json.dumps({"steady_ns": list(range(1000, 2000))}).encode()))["steady_ns"]
    assert long == [*range(1000, 1020), "(960 more)", *range(1980, 2000)]
    seconds = b", ".join(b"%g" % (1e-5 * n) for n in range(1, 1001))
    kept = without_times(seconds + b", ").split(b", ")
    assert (kept[0], kept[20], kept[-2], len(kept)) == (b"1e-05", b'"(960 more)"', b"0.01", 42)


def test_a_controller_killed_at_any_point_loses_the_trial_in_flight_at_most() -> None:
    """In memory where it can be: what a killed process wrote is there without the disk that it waits for."""
    program = "import sys; from tests.run_folder.test_series import killed_everywhere as k; k(sys.argv[1])"
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as place:
        done = subprocess.run(
            [sys.executable, "-c", program, place], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    points = done.stdout.splitlines()
    assert len(points) > 20
    assert points[-1] == "not killed"


def killed_everywhere(place: str) -> None:
    """A run of three trials, killed before its first change of a file, before its second … until none is left.

    In a process of its own, which forks itself.
    """
    for point in itertools.count(1):
        folder = new_folder(Path(place), "run")
        create(folder, Manifest()).close()
        child = os.fork()
        if not child:
            _kill_at(point)
            _work_through(folder, told := Path(place, f"told-{point}"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        told = Path(place, f"told-{point}")
        finished = told.read_text().split() if told.exists() else []
        _work_through(folder, told, finished)
        assert {trial: series.inferences for trial, series in read_series(folder).items()} == {
            "a/r1": 2,
            "a/r2": 600,
            "a/r3": 2,
        }
        heat = {trial: looks[0].value for trial, looks in read_conditions(folder, BEGAN).items()}
        assert heat == dict.fromkeys(BEGAN, (41.0,))
        assert {path.name for path in (folder / "series").iterdir()} == {ALL, "conditions.parquet"}
        assert not list(folder.glob(".part*"))
        assert [outcome.trial for outcome in read_outcomes(folder)] == ["a/r1", "a/r2", "a/r3"]
        print("killed" if os.WIFSIGNALED(status) else "not killed")
        if not os.WIFSIGNALED(status):
            return


def _kill_at(point: int) -> None:
    seen = itertools.count(1)

    def hook(event: str, _: object) -> None:
        if event in {"open", "os.rename", "os.remove", "os.mkdir"} and next(seen) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _work_through(folder: Path, told: Path, finished: list[str] | None = None) -> None:
    """Do what is left, and say of each trial that it is done; what was said before must be so."""
    journal: Journal = reopen(folder)
    done = journal.done()
    assert done >= set(finished or ())
    said = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for trial, count in (("a/r1", 2), ("a/r2", 600), ("a/r3", 2)):
        if trial not in done:
            heat = SensorSeries(quantity="temperature", sensor="cpu", second=(0.0,), value=(41.0,))
            during = DuringConditions(looks=1, began=BEGAN[trial], series=(heat,))
            journal.append(outcome(trial, times(count)).model_copy(update={"during": during}))
            os.write(said, f"{trial}\n".encode())
    journal.end()
    journal.close()
