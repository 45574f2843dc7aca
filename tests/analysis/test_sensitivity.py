"""Which change a plan can find, by whose noise; and that it is found as often as is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pytest

from benchbench.analysis.familywise import LEVEL_BY_NEED, compare_all
from benchbench.analysis.frames import load
from benchbench.analysis.sensitivity import Sensitivity, expected_rounds, sensitivity
from benchbench.runtimes.tflite.backends import Xnnpack
from benchbench.values.errors import InputError
from benchbench.values.measurement_settings import MeasurementSettings
from tests.calibrate import rounds
from tests.calibrate.worlds import WORLDS
from tests.plans import matrix, planned
from tests.report.builder import launches, outcome, variant, write_run


def told(noise: float | None = None, **measure: Any) -> Sensitivity:
    return sensitivity(planned(matrix(measure=MeasurementSettings(**measure))), noise)


def test_more_rounds_and_less_noise_find_smaller_changes() -> None:
    five, twenty = told(0.03, rounds=5).change, told(0.03, rounds=20).change
    quiet = told(0.01, rounds=5).change
    assert five is not None
    assert twenty is not None
    assert quiet is not None
    assert twenty < five / 2
    assert quiet < five / 2


def test_three_rounds_find_nothing_and_that_is_said() -> None:
    found = told(rounds=3)
    assert (found.change, found.rounds, found.cases) == (None, 3, 8)
    assert "cannot tell any change" in str(found)


def test_without_a_word_on_noise_it_is_assumed_and_that_is_said() -> None:
    assert "assumed" in told().source
    assert told(0.07).source == "stated"


def test_rounds_by_need_are_as_many_as_such_noise_takes() -> None:
    settings = MeasurementSettings(precision=0.02, max_rounds=100)
    assert expected_rounds(settings, 0.001) == 8
    assert expected_rounds(settings, 0.5) == 100
    rng = np.random.default_rng(1)
    level = WORLDS["log-normal, CV 2%"]
    seen = [len(rounds.by_need(level, 0.01, rng)) for _ in range(100)]
    asked = expected_rounds(MeasurementSettings(precision=0.01), 0.02)
    assert np.mean(seen) == pytest.approx(asked, rel=0.25)


def test_the_noise_of_an_earlier_run_is_that_of_the_cases_of_the_plan(tmp_path: Path) -> None:
    quiet, noisy = [10, 10.5, 9.5, 10.2, 9.9], [10, 15, 5, 12, 9]
    run = load(write_run(tmp_path / "run", [*launches(quiet), *launches(noisy, delegate="cpu")]))
    cases = dict(zip(run.cases["delegate"], run.cases["case"], strict=True))
    plan = planned(matrix(measure=MeasurementSettings(rounds=5)))
    known = plan.cases[0].model_copy(update={"device": "pixel8", "variant": variant(), "delegate": Xnnpack()})
    assert known.id == cases["xnnpack"]
    found = sensitivity(replace(plan, cases=(known,)), earlier=run)
    assert found.noise == pytest.approx(stdev(quiet) / fmean(quiet))
    assert found.source == "as in run"
    both = sensitivity(plan, earlier=run).noise
    assert found.noise < both < stdev(noisy) / fmean(noisy)
    with pytest.raises(InputError, match="tell noise"):
        sensitivity(plan, earlier=load(write_run(tmp_path / "failed", [outcome(ms=None, status="failed")])))


def test_what_a_plan_by_need_is_said_to_find_is_found_four_times_in_five() -> None:
    world, rng, hits, cases, repeats = WORLDS["log-normal, CV 2%"], np.random.default_rng(5), 0, 4, 200
    plan = planned(matrix(threads=(1,), measure=MeasurementSettings(precision=0.01)))
    found = sensitivity(plan, 0.02)
    assert (found.cases, found.change is not None) == (cases, True)
    change = found.change or 0
    for repeat in range(repeats):
        pairs = [(rounds.by_need(world, 0.01, rng), rounds.by_need(world, 0.01, rng)) for _ in range(cases)]
        pairs[0] = pairs[0][0], [time * (1 + change) for time in pairs[0][1]]
        hits += compare_all(pairs, level=LEVEL_BY_NEED, seed=repeat)[0].verdict == "slower"
    assert 0.7 <= hits / repeats <= 0.9
