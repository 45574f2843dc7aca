"""Bounds of percentiles within a launch, against MLPerf's own figures and against simulated launches."""

import numpy as np
import pytest

from benchbench.modes.tail import bound, discarded, needed


@pytest.mark.parametrize(("n", "beyond"), [(10461, 973), (71508, 6963), (2824, 244)])
def test_as_many_are_discarded_as_mlperfs_load_generator_does(n: int, beyond: int) -> None:
    assert discarded(n, 0.9) == beyond


@pytest.mark.parametrize(("percentile", "least"), [(0.9, 64), (0.99, 662)])
def test_too_few_inferences_give_no_bound(percentile: float, least: int) -> None:
    assert needed(percentile) == least
    assert discarded(least, percentile) == 0
    assert discarded(least - 1, percentile) is None
    assert bound(np.ones(least - 1), percentile) is None
    assert bound(np.array([]), percentile) is None


def test_a_bound_is_rarely_below_the_true_percentile() -> None:
    random = np.random.default_rng(0)
    launches = random.exponential(size=(400, 300))
    true = -np.log(0.1)
    below = sum(bound(launch, 0.9) < true for launch in launches)
    assert below <= 10  # 1 % of 400 are 4; 10 or more happen once in 300 such tests if the bound is right
    assert bound(np.arange(64.0), 0.9) == 63
