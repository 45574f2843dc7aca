"""Many cases compared at once: what is found, what is not, and how often that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchbench.analysis.familywise import Pair, compare_all, detectable_change, power_of
from tests.calibrate import launches as simulated
from tests.calibrate.worlds import TYPICAL, TYPICAL_CV, WORLDS

REPEATS = 400  # of short simulations
AT_MOST = 0.05 + 3 * (0.05 * 0.95 / REPEATS) ** 0.5  # three standard errors above 5 %


def _pairs(changes: list[float], n: int, *, cv: float = 0.02, seed: int = 1) -> list[Pair]:
    rng = np.random.default_rng(seed)
    return [
        (list(np.exp(rng.normal(0, cv, n))), list((1 + change) * np.exp(rng.normal(0, cv, n)))) for change in changes
    ]


def test_changed_cases_are_found_among_unchanged_ones_at_the_default_rounds() -> None:
    changes = [0.3, -0.3, *[0.0] * 26]
    verdicts = [ratio.verdict for ratio in compare_all(_pairs(changes, 5))]
    assert verdicts[:2] == ["slower", "faster"]
    assert {"slower", "faster"}.isdisjoint(verdicts[2:])


def test_a_change_of_every_case_is_found_in_every_case() -> None:
    assert {ratio.verdict for ratio in compare_all(_pairs([0.3] * 28, 7))} == {"slower"}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_up_to_three_launches_a_side_give_no_verdict(n: int) -> None:
    found = compare_all(_pairs([3.0] * 4, n))
    assert {ratio.verdict for ratio in found} == {"cannot tell"}
    assert {ratio.interval for ratio in found} == {None}


def test_cases_without_launches_leave_the_others_their_verdict() -> None:
    found = compare_all([([], [1.0]), *_pairs([0.5], 6), ([0.0] * 5, [1.0] * 5)])
    assert [ratio.verdict for ratio in found] == ["cannot tell", "slower", "cannot tell"]


def test_launches_that_do_not_differ_at_all_are_the_same() -> None:
    assert [ratio.verdict for ratio in compare_all([([2.0] * 5, [2.0] * 5)] * 3)] == ["same"] * 3


def test_a_case_quiet_by_chance_borrows_spread_from_the_others() -> None:
    """Five launches that agree to a ten-thousandth, and differ by 1 %, among cases that spread by 5 %."""
    quiet = ([1.0, 1.0001, 1.0, 0.9999, 1.0], [1.01, 1.0101, 1.01, 1.0099, 1.01])
    found = compare_all([quiet, *_pairs([0.0] * 27, 5, cv=0.05)], same_within=0)
    assert found[0].verdict == "cannot tell"


def test_a_smaller_change_needs_more_rounds_and_that_is_said() -> None:
    few, many = _pairs([0.05, *[0.0] * 9], 5, cv=0.05, seed=2), _pairs([0.05, *[0.0] * 9], 60, cv=0.05, seed=2)
    assert compare_all(few)[0].verdict == "cannot tell"
    assert compare_all(many)[0].verdict == "slower"
    told_few, told_many = power_of(few), power_of(many)
    assert told_few.detectable is not None
    assert told_many.detectable is not None
    assert told_few.detectable > 0.05 > told_many.detectable
    assert (told_few.more_rounds[0] or 0) > 3


def test_what_is_called_detectable_is_found_four_times_in_five() -> None:
    change = detectable_change(TYPICAL_CV, 10, 28)
    share = simulated.power(change, 28, 10, REPEATS, seed=3)
    assert 0.7 <= share <= 0.9


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("launches", [5, 10])
def test_at_most_one_comparison_in_twenty_has_a_false_verdict(world: str, launches: int) -> None:
    found = simulated.false_verdicts(WORLDS[world], 12, (launches, launches), REPEATS, seed=11)
    assert found.wrong <= AT_MOST


@pytest.mark.parametrize(("sizes", "at_most"), [((5, 10), 0.05), ((5, 5), 0.08)])
def test_launches_of_one_side_that_spread_more_are_seldom_taken_for_changed(
    sizes: tuple[int, int], at_most: float
) -> None:
    """Twice as much, as on a busier day; where that side has half the launches of the other it is 17 %."""
    found = simulated.false_verdicts(TYPICAL, 5, sizes, REPEATS, seed=12, widened=2)
    assert found.wrong <= at_most + 3 * (at_most * (1 - at_most) / REPEATS) ** 0.5


def test_the_p_of_few_launches_is_counted_over_all_deals_of_them() -> None:
    """Of 252 ways to deal ten launches to two sides, two part them so: this one, and its mirror."""
    apart: Pair = ([1.0, 1.01, 1.02, 1.03, 1.04], [2.0, 2.01, 2.02, 2.03, 2.04])
    (alone,) = compare_all([apart], seed=1)
    assert alone.p == pytest.approx(2 / 252)
    two = compare_all([apart, apart], seed=2)
    assert [ratio.p for ratio in two] == pytest.approx([1 - (1 - 2 / 252) ** 2] * 2)
    assert compare_all([apart, *_pairs([0.02] * 9, 5)], seed=3) == compare_all([apart, *_pairs([0.02] * 9, 5)], seed=4)


def test_drawn_deals_hold_the_one_that_was() -> None:
    """Twenty launches have 184,756 deals: of 2,000 drawn hardly one parts them as well as they are parted."""
    (found,) = compare_all(_pairs([0.5], 10))
    assert found.p == pytest.approx(1 / 2000)


def test_no_change_within_the_threshold_is_called_detectable() -> None:
    change = detectable_change(0.001, 10, 5)
    assert 0.03 < change < 0.04
    assert detectable_change(0.001, 10, 5, same_within=0.01) < 0.015
    share = simulated.power(change, 5, 10, REPEATS, seed=5, draw=lambda rng, n: rng.normal(0, 0.001, n))
    assert 0.7 <= share <= 0.9


def test_rounds_that_would_tell_that_nothing_changed_are_told_too() -> None:
    wide = _pairs([0.0] * 5, 5, cv=0.03, seed=3)
    places = [place for place, ratio in enumerate(compare_all(wide)) if ratio.verdict == "cannot tell"]
    advice = [power_of(wide).more_rounds[place] for place in places]
    assert all(more is not None and 3 <= more <= 60 for more in advice[:3])
    assert advice[3] is None  # its ratio is nearly the threshold
    longer = [([*base] * 6, [*new] * 6) for base, new in wide]
    assert compare_all(longer)[1].verdict == "same"


def test_random_order_keeps_drift_out_of_the_comparison_of_cases() -> None:
    assert simulated.drift_bias("random") < simulated.drift_bias("fixed") / 3
