"""Numbers as people read them: never an exponent, never a zero for what is not zero."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.values import formatting


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0.001234, "1.23 µs"),
        (0.0000006, "0.000600 µs"),
        (0.0640, "64.0 µs"),
        (0.99996, "1.00 ms"),
        (4.0, "4.00 ms"),
        (250, "250 ms"),
        (999.6, "1.00 s"),
        (2950.34, "2.95 s"),
        (1234567.0, "1235 s"),
        (0.0, "< 1 µs"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_a_time_has_three_digits_in_the_unit_that_reads_best(ms: float | None, words: str) -> None:
    assert formatting.time(ms) == words


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_no_time_and_no_ratio_has_an_exponent_or_is_zero(value: float) -> None:
    for said in (formatting.time(value), formatting.ratio(value), formatting.number(value)):
        digits = re.match(r"[0-9.]+", said)
        assert digits
        assert float(digits.group()) > 0
        assert "e" not in said


@pytest.mark.parametrize(
    ("value", "words"), [(1.8412, "1.84×"), (123.4, "123×"), (0.95, "0.95×"), (0.00437, "0.0044×"), (1.0, "1.00×")]
)
def test_a_ratio_keeps_two_digits_however_small_it_is(value: float, words: str) -> None:
    assert formatting.ratio(value) == words


def test_a_factor_below_one_is_told_the_other_way_round() -> None:
    assert formatting.factor(3.591, "smaller", "larger") == "3.59× smaller"
    assert formatting.factor(0.625, "smaller", "larger") == "1.60× larger"


def test_an_interval_is_named_by_what_it_covers() -> None:
    assert formatting.interval_name(2) == "no interval"
    assert [formatting.coverage(n) for n in (3, 4, 5)] == [0.75, 0.875, 0.9375]
    assert formatting.interval_name(3) == "range of 3 launches, 75 %"
    assert "range" not in formatting.interval_name(7)
    assert formatting.interval_title([3, 3, 1]) == formatting.interval_name(3)
    assert formatting.interval_title([3, 5]) == "interval"
    assert formatting.intervals_explained([5, 3, 3]) == "range of 3 launches, 75 %; or range of 5 launches, 94 %"


def test_both_ends_of_an_interval_share_a_unit() -> None:
    assert formatting.interval(0.9, 1.25) == "0.900 – 1.25 ms"
    assert formatting.interval(0.0009, 0.00125) == "0.900 – 1.25 µs"
    assert formatting.interval(1.0, math.nan) == "–"


@pytest.mark.parametrize(("n", "words"), [(0, "0 launches"), (1, "1 launch"), (2, "2 launches")])
def test_one_thing_is_no_plural(n: int, words: str) -> None:
    assert formatting.counted(n, "launch", "launches") == words
