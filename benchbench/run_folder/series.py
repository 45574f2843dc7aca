"""How long every inference took, in series/inferences.parquet.

A launch of up to WHOLE inferences keeps the time of each. A longer one keeps the first and the last EDGE, a random
choice of CHOICE between them, and the number of all of them by bins: each is half a percent wide, so that a quantile is
at most a quarter of a percent off. So a launch takes 2 to 3 kB, however long it was.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbench.run_folder.series_files import INFERENCES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Whole = npt.NDArray[np.int64]

EDGE, CHOICE = 100, 300
WHOLE = EDGE + CHOICE + EDGE
BIN = math.log(1.005)  # from a time's logarithm to its bin's number


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The steady inferences of one launch, by their number from 0, and of a long one the counts of all by bins."""

    trial: str
    inferences: int
    number: Whole  # of those whose time is kept
    time_ns: Whole
    bin: Whole  # times from exp(BIN * bin) to exp(BIN * (bin + 1)) ns; none where every time is kept
    bin_count: Whole

    def quantile_ns(self, share: float) -> float:
        """The time that such a share of the inferences took at most; of a long launch within 0.25 %.

        Between two inferences it is interpolated, as the medians of trials are.
        """
        import numpy as np

        if not len(self.bin):
            return float(np.quantile(self.time_ns, share))
        place = np.searchsorted(np.cumsum(self.bin_count), math.floor(share * (self.inferences - 1)), side="right")
        return math.exp(BIN * (self.bin[place] + 0.5))


def series_of(trial: str, times_us: Sequence[float]) -> Series:
    """What is kept of a launch whose steady inferences took so many microseconds."""
    import numpy as np

    times = np.rint(np.asarray(times_us, np.float64) * 1000).astype(np.int64)
    number, nothing = np.arange(len(times)), np.empty(0, np.int64)
    if len(times) <= WHOLE:
        return Series(trial, len(times), number, times, nothing, nothing)
    chance = np.random.default_rng(zlib.crc32(trial.encode()))
    between = np.sort(chance.choice(number[EDGE:-EDGE], CHOICE, replace=False))
    kept = np.concatenate([number[:EDGE], between, number[-EDGE:]])
    bins, counts = np.unique(np.floor(np.log(np.maximum(times, 1)) / BIN).astype(np.int64), return_counts=True)
    return Series(trial, len(times), kept, times[kept], bins, counts)


def write_series(run: Path, series: Series) -> None:
    """On the disk, in a file of its own, when this returns; one of the same trial is replaced."""
    INFERENCES.write(run, series.trial, {name: [getattr(series, name)] for name in INFERENCES.columns})


def read_series(run: Path) -> dict[str, Series]:
    """The series of a run by trial. Raises InputError, naming the file and the remedy, for one that is damaged."""
    found: dict[str, Series] = {}
    for path, table in INFERENCES.tables(run):
        found |= {series.trial: series for series in _rows(path, table)}
    return found


def _rows(path: Path, table: Any) -> Iterator[Series]:
    for trial, inferences, *lists in zip(*(table[name] for name in INFERENCES.columns), strict=True):
        number, time_ns, bins, counts = (one.values.to_numpy() for one in lists)
        series = Series(trial.as_py(), inferences.as_py(), number, time_ns, bins, counts)
        told = counts.sum() if len(bins) else len(number)
        if len(number) != len(time_ns) or len(bins) != len(counts) or told != series.inferences:
            raise INFERENCES.damaged(path, f"the times of {series.trial} are not what they are said to be")
        yield series
