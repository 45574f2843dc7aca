"""What devices went through while trials ran, on the page: looks at sensors, however many, as a line over the run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchbench.analysis.frames import load
from benchbench.report.content import Content
from benchbench.report.during import HOTTEST, SPANS, during_rows
from benchbench.report.results import Results
from benchbench.run_folder.conditions import write_conditions
from benchbench.values.conditions import DuringConditions, SensorSeries
from benchbench.values.outcome import Outcome
from tests.report.builder import outcome, write_run

START = datetime(2026, 11, 28, 12, tzinfo=UTC)


def sampled(number: int, minute: float, **sensors: tuple[float, ...]) -> Outcome:
    """A trial of a minute that begins so long after the first; sensors by `quantity__name`, with a value a second."""
    series = tuple(
        SensorSeries(quantity=what, sensor=name, second=tuple(map(float, range(len(values)))), value=values)
        for (what, _, name), values in ((key.partition("__"), values) for key, values in sensors.items())
    )
    began = (START + timedelta(minutes=minute)).isoformat(timespec="milliseconds")
    return outcome(round=number).model_copy(update={"during": DuringConditions(looks=1, began=began, series=series)})


def results_of(folder: Path, outcomes: list[Outcome]) -> Results:
    write_run(folder, outcomes)
    for one in outcomes:
        if one.during and one.during.series:
            write_conditions(folder, one.trial, one.during)
    return Results([load(folder)])


def test_the_hottest_sensor_and_the_lowest_clock_are_shown_when_they_were_so(tmp_path: Path) -> None:
    told = {"temperature__cpu": (41.0, 62.5), "temperature__gpu": (55.0, 44.0), "clock__policy4": (2850.0, 1200.0)}
    results = results_of(tmp_path, [sampled(1, 0, **told), sampled(2, 10, temperature__cpu=(40.0,))])
    rows = during_rows(results)
    assert [(row["minute"], row["sensor"], row["temperature"]) for row in rows if "temperature" in row] == [
        (0.017, "cpu", 62.5),
        (10.0, "cpu", 40.0),
    ]
    assert [(row["minute"], row["of"], row["clock"]) for row in rows if "clock" in row] == [(0.017, "policy4", 1200.0)]
    assert {(row["place"], row["case"]) for row in rows} == {("pixel8", "pixel8/mobilenet_v2.float32/xnnpack/t1")}
    drawn = {figure.name for figure in Content(results).figures}
    assert {"during-temperature", "during-clock"} <= drawn


def test_a_long_run_has_no_more_rows_than_a_line_needs_and_keeps_its_peak(tmp_path: Path) -> None:
    hot = [40.0] * 600
    hot[299] = 91.0
    trials = [
        sampled(number, 10 * number, temperature__cpu=tuple(hot if number == 3 else hot[:299])) for number in range(9)
    ]
    rows = during_rows(results_of(tmp_path, trials))
    assert len(rows) <= SPANS
    (peak,) = [row for row in rows if row["temperature"] > 40]
    assert (peak["of"], peak["temperature"]) == (HOTTEST, 91.0)
    assert abs(peak["minute"] - (30 + 299 / 60)) < 0.01


def test_where_nothing_was_told_there_is_no_figure(tmp_path: Path) -> None:
    results = results_of(tmp_path, [outcome()])
    assert during_rows(results) == []
    assert not {figure.name for figure in Content(results).figures} & {"during-temperature", "during-clock"}
