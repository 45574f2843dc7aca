"""Several base runs: a change must stand out from what runs of the same thing differ by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.compare import compare
from benchbench.analysis.comparison_text import in_short
from benchbench.analysis.drift import compare_runs
from benchbench.analysis.frames import Run, load
from benchbench.values.errors import InputError
from tests.report.builder import launches, write_run


def run(folder: Path, level_ms: float, **more: object) -> Run:
    """Six launches within 1 % of a level."""
    times = [level_ms * factor for factor in (1.0, 1.004, 0.996, 1.002, 0.998, 1.0)]
    return load(write_run(folder, launches(times, delegate="gpu", **more)))


def compared(tmp_path: Path, bases: list[float], new: float) -> pd.DataFrame:
    runs = [run(tmp_path / f"base{k}", level) for k, level in enumerate(bases)]
    return compare(runs, run(tmp_path / "new", new))


def test_what_one_base_run_calls_slower_is_within_the_drift_of_several(tmp_path: Path) -> None:
    drifting = [10.0, 10.6, 9.5, 10.3, 9.8]
    alone = compare(run(tmp_path / "alone", 10.0), run(tmp_path / "now", 10.6))
    assert alone["verdict"].tolist() == ["slower"]
    assert "one base run does not tell" in in_short(alone, {})
    several = compared(tmp_path, drifting, 10.6)
    assert several["verdict"].tolist() == ["cannot tell"]
    assert "the spread of the runs is wider" in several["why"].iloc[0]
    assert several["base_ms"].tolist() == [10.0]
    assert several.attrs["bases"] == 5
    assert 0.05 < several.attrs["detectable"] < 0.5
    assert "would have been found" in in_short(several, {})
    assert "one base run" not in in_short(several, {})


def test_a_change_beyond_the_drift_is_found(tmp_path: Path) -> None:
    frame = compared(tmp_path, [10.0, 10.1, 9.9, 10.05], 12.0)
    assert frame["verdict"].tolist() == ["slower"]
    assert frame["ratio_low"].iloc[0] < frame["ratio"].iloc[0] < frame["ratio_high"].iloc[0]
    assert frame["ratio"].iloc[0] == pytest.approx(12 / 10.01, rel=0.01)


def test_two_base_runs_are_refused_and_a_base_that_ran_elsewhere_is_not_compared(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two base runs"):
        compared(tmp_path, [10.0, 10.0], 10.0)
    bases = [run(tmp_path / f"b{k}", 10.0) for k in range(2)] + [run(tmp_path / "b2", 10.0)]
    elsewhere = run(tmp_path / "b3", 10.0, verdict="none")
    frame = compare([elsewhere, *bases], run(tmp_path / "n", 20.0))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert "not every base run" in frame["why"].iloc[0]


@pytest.mark.parametrize(("common", "own"), [(0.0, 0.02), (0.02, 0.005), (0.03, 0.03)])
def test_whole_comparisons_with_a_false_verdict_are_rare(common: float, own: float) -> None:
    """Drift that all cases of a device share, and drift of each; 5 % of 150 are 7.5: 15 come once in 100 such tests."""
    random = np.random.default_rng(1)
    devices = [f"d{case % 2}" for case in range(12)]
    places = np.array([case % 2 for case in range(12)])
    false = 0
    for _ in range(150):
        shared = random.normal(0, common, (5, 2))[:, places]
        runs = 10 * np.exp(shared + random.normal(0, own, (5, 12)))
        found = compare_runs(runs[:4], runs[4], devices, same_within=0.0)
        false += any(ratio.verdict in {"faster", "slower"} for ratio in found)
    assert false < 15


def test_cases_that_scatter_widely_hide_no_change_of_a_steady_one() -> None:
    """As cases of more threads than free cores do, on a device whose others repeat to a thousandth."""
    random = np.random.default_rng(11)
    spread = np.array([0.002] * 14 + [0.5] * 12)
    bases = np.exp(random.normal(0, spread, (6, 26)))
    new = np.exp(random.normal(0, spread))
    new[0] *= 1.1
    found = compare_runs(bases, new, ["host"] * 26)
    assert [one.verdict for one in found[:14]] == ["slower"] + ["same"] * 13
    assert {one.verdict for one in found[14:]} == {"cannot tell"}
    assert all(one.interval is not None and one.interval.high / one.interval.low < 1.04 for one in found[:14])
