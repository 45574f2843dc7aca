"""Which of two cases seems faster where launches are too few for an interval."""

from __future__ import annotations

import numpy as np
import pytest

from benchbench.analysis.fastest import speed_against
from tests.calibrate.worlds import WORLDS

REPEATS = 1500


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("launches", [1, 2, 3])
def test_few_launches_of_one_speed_hardly_ever_seem_apart(world: str, launches: int) -> None:
    rng, apart = np.random.default_rng(32), 0
    for _ in range(REPEATS):
        base, new = np.exp(WORLDS[world](rng, 2 * launches)).reshape(2, launches).tolist()
        apart += speed_against(base, new, same_within=0)[1] != "cannot tell"
    assert apart / REPEATS <= 0.05 + 3 * (0.05 * 0.95 / REPEATS) ** 0.5


@pytest.mark.parametrize(
    ("base", "new", "verdict"),
    [
        ([10, 10.1, 9.9], [5, 5.1, 4.9], "seems faster"),
        ([10, 10.1, 9.9], [20, 20.1, 19.9], "seems slower"),
        ([10, 10.1, 9.9], [12, 12.1, 11.9], "cannot tell"),
        ([10, 15], [30, 60], "cannot tell"),
        ([10], [1], "cannot tell"),
        ([], [1.0], "cannot tell"),
        ([0.0, 0.0], [1.0, 1.0], "cannot tell"),
    ],
)
def test_few_launches_seem_apart_where_they_differ_more_than_noise(
    base: list[float], new: list[float], verdict: str
) -> None:
    assert speed_against(base, new)[1] == verdict
