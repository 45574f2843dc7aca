"""What a classifier gets right, with intervals, and how two classifiers differ on the same samples.

The intervals are by hand: scipy.stats takes 1.5 s of CPU to import, and has none for a paired difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.tensors import Array

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """How many labels were found; shares from 0 to 1, intervals 95 % (Wilson)."""

    n: int
    top1: float
    top1_interval: tuple[float, float]
    top5: float | None  # None with five classes or fewer
    top5_interval: tuple[float, float] | None
    confusion: NDArray[np.int64]  # [classes, classes], row = label, column = answer
    support: NDArray[np.int64]  # [classes], samples with that label
    correct: Flags  # [n]

    @property
    def recall(self) -> NDArray[np.float64]:
        """Per class the share of its samples that was found [classes]; NaN for a class without samples."""
        return np.diag(self.confusion) / np.where(self.support, self.support, np.nan)


@dataclass(frozen=True, slots=True)
class Change:
    """New minus base on the same samples, in percentage points, with a 95 % interval (Newcombe) and McNemar's p."""

    points: float
    low: float
    high: float
    p: float
    lost: int  # samples that only the base gets right
    won: int  # samples that only the new one gets right
    n: int


def classify(scores: Array, labels: NDArray[np.int64]) -> Classification:
    """Top-1 and top-5 of scores [n, classes] against labels [n].

    Of equal scores, which are common with quantized outputs, the lower class wins, as with argmax. A sample with a
    NaN among its scores has no answer: it is wrong, and in no column of the confusion matrix.
    """
    n, classes = scores.shape
    answered = ~np.isnan(scores).any(axis=1)
    own = scores[np.arange(n), labels][:, None]
    before = np.arange(classes) < labels[:, None]
    rank = ((scores > own) | ((scores == own) & before)).sum(axis=1)
    rank[~answered] = classes
    correct = rank == 0
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels[answered], scores[answered].argmax(axis=1)), 1)
    found, near = int(correct.sum()), int((rank < 5).sum())
    several = classes > 5
    return Classification(
        n=n,
        top1=found / n,
        top1_interval=wilson(found, n),
        top5=near / n if several else None,
        top5_interval=wilson(near, n) if several else None,
        confusion=confusion,
        support=np.bincount(labels, minlength=classes),
        correct=correct,
    )


def wilson(found: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval of a share, 95 % (Wilson 1927; Brown, Cai and DasGupta 2001)."""
    share, weight = found / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * (share * (1 - share) / n + weight / (4 * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def paired(base: Flags, new: Flags) -> Change:
    """The change between two variants that were asked the same samples, from which each got right [n].

    Interval: Newcombe 1998 (Statistics in Medicine 17:2635), method 10, which keeps its width where the two hardly
    differ; p: exact McNemar. Raises ValueError for different lengths.
    """
    from scipy.special import bdtr

    if base.shape != new.shape or not base.size:
        raise ValueError(f"a paired comparison needs the same samples, got {base.shape} and {new.shape}")
    n = base.size
    both, neither = int((base & new).sum()), int((~base & ~new).sum())
    lost, won = int((base & ~new).sum()), int((~base & new).sum())
    new_share, base_share = (both + won) / n, (both + lost) / n
    (new_low, new_high), (base_low, base_high) = wilson(both + won, n), wilson(both + lost, n)
    alike = _phi(both, lost, won, neither)
    down, down_other = new_share - new_low, base_high - base_share
    up, up_other = new_high - new_share, base_share - base_low
    change = (won - lost) / n
    low = change - max(0.0, down**2 - 2 * alike * down * down_other + down_other**2) ** 0.5
    high = change + max(0.0, up**2 - 2 * alike * up * up_other + up_other**2) ** 0.5
    p = min(1.0, 2 * float(bdtr(min(lost, won), lost + won, 0.5)))
    return Change(100 * change, 100 * low, 100 * high, p, lost, won, n)


def _phi(both: int, lost: int, won: int, neither: int) -> float:
    """The correlation of the two, continuity-corrected where it is positive, as method 10 wants it."""
    margins = (both + lost) * (won + neither) * (both + won) * (lost + neither)
    if not margins:
        return 0.0
    product = float(both * neither - lost * won)
    if product > 0:
        product = max(product - (both + lost + won + neither) / 2, 0.0)
    return product / math.sqrt(margins)


def packed(correct: Flags) -> str:
    """Which samples were right, as hex digits (first sample = highest bit): small enough for a line of a journal."""
    return np.packbits(correct).tobytes().hex()


def unpacked(digits: str, n: int) -> Flags:
    """The inverse of `packed` for n samples; raises ValueError for other text."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8))
    if not n <= bits.size < n + 8:
        raise ValueError(f"{len(digits)} hex digits do not hold {n} samples")
    return bits[:n].astype(np.bool_)
