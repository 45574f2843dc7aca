"""What sensors told while trials ran: what is kept of it, where, and what a crash or damage costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from benchbench.run_folder.conditions import MOST, read_conditions, thinned, write_conditions
from benchbench.run_folder.journal import create, new_folder, read_outcomes
from benchbench.run_folder.manifest import Manifest
from benchbench.run_folder.series import read_series
from benchbench.run_folder.series_files import compact_all
from benchbench.values.conditions import DuringConditions, SensorSeries
from benchbench.values.errors import InputError
from benchbench.values.outcome import Measurement, Outcome, Timings

BEGAN = "2026-11-28T12:00:00.000+00:00"


def series(*values: float, quantity: str = "temperature", sensor: str = "cpu#0") -> SensorSeries:
    return SensorSeries(quantity=quantity, sensor=sensor, second=tuple(map(float, range(len(values)))), value=values)


def during(*told: SensorSeries, began: str = BEGAN) -> DuringConditions:
    return DuringConditions(looks=3, began=began, series=told)


def outcome(trial: str, told: DuringConditions) -> Outcome:
    measured = Measurement(timings=Timings(mean=1.5, samples=(1.0, 2.0)), runs=2)
    about = {"trial": trial, "case": trial.rpartition("/")[0], "device": "pixel8", "variant": "net.int8"}
    return Outcome(**about, round=1, position=1, status="ok", measurement=measured, during=told)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_folder(tmp_path / "reports", "my run")


def test_a_line_of_the_journal_has_no_looks_and_the_series_has_them(folder: Path) -> None:
    hot, clock = series(41.0, 78.5), series(2850.0, 1200.0, quantity="clock", sensor="policy4")
    journal = create(folder, Manifest())
    journal.append(outcome("pixel8/net.int8/gpu/t1/r1", during(hot, clock)))
    assert "cpu#0" not in (folder / "outcomes.jsonl").read_text()
    (told,) = read_outcomes(folder)
    assert told.during == during()
    kept = {"pixel8/net.int8/gpu/t1/r1": (hot, clock)}
    assert read_conditions(folder, dict.fromkeys(kept, BEGAN)) == kept
    journal.end()
    journal.close()
    names = {path.name for path in (folder / "series").iterdir()}
    assert names == {"inferences.parquet", "conditions.parquet"}
    assert read_conditions(folder, dict.fromkeys(kept, BEGAN)) == kept
    assert read_series(folder).keys() == kept.keys()


def test_looks_of_an_attempt_that_does_not_count_are_passed_over(folder: Path) -> None:
    write_conditions(folder, "a/r1", during(series(41.0), began="2026-11-28T11:59:00.000+00:00"))
    assert read_conditions(folder, {"a/r1": BEGAN}) == {}
    compact_all(folder)
    write_conditions(folder, "a/r1", during(series(50.0)))
    assert read_conditions(folder, {"a/r1": BEGAN}) == {"a/r1": (series(50.0),)}
    compact_all(folder)
    assert read_conditions(folder, {"a/r1": BEGAN}) == {"a/r1": (series(50.0),)}


@pytest.mark.parametrize("count", [1, MOST, MOST + 1, 10 * MOST])
def test_of_many_looks_so_many_are_kept_from_the_first_to_the_last(count: int) -> None:
    kept = thinned(series(*map(float, range(count))))
    assert len(kept.second) == min(count, MOST)
    assert (kept.second[0], kept.second[-1]) == (0, count - 1)
    assert len(set(kept.second)) == len(kept.second)
    assert kept.value == kept.second


def test_an_hour_of_eight_sensors_takes_little(folder: Path) -> None:
    told = [series(*(40.0 + (7 * k + n) % 31 for k in range(3600)), sensor=f"cpu#{n}") for n in range(8)]
    for number in range(20):
        write_conditions(folder, f"a/r{number}", during(*told))
    compact_all(folder)
    assert (folder / "series" / "conditions.parquet").stat().st_size < 20 * 20_000


@pytest.mark.parametrize("damage", [b"", b"PAR1" * 9])
def test_a_damaged_file_is_named_and_costs_no_other_and_no_inference(folder: Path, damage: bytes) -> None:
    journal = create(folder, Manifest())
    for trial in ("a/r1", "a/r2"):
        journal.append(outcome(trial, during(series(41.0))))
    bad = folder / "series" / "conditions" / "a__r1.parquet"
    bad.write_bytes(damage)
    journal.end()
    journal.close()
    with pytest.raises(InputError, match=r"a__r1\.parquet: cannot be read") as told:
        read_conditions(folder, {"a/r2": BEGAN})
    assert "delete it" in str(told.value.remedy)
    bad.unlink()
    assert read_conditions(folder, {"a/r2": BEGAN}).keys() == {"a/r2"}
    assert read_series(folder).keys() == {"a/r1", "a/r2"}


def test_a_run_shows_them_as_a_frame_when_it_is_asked_for(folder: Path) -> None:
    journal = create(folder, Manifest())
    told = during(series(41.0, 78.5), series(1.0, quantity="throttled", sensor="thermal status severe"))
    journal.append(outcome("pixel8/net.int8/gpu/t1/r1", told))
    journal.append(outcome("pixel8/net.int8/gpu/t1/r2", DuringConditions(looks=1)))
    journal.close()
    run = load(folder)
    frame = run.conditions
    assert frame[["quantity", "sensor", "second", "value"]].values.tolist() == [
        ["temperature", "cpu#0", 0.0, 41.0],
        ["temperature", "cpu#0", 1.0, 78.5],
        ["throttled", "thermal status severe", 0.0, 1.0],
    ]
    assert set(frame["trial"]) == {"pixel8/net.int8/gpu/t1/r1"}
    assert set(frame["device"]) == {"pixel8"}
    assert [at.isoformat(timespec="milliseconds") for at in frame["at"][:2]] == [
        BEGAN,
        BEGAN.replace("00.000", "01.000"),
    ]
    (spoilt,) = (folder / "series" / "conditions").iterdir()
    spoilt.write_bytes(b"x")
    assert len(load(folder).trials) == 2  # which does not read them
    with pytest.raises(InputError):
        _ = load(folder).conditions
