"""What a handful of launches can say, and what it cannot."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from benchbench.analysis.intervals import compare, median_interval, ratio_interval, ratio_of, variation
from tests.calibrate import launches as simulated
from tests.calibrate.worlds import SMOOTH, WORLDS

REPEATS = 1500  # of short simulations: three standard errors are 1.7 points at 95 %
SLACK = 0.017


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_fewer_than_three_launches_give_no_interval(values: list[float]) -> None:
    assert median_interval(values) is None
    assert compare(values, values).verdict == "cannot tell"


def test_the_interval_of_five_launches_is_their_range_and_holds_the_median() -> None:
    found = median_interval([10.0, 10.2, 9.9, 10.1, 12.0])
    assert found == (9.9, 12.0)


def test_equal_launches_give_an_interval_without_width() -> None:
    assert median_interval([5.0] * 4) == (5.0, 5.0)
    assert median_interval([5.0] * 9) == (5.0, 5.0)


def test_ten_launches_interpolate_between_the_second_and_third_from_each_end() -> None:
    """By hand: depth 2 covers 0.97852 and depth 3 0.89063, so s = 0.32448 and 8 s / (2 + 6 s) = 0.65766."""
    found = median_interval([float(value) for value in range(1, 11)])
    assert found == pytest.approx((2.65766, 8.34234), abs=1e-4)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("launches", [6, 10, 25])
def test_the_interval_of_a_median_covers_it_as_often_as_it_says(world: str, launches: int) -> None:
    share = simulated.median_coverage(WORLDS[world], launches, REPEATS, seed=5)
    assert 0.93 - SLACK <= share <= 0.97 + SLACK


@pytest.mark.parametrize("launches", [3, 4, 5])
def test_the_range_of_few_launches_covers_the_median_as_often_as_it_says(launches: int) -> None:
    share = simulated.median_coverage(WORLDS["log-normal, CV 10%"], launches, REPEATS, seed=5)
    assert share == pytest.approx(1 - 2.0 ** (1 - launches), abs=0.04)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("sizes", [(5, 5), (5, 10), (12, 12)])
def test_the_interval_of_a_ratio_covers_it_at_least_as_often_as_it_says(world: str, sizes: tuple[int, int]) -> None:
    draw = WORLDS[world]
    share = simulated.ratio_coverage(draw, draw, sizes, REPEATS, seed=6)
    assert share >= 0.93 - SLACK
    assert world not in SMOOTH or share <= 0.97 + SLACK


@pytest.mark.parametrize("sizes", [(5, 5), (5, 10), (10, 5), (20, 20)])
def test_sides_that_spread_differently_are_covered_too(sizes: tuple[int, int]) -> None:
    narrow, wide = SMOOTH["log-normal, CV 2%"], SMOOTH["log-normal, CV 57%"]
    assert simulated.ratio_coverage(narrow, wide, sizes, REPEATS, seed=7) >= 0.93 - SLACK


def test_the_ratio_is_between_the_exact_intervals_of_the_rank_test() -> None:
    """Sorted ratios of 5 and 5 launches: P(U <= 1) = 2/252 and P(U <= 2) = 4/252, so depth 3 covers 96.8 %."""
    base, new = [1.0, 1.1, 1.21, 1.33, 1.46], [2.0, 2.1, 2.25, 2.3, 2.6]
    found = ratio_interval(base, new)
    assert found is not None
    ratios = sorted(n / b for n in new for b in base)
    assert found.low <= ratios[3]
    assert found.high >= ratios[-4]
    assert found.low < ratio_of(base, new) < found.high


def test_the_interval_is_never_shorter_than_welchs() -> None:
    base, new = [1.0, 1.001, 0.999, 1.002, 0.998], [1.1, 1.12, 0.9, 0.95, 1.05]
    welch = stats.ttest_ind(np.log(new), np.log(base), equal_var=False).confidence_interval(0.95)
    found = ratio_interval(base, new)
    assert found is not None
    assert found.low <= math.exp(welch.low) + 1e-12
    assert found.high >= math.exp(welch.high) - 1e-12


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.3, "slower"), (0.7, "faster"), (1.0, "same"), (1.029, "cannot tell")]
)
def test_a_difference_is_told_only_beyond_the_threshold_and_the_spread(factor: float, verdict: str) -> None:
    base = [10.0, 10.04, 9.97, 10.02, 9.99, 10.01]
    assert compare(base, [factor * time for time in base]).verdict == verdict


def test_wide_spread_is_not_called_a_difference() -> None:
    assert compare([10, 14, 9, 12, 16], [11, 13, 10, 15, 17]).verdict == "cannot tell"


def test_three_launches_a_side_have_no_interval_and_no_verdict() -> None:
    found = compare([10.0, 10.1, 10.2], [20.0, 20.1, 20.2])
    assert (found.interval, found.verdict) == (None, "cannot tell")
    assert found.value == pytest.approx(2.0, rel=0.01)


def test_faster_one_way_is_slower_the_other_way() -> None:
    base, new = [10.0, 10.1, 9.9, 10.2], [8.0, 8.1, 8.2, 7.9]
    there, back = compare(base, new), compare(new, base)
    assert (there.verdict, back.verdict) == ("faster", "slower")
    assert there.value == pytest.approx(1 / back.value)


def test_a_ratio_of_nothing_or_of_zero_has_no_interval() -> None:
    assert ratio_interval([], [1.0]) is None
    assert ratio_interval([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]) is None


def test_variation_is_the_sample_deviation_over_the_mean() -> None:
    assert variation([9.0, 11.0]) == pytest.approx(2**0.5 / 10)
    assert variation([9.0]) is None
