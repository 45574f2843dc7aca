"""How long every inference took, in series/: a small file a trial while a run goes on, one of all when it has ended.

A launch of up to WHOLE inferences keeps the time of each. A longer one keeps the first and the last EDGE, a random
choice of CHOICE between them, and the number of all of them by bins: each is half a percent wide, so that a quantile is
at most a quarter of a percent off. So a launch takes 2 to 3 kB, however long it was.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbench.run_folder.names import file_name
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Whole = npt.NDArray[np.int64]

FOLDER, ALL = "series", "inferences.parquet"
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
        """The time that such a share of the inferences took at most; of a long launch within 0.25 %."""
        import numpy as np

        if not len(self.bin):
            return float(np.quantile(self.time_ns, share, method="lower"))
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
    import pyarrow as pa

    place = run / FOLDER
    place.mkdir(exist_ok=True)
    columns = {name: [getattr(series, name)] for name in Series.__slots__}
    _write(place / file_name(series.trial, ".parquet"), pa.table(columns, _schema()))


def read_series(run: Path) -> dict[str, Series]:
    """The series of a run by trial. Raises InputError, naming the file and the remedy, for one that is damaged."""
    found: dict[str, Series] = {}
    for path in (run / FOLDER / ALL, *_single(run)):  # one of its own is newer
        if path.exists():
            found |= {series.trial: series for series in _rows(path, _table(path))}
    return found


def compact_series(run: Path) -> None:
    """One file instead of many. A file that cannot be read stays as it is, for `read_series` to name.

    Ended at any point this can be done again: the one file is whole before the others go.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = {}
    for path in _single(run):
        with suppress(InputError):
            tables[path] = _table(path)
    if not tables:
        return
    together, whole = pa.concat_tables(tables.values()), run / FOLDER / ALL
    if whole.exists():
        try:
            older = _table(whole)
        except InputError:
            return
        newer = pc.is_in(older["trial"], value_set=together["trial"].combine_chunks())
        together = pa.concat_tables([older.filter(pc.invert(newer)), together])
    _write(whole, together.combine_chunks())
    for path in tables:
        path.unlink()


def _single(run: Path) -> list[Path]:
    return sorted(path for path in (run / FOLDER).glob("*.parquet") if path.name != ALL)


def _schema() -> Any:
    import pyarrow as pa

    lists = dict.fromkeys(("number", "time_ns", "bin", "bin_count"), pa.list_(pa.int64()))
    return pa.schema({"trial": pa.string(), "inferences": pa.int64()} | lists)


def _write(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq

    # Without what Arrow would add to each file, which is more than a launch.
    small = {"use_dictionary": False, "write_statistics": False, "store_schema": False, "compression": "zstd"}
    with atomic(path) as file:
        pq.write_table(table, file, **small)


def _table(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read(use_threads=False).select(Series.__slots__).cast(_schema())
    except (pa.ArrowException, KeyError, OSError) as error:
        raise _damaged(path, " ".join(str(error).split())[:200]) from error


def _rows(path: Path, table: Any) -> Iterator[Series]:
    for trial, inferences, *lists in zip(*(table[name] for name in Series.__slots__), strict=True):
        number, time_ns, bins, counts = (one.values.to_numpy() for one in lists)
        series = Series(trial.as_py(), inferences.as_py(), number, time_ns, bins, counts)
        told = counts.sum() if len(bins) else len(number)
        if len(number) != len(time_ns) or len(bins) != len(counts) or told != series.inferences:
            raise _damaged(path, f"the times of {series.trial} are not what they are said to be")
        yield series


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"{path}: cannot be read: {why}", remedy="delete it: it has times of single inferences, no more")
