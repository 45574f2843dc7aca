"""Rounds by need, races and several base runs: how often they are right, in short simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchbench.analysis.intervals import median_interval
from benchbench.analysis.race import beaten
from benchbench.analysis.stopping import half_width
from tests.calibrate import quantities, rounds
from tests.calibrate.worlds import SMOOTH, WORLDS

REPEATS = 1000  # three standard errors are 2.1 points at 95 %
SLACK = 0.021


@pytest.mark.parametrize("world", WORLDS)
def test_an_interval_covers_as_often_where_the_launches_decided_how_many_there_are(world: str) -> None:
    draw = WORLDS[world]
    covered, spared = rounds.coverage_by_need(draw, 0.7, REPEATS, seed=21)
    assert covered >= 0.93 - SLACK
    assert world not in SMOOTH or covered <= 0.97 + SLACK
    assert world not in SMOOTH or spared > 0.1


def test_without_the_correction_it_would_cover_less() -> None:
    """Seen from the other side: the same launches, stopped where their plain interval is short enough."""
    draw = WORLDS["log-normal, CV 2%"]
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(REPEATS):
        times = np.exp(draw(rng, 60)).tolist()
        for n in range(6, 61):
            low, high = median_interval(times[:n]) or (0, math.inf)
            if (high - low) / 2 <= 0.01 * 0.7:
                break
        hits += low <= 1 <= high
    assert hits / REPEATS < 0.935


@pytest.mark.parametrize("world", ["log-normal, CV 2%", "two modes (3 in 10, 10 % slower)"])
def test_verdicts_over_sides_that_were_measured_by_need_are_hardly_ever_false(world: str) -> None:
    """Two modes: a side may stop while it has seen one of them alone."""
    wrong = rounds.false_verdicts_by_need(WORLDS[world], 1.0, 5, 200, seed=22)
    assert wrong <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5


@pytest.mark.parametrize("world", WORLDS)
def test_a_race_has_a_wrong_winner_at_most_once_in_twenty_and_spares_launches(world: str) -> None:
    draw = WORLDS[world]
    hardest = rounds.races(draw, rounds.as_good_as_allowed(6), 150, seed=23)
    assert hardest.wrong <= 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5
    usual = rounds.races(draw, rounds.spread_out(12), 60, seed=24)
    assert usual.wrong <= 0.05 + 3 * (0.05 * 0.95 / 60) ** 0.5
    assert world == "log-normal, CV 57%" or usual.saved > 0.2


def test_several_base_runs_tell_drift_between_runs_from_a_change_and_one_does_not() -> None:
    draw = WORLDS["log-normal, CV 2%"]
    one, _ = rounds.verdicts_over_runs(draw, 1, 10, 5, 60, seed=25)
    several, _ = rounds.verdicts_over_runs(draw, 5, 10, 5, 100, seed=25)
    _, found = rounds.verdicts_over_runs(draw, 5, 10, 5, 60, seed=25, change=0.3)
    assert one > 0.3
    assert several <= 0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5
    assert found > 0.5


def test_drift_between_base_runs_is_hardly_ever_taken_for_a_worse_initialisation() -> None:
    """Held against the last of them alone, a third of unchanged builds would fail."""
    draw = WORLDS["log-normal, CV 2%"]
    assert quantities.worse_initialisation(draw, 1, 5, 5, 12, seed=28) > 0.1
    assert quantities.worse_initialisation(draw, 4, 5, 5, 25, seed=28) <= 0.05 + 3 * (0.05 * 0.95 / 25) ** 0.5


@pytest.mark.parametrize(("bases", "cases"), [(3, 28), (5, 10)])
def test_what_base_runs_call_detectable_is_found_at_least_four_times_in_five(bases: int, cases: int) -> None:
    share = rounds.detectable_over_runs(WORLDS["log-normal, CV 2%"], bases, cases, 5, 200, seed=27)
    assert 0.8 - 3 * (0.8 * 0.2 / 200) ** 0.5 <= share <= 0.97


def test_base_runs_that_are_advised_mostly_tell() -> None:
    told, advised = rounds.told_after_more_runs(WORLDS["log-normal, CV 2%"], 0.2, 4, 12, 5, 150, seed=29)
    assert (told > 0.8, 0.2 < advised < 1) == (True, True)


def test_what_stops_early_under_drift_is_off_and_by_less_than_the_drift() -> None:
    assert 0.02 < rounds.drift_bias_by_need(repeats=40, seed=26) < 0.15


def test_fewer_than_eight_launches_are_precise_by_chance() -> None:
    assert half_width([10.0] * 7) is None
    assert half_width([10.0] * 8) == 0.0


def test_half_a_width_is_the_longer_of_order_statistics_and_students() -> None:
    """One launch far off is no order statistic of the interval's, but a spread that may come again."""
    times = [10.0, 10.01, 9.99, 10.0, 10.02, 9.98, 10.0, 10.01, 9.99, 15.0]
    low, high = median_interval(times, by_need=True) or (0, 0)
    assert (high - low) / 2 / 10 < 0.01
    assert (half_width(times) or 0) > 0.1


def test_a_race_is_over_for_who_is_always_slower_and_not_for_who_may_be_as_fast() -> None:
    fast = {number: 10 + 0.1 * (number % 3) for number in range(1, 7)}
    slow = {number: time * 1.5 for number, time in fast.items()}
    near = {number: 9.5 + 1.5 * (number % 2) for number in fast}
    assert beaten({"fast": fast, "slow": slow, "near": near}, 3) == {"slow": "fast"}


def test_a_drift_that_all_share_keeps_no_race_open() -> None:
    """Twice as slow by the last round, and 1 % between the two: every round has it alike."""
    drift = {number: 10 * (1 + number / 8) for number in range(1, 9)}
    better = {number: time * (0.99 + 0.001 * (number % 2)) for number, time in drift.items()}
    assert beaten({"drift": drift, "better": better}, 2) == {"drift": "better"}


def test_rounds_that_only_one_of_two_has_say_nothing() -> None:
    fast, slow = dict.fromkeys(range(1, 5), 1.0), dict.fromkeys(range(3, 9), 2.0)
    assert beaten({"fast": fast, "slow": slow}, 2) == {}
