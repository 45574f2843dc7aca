"""Many groups at once have the medians and intervals that each has alone."""

from __future__ import annotations

from statistics import median

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.intervals import median_interval
from benchbench.analysis.medians import grouped_medians


def test_every_group_has_the_median_and_interval_that_it_has_alone() -> None:
    rng = np.random.default_rng(5)
    groups = {f"case{n}": rng.lognormal(1, 0.1, n).tolist() for n in (1, 2, 3, 5, 6, 7, 10, 31)}
    rows = [(name, "pixel8", value) for name, values in groups.items() for value in values]
    shuffled = pd.DataFrame(rows, columns=["case", "device", "ms"]).sample(frac=1, random_state=3)
    frame = pd.concat([shuffled, pd.DataFrame([("case1", "pixel8", np.nan)], columns=shuffled.columns)])
    found = grouped_medians(frame, ["case", "device"], "ms").set_index("case")
    assert len(found) == len(groups)
    for name, values in groups.items():
        row = found.loc[name]
        assert row["launches"] == len(values)
        assert row["median"] == pytest.approx(median(values))
        alone = median_interval(values)
        ends = (np.nan, np.nan) if alone is None else tuple(alone)
        assert (row["low"], row["high"]) == pytest.approx(ends, nan_ok=True)


def test_nothing_has_no_group() -> None:
    empty = pd.DataFrame({"case": pd.Series(dtype="str"), "ms": pd.Series(dtype="float64")})
    assert len(grouped_medians(empty, ["case"], "ms")) == 0
