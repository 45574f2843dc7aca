"""Many cases compared at once: what is found, what is not, and how often that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from benchbench.analysis.familywise import Pair, compare_all, detectable_change, power_of
from tests import calibrate

REPEATS = 400  # of short simulations; bounds leave three standard errors


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
    change = detectable_change(calibrate.TYPICAL_CV, 10, 28)
    share = calibrate.power(change, 28, 10, REPEATS // 4, seed=3)
    assert 0.65 <= share <= 0.95


@pytest.mark.parametrize("world", calibrate.WORLDS)
@pytest.mark.parametrize("launches", [5, 10])
def test_at_most_one_comparison_in_twenty_has_a_false_verdict(world: str, launches: int) -> None:
    per_comparison, _ = calibrate.false_verdicts(calibrate.WORLDS[world], 12, launches, REPEATS // 2, seed=11)
    assert per_comparison <= 0.05 + 3 * (0.05 * 0.95 / (REPEATS // 2)) ** 0.5


def test_random_order_keeps_drift_out_of_the_comparison_of_cases() -> None:
    assert calibrate.drift_bias("random") < calibrate.drift_bias("fixed") / 3
