"""`Run.plot`: what stands on the Axes is what the frames say."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from benchbench.analysis.frames import Run, load
from benchbench.values.errors import InputError, NothingToDo
from tests.report.builder import conditions, launches, outcome, variant, write_run

matplotlib.use("Agg")
FAST, SLOW = [10.0, 10.4, 9.8, 10.1, 10.2, 9.9, 10.3], [60.5, 60.0, 61.0, 63.0, 60.2, 60.1, 60.9]


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    pyplot.close("all")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two delegates that did as asked, one that fell back, and one that failed."""
    failed = outcome(delegate="gpu", model=variant(scheme="int4"), ms=None, status="failed", error="it crashed")
    outcomes = [
        *launches(FAST, delegate="xnnpack"),
        *launches(SLOW, delegate="cpu"),
        *launches([30.0, 31.0, 30.5], delegate="gpu", model=variant(scheme="int16x8"), verdict="none"),
        failed,
    ]
    return load(write_run(tmp_path, outcomes, variants=[variant(scheme=s) for s in ("float32", "int16x8", "int4")]))


def labels(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def dots(ax: Axes, label: str) -> list[tuple[float, int]]:
    """Where the marks of this name are: value and row."""
    (line,) = (line for line in ax.lines if line.get_label() == label)
    return points(line)


def points(line: Line2D) -> list[tuple[float, int]]:
    return [(float(x), int(y)) for x, y in np.asarray(line.get_xydata())]


def bars(ax: Axes) -> dict[int, tuple[float, float]]:
    """The ends of each bar, by row."""
    found = [one for one in ax.collections if isinstance(one, LineCollection)]
    ends = [[tuple(map(float, end)) for end in segment] for one in found for segment in one.get_segments()]
    return {int(low[1]): (low[0], high[0]) for low, high in ends}


def test_the_dots_are_the_launches_and_a_bar_is_the_interval_of_its_case(run: Run) -> None:
    ax = run.plot()
    rows = run.cases.set_index("delegate")
    assert labels(ax)[:2] == ["float32 · cpu", "float32 · xnnpack"]
    assert sorted(dots(ax, "xnnpack")) == [(ms, 1) for ms in sorted(FAST)]
    assert sorted(dots(ax, "cpu")) == [(ms, 0) for ms in sorted(SLOW)]
    found = bars(ax)
    for place, delegate in enumerate(("cpu", "xnnpack")):
        row = rows.loc[delegate]
        assert found[place] == pytest.approx((row["low_ms"], row["high_ms"]))
    strokes = {place: ms for line in ax.lines if line.get_marker() == "|" for ms, place in points(line)}
    assert (strokes[0], strokes[1]) == (rows.loc["cpu", "median_ms"], rows.loc["xnnpack", "median_ms"])
    assert ax.get_xlabel().startswith("latency, ms")
    assert ax.get_xlim()[0] == 0
    pyplot.gcf().draw_without_rendering()  # which lays it out
    edges = ax.get_tightbbox()
    assert edges is not None
    assert edges.x0 >= 0
    assert edges.x1 <= ax.figure.bbox.width  # no word runs past the edge
    assert "plot" in dir(run)


def test_a_row_says_what_ran_where_that_is_not_what_was_asked_for(run: Run) -> None:
    ax = run.plot()
    fell_back, crashed = labels(ax)[2:]
    assert fell_back == "int16x8 · gpu\nnot on gpu: xnnpack (gpu took nothing)"
    assert crashed == "int4 · gpu\nfailed"
    assert {place for _, place in dots(ax, "gpu")} == {2}


def test_any_quantity_of_some_cases_is_drawn_where_the_user_says(run: Run) -> None:
    _, mine = pyplot.subplots()
    chosen = run.cases[run.cases["delegate"] == "xnnpack"]
    assert run.plot("rss_peak_mb", cases=chosen, ax=mine) is mine
    assert labels(mine) == ["float32 · xnnpack"]
    told = run.trials.loc[run.trials["case"] == chosen["case"].item(), "rss_peak_mb"]
    assert [mb for mb, _ in dots(mine, "xnnpack")] == list(told)
    assert mine.get_xlabel().startswith("peak RSS (VmHWM), MB")
    assert len(pyplot.get_fignums()) == 1


def test_what_is_no_amount_is_not_drawn_from_zero(run: Run) -> None:
    assert run.plot("temperature_before_c").get_xlim()[0] > 10


def test_a_disturbed_launch_is_a_cross_and_behind_no_median(tmp_path: Path) -> None:
    hot = outcome(round=7, position=7, ms=40.0, after=conditions(44.0, throttled=["throttled"]))
    ax = load(write_run(tmp_path, [*launches(FAST), hot])).plot()
    assert dots(ax, "left out") == [(40.0, 0)]
    assert sorted(dots(ax, "xnnpack")) == [(ms, 0) for ms in sorted(FAST)]
    assert "crosses: left out" in ax.get_xlabel()


def test_devices_stand_together_and_families_do_not(tmp_path: Path) -> None:
    models = [variant(), variant("ssd")]
    found = [one for name in ("pixel8", "rpi5") for model in models for one in launches(FAST, device=name, model=model)]
    run = load(write_run(tmp_path, found, variants=models))
    with pytest.raises(InputError, match="mobilenet_v2, ssd") as error:
        run.plot()
    assert "cases=run.cases[run.cases.family == 'mobilenet_v2']" in error.value.remedy
    ax = run.plot(cases=run.cases[run.cases["family"] == "ssd"])
    assert labels(ax) == ["pixel8 · float32 · xnnpack", "rpi5 · float32 · xnnpack"]
    assert ax.get_title() == "ssd"


def test_what_cannot_be_drawn_is_refused_with_what_can_be(run: Run) -> None:
    with pytest.raises(InputError, match="'energy'") as error:
        run.plot("energy")
    assert {"typical_ms", "rss_peak_mb"} <= set(error.value.remedy.removeprefix("write ").split(", "))
    with pytest.raises(NothingToDo):
        run.plot(cases=run.cases[run.cases["status"] == "failed"])


def test_names_of_others_are_texts_and_no_formulas(tmp_path: Path) -> None:
    model = variant(name="$\\frac{$ \x1b[31m", scheme="int8")
    ax = load(write_run(tmp_path, launches(FAST, model=model), variants=[model])).plot()
    assert labels(ax) == ["$\\frac{$ \\u001b[31m · xnnpack"]
    picture = BytesIO()
    pyplot.savefig(picture)
    assert picture.getvalue().startswith(b"\x89PNG")
