from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from benchbench.accuracy.metrics import Flags, classify, packed, paired, unpacked, wilson


def test_top1_top5_confusion_and_recall_are_counted() -> None:
    scores = np.eye(6, dtype=np.float32)[[0, 1, 2, 2]] + np.linspace(0.05, 0, 6, dtype=np.float32)
    found = classify(scores, np.array([0, 1, 2, 5]))
    assert (found.n, found.top1, found.top5) == (4, 0.75, 0.75)
    assert found.correct.tolist() == [True, True, True, False]
    assert found.confusion[5].tolist() == [0, 0, 1, 0, 0, 0]
    assert found.recall[[0, 1, 2, 5]].tolist() == [1, 1, 1, 0]
    assert np.isnan(found.recall[3])


def test_equal_scores_go_to_the_lower_class_as_argmax_has_it() -> None:
    scores = np.random.default_rng(0).integers(0, 3, (500, 8)).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, 8, 500)
    found = classify(scores, labels)
    assert np.array_equal(found.correct, scores.argmax(axis=1) == labels)
    by_sorting = np.argsort(-scores, axis=1, kind="stable")[:, :5]
    assert found.top5 == np.mean([label in best for label, best in zip(labels, by_sorting, strict=True)])


def test_a_sample_with_nan_scores_is_wrong_and_in_no_column() -> None:
    scores = np.array([[np.nan, 0, 0], [1, 0, 0]], np.float32)
    found = classify(scores, np.array([0, 0]))
    assert found.top1 == 0.5
    assert found.confusion.sum() == 1
    assert found.recall[0] == 0.5


def test_there_is_no_top5_among_five_classes() -> None:
    assert classify(np.eye(5, dtype=np.float32), np.arange(5)).top5 is None


@pytest.mark.parametrize(("found", "n"), [(0, 10), (7, 10), (10, 10), (1837, 2000), (1, 1)])
def test_wilsons_interval_is_scipys(found: int, n: int) -> None:
    expected = binomtest(found, n).proportion_ci(method="wilson")
    assert wilson(found, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def flags(both: int, lost: int, won: int, neither: int) -> tuple[Flags, Flags]:
    base = np.repeat([True, True, False, False], [both, lost, won, neither])
    new = np.repeat([True, False, True, False], [both, lost, won, neither])
    return base, new


def test_the_interval_of_a_change_is_the_published_example() -> None:
    # Newcombe 1998, table III, method 10 for 36, 12, 2, 0: a difference of 0.2 [0.0569, 0.3404]
    base, new = flags(36, 2, 12, 0)
    change = paired(base, new)
    assert (change.points, change.lost, change.won, change.n) == (20.0, 2, 12, 50)
    assert (change.low, change.high) == pytest.approx((5.69, 34.04), abs=0.01)


def test_mcnemars_p_is_the_exact_binomial() -> None:
    assert paired(*flags(80, 2, 12, 6)).p == pytest.approx(binomtest(2, 14, 0.5).pvalue)


def test_two_that_never_differ_still_leave_room_for_a_small_change() -> None:
    change = paired(*flags(91, 0, 0, 9))
    assert (change.points, change.p) == (0.0, 1.0)
    assert -5 < change.low < 0 < change.high < 5


def test_the_interval_of_a_change_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    shares = np.array([0.85, 0.05, 0.03, 0.07])  # the true change is -2 points
    hits = 0
    for counts in rng.multinomial(400, shares, size=400):
        change = paired(*flags(*counts))
        hits += change.low <= -2 <= change.high
    assert hits / 400 >= 0.92


def test_different_samples_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="the same samples"):
        paired(np.array([True]), np.array([True, False]))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 2001])
def test_right_and_wrong_survive_the_journal(n: int) -> None:
    correct = np.random.default_rng(n).random(n) < 0.9
    assert np.array_equal(unpacked(packed(correct), n), correct)


def test_digits_for_another_number_of_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="do not hold 100 samples"):
        unpacked("ff", 100)
