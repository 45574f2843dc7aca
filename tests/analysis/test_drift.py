"""Several base runs: a change must stand out from what runs of the same thing differ by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.compare import compare
from benchbench.analysis.comparison_text import as_json, as_markdown, in_short
from benchbench.analysis.drift import compare_runs
from benchbench.analysis.frames import Run, load
from benchbench.values.errors import InputError
from benchbench.values.outcome import Measurement, Outcome, Verdict
from tests.report.builder import delegation, launches, write_run


def run(folder: Path, level_ms: float, **more: object) -> Run:
    """Six launches within 1 % of a level."""
    times = [level_ms * factor for factor in (1.0, 1.004, 0.996, 1.002, 0.998, 1.0)]
    return load(write_run(folder, launches(times, delegate="gpu", **more), id=folder.name))


def compared(tmp_path: Path, bases: list[float], new: float) -> pd.DataFrame:
    runs = [run(tmp_path / f"base{k}", level) for k, level in enumerate(bases)]
    return compare(runs, run(tmp_path / "new", new))


def test_what_one_base_run_calls_slower_is_within_the_drift_of_several(tmp_path: Path) -> None:
    drifting = [10.0, 10.6, 9.5, 10.3, 9.8]
    alone = compare(run(tmp_path / "alone", 10.0), run(tmp_path / "now", 10.6))
    assert alone["verdict"].tolist() == ["slower"]
    assert "one base run does not tell" in in_short(alone, (), {})
    several = compared(tmp_path, drifting, 10.6)
    assert several["verdict"].tolist() == ["cannot tell"]
    assert "the spread of the runs is wider" in several["why"].iloc[0]
    assert several["base_ms"].tolist() == [pytest.approx(float(np.exp(np.log(drifting).mean())))]
    assert several["ratio"].tolist() == [pytest.approx(10.6 / several["base_ms"].iloc[0])]
    assert several.attrs["bases"] == 5
    assert 0.05 < several.attrs["detectable"] < 0.5
    assert "would have been found 4 times in 5" in in_short(several, (), {})
    assert "one base run" not in in_short(several, (), {})


def test_a_change_beyond_the_drift_is_found(tmp_path: Path) -> None:
    frame = compared(tmp_path, [10.0, 10.1, 9.9, 10.05], 12.0)
    assert frame["verdict"].tolist() == ["slower"]
    assert frame["ratio_low"].iloc[0] < frame["ratio"].iloc[0] < frame["ratio_high"].iloc[0]
    assert frame["ratio"].iloc[0] == pytest.approx(12 / 10.01, rel=0.01)


def test_how_many_more_base_runs_may_tell_is_said(tmp_path: Path) -> None:
    """Up to as many as a baseline keeps; rounds more would not tell how runs differ."""
    (row,) = compared(tmp_path, [10.0, 10.6, 9.5], 12.5).to_dict("records")
    assert (row["verdict"], pd.isna(row["more_rounds"]), 1 <= row["more_runs"] <= 7) == ("cannot tell", True, True)
    assert f"about {row['more_runs']} more base run" in row["why"]
    (near,) = compared(tmp_path / "near", [10.0, 10.6, 9.5], 10.6).to_dict("records")
    assert (pd.isna(near["more_runs"]), "may tell" in near["why"]) == (True, False)


def test_two_base_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two base runs"):
        compared(tmp_path, [10.0, 10.0], 10.0)


@pytest.mark.parametrize("place", [0, 3], ids=["the oldest", "the newest"])
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"verdict": "none"}, "base ran on"),
        ({"status": "failed", "error": "boom"}, "no number"),
        ({"tool": "ai-edge-litert 2.2.0"}, "other tool: ai-edge-litert 2.2.0, then ai-edge-litert 2.3.0"),
    ],
    ids=["elsewhere", "failed", "tool"],
)
def test_a_base_run_of_another_thing_is_left_out_and_told_and_the_others_judge(
    tmp_path: Path, how: dict[str, Any], why: str, place: int
) -> None:
    bases = [run(tmp_path / f"b{k}", level) for k, level in enumerate((10.0, 10.05, 9.95))]
    other = [outcome_as(o, **how) for o in bases[0].outcomes]
    bases.insert(place, load(write_run(tmp_path / "other", other, id="other")))
    frame = compare(bases, run(tmp_path / "n", 12.0))
    assert frame["verdict"].tolist() == ["slower"]
    assert frame["base_ms"].tolist() == [pytest.approx(10.0, rel=0.001)]
    (left,) = frame.attrs["bases_left_out"]
    assert (left["run"], left["cases"], why in left["why"]) == ("other", 1, True)
    assert (frame.attrs["bases"], frame.attrs["alone"]) == (4, 0)
    told = as_json(frame, (), {})
    assert (told["bases_left_out"], told["base_runs"][place], told["new_run"]) == ([left], "other", "n")
    assert "base run other left out for 1 case" in as_markdown(frame, (), {})


def outcome_as(o: Outcome, *, tool: str = "", verdict: Verdict | None = None, **more: str) -> Outcome:
    """A launch that went otherwise."""
    found = o.model_copy(update=more)
    if tool:
        found = found.model_copy(update={"measurement": o.measurement.model_copy(update={"tool": tool})})
    if verdict:
        found = found.model_copy(update={"delegation": delegation("gpu", verdict)})
    return found.model_copy(update={"measurement": Measurement()}) if "status" in more else found


def test_a_case_that_too_few_base_runs_have_is_held_against_the_newest_of_them(tmp_path: Path) -> None:
    """Others are held against all; the launches of one run tell more than none, and that is said."""
    more = [launches([5.0, 5.01, 4.99, 5.0, 5.02, 4.98], delegate="cpu")] * 2
    slower = launches([6.0, 6.01, 5.99, 6.0, 6.02, 5.98], delegate="cpu")
    bases = [run(tmp_path / f"b{k}", level) for k, level in enumerate((10.0, 10.05, 9.95))]
    bases[:2] = [
        load(write_run(tmp_path / f"m{k}", [*bases[k].outcomes, *extra], id=f"m{k}")) for k, extra in enumerate(more)
    ]
    new = load(write_run(tmp_path / "n", [*run(tmp_path / "x", 10.0).outcomes, *slower], id="n"))
    frame = compare(bases, new).set_index("delegate")
    assert frame["verdict"].to_dict() == {"gpu": "same", "cpu": "slower"}
    assert (frame.loc["cpu", "base_ms"], frame.attrs["alone"]) == (5.0, 1)
    assert [(left["run"], left["cases"]) for left in frame.attrs["bases_left_out"]] == [("m0", 1), ("b2", 1)]


def test_a_delegate_that_the_newest_base_had_is_lost_though_an_older_had_lost_it(tmp_path: Path) -> None:
    fell_back = [outcome_as(o, verdict="none") for o in run(tmp_path / "a", 10.0).outcomes]
    old, new = (load(write_run(tmp_path / name, fell_back, id=name)) for name in ("old", "new"))
    bases = [old, *(run(tmp_path / f"b{k}", 10.0) for k in range(3))]
    assert compare(bases, new)["verdict"].tolist() == ["lost"]


def test_the_same_run_is_no_second_base_and_none_of_itself(tmp_path: Path) -> None:
    one, other, third, new = (run(tmp_path / name, 10.0) for name in ("a", "b", "c", "n"))
    copy = load(write_run(tmp_path / "copy", list(one.outcomes), id="a"))
    for bases in ([one, other, one], [one, copy], [one, other, copy, third]):
        with pytest.raises(InputError, match="the same run"):
            compare(bases, new)
    with pytest.raises(InputError, match="are the same run"):
        compare([one, other, third], copy)
    assert compare(one, copy)["verdict"].tolist() == ["same"]


def test_cases_judged_in_two_ways_share_the_level(tmp_path: Path) -> None:
    """p is adjusted for all cases: that of a case is larger where others are judged by other base runs."""
    rng = np.random.default_rng(3)
    noise = [launches(10 * np.exp(rng.normal(0, 0.02, 6)), delegate="cpu") for _ in range(2)]
    bases = [run(tmp_path / f"b{k}", level) for k, level in enumerate((10.0, 10.05, 9.95))]
    new = run(tmp_path / "n", 10.2)
    alone = compare(bases, new)["p"].iloc[0]
    bases[2] = load(write_run(tmp_path / "m", [*bases[2].outcomes, *noise[0]], id="m"))
    both = compare(bases, load(write_run(tmp_path / "nm", [*new.outcomes, *noise[1]], id="nm")))
    assert both.set_index("delegate").loc["gpu", "p"] == pytest.approx(min(1, 2 * alone))


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
