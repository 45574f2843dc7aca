"""Runs over time: steps are found where they are, and nothing where there is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.frames import load
from benchbench.analysis.history import change_points, changes, read_history, run_folders
from benchbench.cli.history import chart
from benchbench.cli.main import cli
from benchbench.report.page import write_report
from benchbench.values.errors import InputError
from benchbench.values.outcome import Verdict
from tests.report.builder import conditions, launches, write_run

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def write_history(folder: Path, levels_ms: Sequence[float], falls_back_on: int = 10**9) -> Path:
    """A run folder a level, a day apart, each of one case with three launches, as a run leaves them."""
    random = np.random.default_rng(0)
    for day, level in enumerate(levels_ms):
        times = [level * float(np.exp(random.normal(0, 0.02))) for _ in range(3)]
        started = (FIRST + timedelta(days=day)).isoformat(timespec="milliseconds")
        verdict: Verdict = "none" if day >= falls_back_on else "full"
        found = [o.model_copy(update={"started": started}) for o in launches(times, delegate="gpu", verdict=verdict)]
        write_run(folder / f"run{day:03}", found, id=f"{day:016x}")
    return folder


def history_of(folder: Path, *cases: str) -> pd.DataFrame:
    return read_history(run_folders([folder]), cases)


def test_a_step_is_found_at_its_run_with_what_changed_beside_it(tmp_path: Path) -> None:
    points = history_of(write_history(tmp_path, [10.0] * 20 + [15.0] * 10, falls_back_on=20))
    assert len(points) == 30
    assert points["launches"].tolist() == [3] * 30
    (change,) = changes(points)
    assert change.folder == "run020"
    assert change.started.startswith("2026-01-21")
    assert change.before_ms == pytest.approx(10, rel=0.03)
    assert change.ratio == pytest.approx(1.5, rel=0.03)
    assert change.reasons == (("executor", "gpu", "xnnpack (gpu took nothing)"),)


def test_noise_a_single_bad_night_and_few_runs_are_no_change(tmp_path: Path) -> None:
    night = [10.0] * 14 + [30.0] + [10.0] * 15
    assert changes(history_of(write_history(tmp_path / "a", night))) == ()
    assert changes(history_of(write_history(tmp_path / "b", [10.0] * 4 + [20.0] * 4))) == ()


def test_a_step_of_five_percent_among_a_hundred_cases_and_none_besides() -> None:
    random = np.random.default_rng(3)
    rows = []
    for case in range(100):
        logs = np.log(5.0) + random.standard_t(4, size=300) * 0.01
        if case == 17:
            logs[200:] += np.log(1.05)
        rows.append(
            pd.DataFrame(
                {
                    "run": [f"{run:03}" for run in range(300)],
                    "folder": [f"{run:03}" for run in range(300)],
                    "started": [f"{run:03}" for run in range(300)],
                    "case": f"pixel/net{case}/cpu/t1",
                    "statistic": "median",
                    "latency_ms": np.exp(logs),
                    "executor": "cpu",
                    "tool": "t",
                }
            )
        )
    (change,) = changes(pd.concat(rows, ignore_index=True))
    assert change.case == "pixel/net17/cpu/t1"
    assert abs(int(change.folder) - 200) <= 5
    assert change.ratio == pytest.approx(1.05, abs=0.01)


def test_several_steps_are_told_apart_and_a_constant_series_has_none() -> None:
    random = np.random.default_rng(5)
    logs = np.concatenate([np.full(40, level) for level in (0.0, 0.2, 0.1)]) + random.normal(0, 0.01, 120)
    assert change_points(logs) == pytest.approx((40, 80), abs=2)
    assert change_points(np.zeros(50)) == ()


def test_a_table_that_is_up_to_date_says_the_same_as_the_outcomes(tmp_path: Path) -> None:
    write_history(tmp_path, [10.0])
    from_outcomes = history_of(tmp_path)
    write_report([load(tmp_path / "run000")], tmp_path / "run000")
    (tmp_path / "run000" / "run.json").unlink()  # which the table alone does not need
    pd.testing.assert_frame_equal(from_outcomes, history_of(tmp_path))


def test_throttled_launches_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From run 12 on two of three launches are throttled, and take twice as long."""
    hot = conditions(60, throttled=["throttled"])
    for day in range(24):
        started = (FIRST + timedelta(days=day)).isoformat(timespec="milliseconds")
        found = launches([10.0, 20.0, 20.0] if day >= 12 else [10.0, 10.1, 9.9], delegate="gpu")
        found = [
            o.model_copy(update={"started": started} | ({"after": hot} if day >= 12 and o.round else {})) for o in found
        ]
        write_run(tmp_path / f"run{day:03}", found, id=f"{day:016x}")
    write_report([load(tmp_path / "run020")], tmp_path / "run020")  # of one its table is read
    points = history_of(tmp_path)
    assert changes(points) == ()
    assert (points.attrs["left_out"], points["launches"].tolist()) == (24, [3] * 12 + [1] * 12)
    cli(["history", str(tmp_path)], standalone_mode=False)
    assert "0 changes; without 24 disturbed launches" in " ".join(capsys.readouterr().out.split())
    cli(["history", str(tmp_path), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["left_out"] == 24


def test_a_run_of_disturbed_launches_alone_is_no_point_of_a_case(tmp_path: Path) -> None:
    hot = conditions(60, throttled=["throttled"])
    write_run(tmp_path / "run", [o.model_copy(update={"after": hot}) for o in launches([10.0, 10.0])])
    points = history_of(tmp_path)
    assert (len(points), points.attrs["left_out"], changes(points)) == (0, 2, ())


def test_a_table_of_before_launches_were_called_disturbed_is_not_believed(tmp_path: Path) -> None:
    hot = conditions(60, throttled=["throttled"])
    first, second = launches([10.0, 30.0])
    write_run(tmp_path / "run", [first, second.model_copy(update={"after": hot})])
    write_report([load(tmp_path / "run")], tmp_path / "run")
    table = tmp_path / "run" / "results.parquet"
    pd.read_parquet(table).drop(columns="disturbed").to_parquet(table)
    assert history_of(tmp_path)["latency_ms"].tolist() == [10.0]


def test_a_launch_that_took_no_time_is_no_point(tmp_path: Path) -> None:
    write_run(tmp_path / "run", launches([0.0, -1.0, 10.0]))
    assert history_of(tmp_path)["launches"].tolist() == [1]


def test_launches_on_several_executors_are_never_mixed(tmp_path: Path) -> None:
    taken, fell_back = launches([10.0] * 3, delegate="gpu"), launches([30.0] * 2, delegate="gpu", verdict="none")
    apart = [o.model_copy(update={"round": o.round + 3, "trial": f"{o.trial}-{o.round}"}) for o in fell_back]
    write_run(tmp_path / "run", [*apart, *taken])
    assert history_of(tmp_path)[["latency_ms", "launches", "executor"]].values.tolist() == [[10.0, 3, "gpu"]]


def test_damaged_folders_are_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_history(tmp_path, [10.0] * 4)
    (tmp_path / "run000" / "run.json").unlink()
    (tmp_path / "run001" / "results.parquet").write_bytes(b"garbage")
    pd.DataFrame({"typical_ms": ["fast"]}).to_parquet(tmp_path / "run002" / "results.parquet")
    journal = tmp_path / "run003" / "outcomes.jsonl"
    journal.write_text(journal.read_text() + '{"wall_s": NaN}\n')
    cli(["history", str(tmp_path), "--json"], standalone_mode=False)
    printed = capsys.readouterr()
    assert [point["folder"] for point in json.loads(printed.out)["points"]] == ["run001", "run002", "run003"]
    assert "run000" in printed.err
    for folder in tmp_path.iterdir():
        (folder / "run.json").write_text("{")
    with pytest.raises(InputError, match="run000"):
        history_of(tmp_path)


def test_a_copy_of_a_run_is_a_run_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a/night", "b/night", "copy"):
        write_run(tmp_path / name, launches([10.0] * 3))
    cli(["history", *(str(tmp_path / name) for name in ("a", "b", "copy"))], standalone_mode=False)
    assert "3 runs, 1 case" in capsys.readouterr().out


def test_folders_without_runs_and_globs_without_cases_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no run folder in it"):
        run_folders([tmp_path])
    write_history(tmp_path, [10.0])
    assert [folder.name for folder in run_folders([tmp_path, tmp_path / "run000"])] == ["run000"]
    with pytest.raises(InputError, match="fits no case"):
        history_of(tmp_path, "*/npu/*")


def test_a_chart_shows_a_step_and_keeps_noise_low() -> None:
    assert chart([10.0] * 30 + [20.0] * 30) == "▁" * 20 + "█" * 20
    assert set(chart([10.0, 10.01, 10.02, 10.0])) == {"▁"}
    assert chart([10.0]) == "▁"


def test_the_command_prints_changes_and_charts_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_history(tmp_path, [10.0] * 12 + [20.0] * 12)
    cli(["history", str(tmp_path)], standalone_mode=False)
    said = capsys.readouterr().out
    assert "run012" in said
    assert "▁" * 12 + "█" * 6 in said.replace("▇", "█")
    assert "24 runs, 1 case: 1 change" in said
    cli(["history", str(tmp_path), "--case", "*/gpu/*", "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert [change["folder"] for change in told["changes"]] == ["run012"]
    assert told["changes"][0]["ratio"] == pytest.approx(2, rel=0.05)
    assert len(told["points"]) == 24
