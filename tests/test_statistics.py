"""What a handful of launches can say, and what it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from benchbench.statistics import compare, median_interval, ratio_interval, variation


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_fewer_than_three_launches_give_no_interval(values: list[float]) -> None:
    assert median_interval(values) is None
    assert compare(values, values).verdict == "cannot tell"


def test_the_interval_of_five_launches_is_their_range_and_holds_the_median() -> None:
    found = median_interval([10.0, 10.2, 9.9, 10.1, 12.0])
    assert found == (9.9, 12.0)


def test_equal_launches_give_an_interval_without_width() -> None:
    assert median_interval([5.0] * 4) == (5.0, 5.0)


def test_the_same_seed_gives_the_same_interval_and_another_seed_nearly_the_same() -> None:
    values = list(np.random.default_rng(1).normal(10, 1, 30))
    assert median_interval(values, seed=1) == median_interval(values, seed=1)
    one, other = median_interval(values, seed=1), median_interval(values, seed=2)
    assert one is not None
    assert other is not None
    assert one.low == pytest.approx(other.low, rel=0.05)


def test_intervals_cover_the_true_median_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    found = [median_interval(list(rng.lognormal(0, 0.1, 12)), seed=n) for n in range(120)]
    hits = sum(interval is not None and interval.low <= 1.0 <= interval.high for interval in found)
    assert hits >= 106  # 88 % of 120; the nominal 95 % less what small samples cost


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.3, "slower"), (0.7, "faster"), (1.0, "same"), (1.029, "cannot tell")]
)
def test_a_difference_is_told_only_beyond_the_threshold_and_the_spread(factor: float, verdict: str) -> None:
    base = [10.0, 10.04, 9.97, 10.02, 9.99, 10.01]
    assert compare(base, [factor * time for time in base]).verdict == verdict


def test_wide_spread_is_not_called_a_difference() -> None:
    assert compare([10, 14, 9, 12, 16], [11, 13, 10, 15, 17]).verdict == "cannot tell"


def test_three_launches_tell_a_large_difference_but_not_a_small_one() -> None:
    assert compare([10.0, 10.1, 10.2], [20.0, 20.1, 20.2]).verdict == "slower"
    assert compare([10.0, 10.1, 10.2], [10.3, 10.4, 10.5]).verdict == "cannot tell"


def test_faster_one_way_is_slower_the_other_way() -> None:
    base, new = [10.0, 10.1, 9.9, 10.2], [8.0, 8.1, 8.2, 7.9]
    there, back = compare(base, new), compare(new, base)
    assert (there.verdict, back.verdict) == ("faster", "slower")
    assert there.value == pytest.approx(1 / back.value)


def test_noise_alone_is_hardly_ever_called_a_difference() -> None:
    rng = np.random.default_rng(3)
    verdicts = [compare(list(rng.normal(10, 0.5, 5)), list(rng.normal(10, 0.5, 5))).verdict for _ in range(100)]
    assert sum(verdict in {"faster", "slower"} for verdict in verdicts) <= 5


def test_a_ratio_of_nothing_or_of_zero_has_no_interval() -> None:
    assert ratio_interval([], [1.0]) is None
    assert ratio_interval([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]) is None


def test_variation_is_the_sample_deviation_over_the_mean() -> None:
    assert variation([9.0, 11.0]) == pytest.approx(2**0.5 / 10)
    assert variation([9.0]) is None
