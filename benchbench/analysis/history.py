"""The same cases over many runs, and where their latency changed for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchbench.config.globs import fits
from benchbench.values.case import LATENCY
from benchbench.values.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Floats = NDArray[np.float64]
LEAST_RUNS = 5  # on each side of a change: fewer may be one bad night
PENALTY = 8.0  # times log(n), in units of the noise: calibrated so that heavy tails and drift show hardly a change
CLIPPED = 8.0  # a run further from the middle than so many deviations weighs no more than that
LEVEL = 0.01  # of histories in which nothing changed, those with any change, by the test that follows the search
_COLUMNS = (
    "run",
    "device",
    "case",
    "purpose",
    "status",
    "typical_ms",
    "statistic",
    "started",
    "executor",
    "tool",
    "disturbed",
)
_REASONS = ("executor", "tool")


@dataclass(frozen=True, slots=True)
class Change:
    """A step in the history of a case: from the run named `folder` on its latency is another.

    `ratio` is after / before, of the medians of the runs between this change and its neighbours; `reasons` are what
    else is different from that run on: (what, before, after).
    """

    case: str
    statistic: str
    folder: str
    started: str
    before_ms: float
    after_ms: float
    p: float
    reasons: tuple[tuple[str, str, str], ...] = ()

    @property
    def ratio(self) -> float:
        return self.after_ms / self.before_ms


def run_folders(paths: Sequence[str | Path]) -> tuple[Path, ...]:
    """The run folders among these and directly in them; raises InputError where there is none."""
    found = []
    for path in map(Path, paths):
        inside = [path] if _is_run(path) else sorted(p for p in path.glob("*") if p.is_dir() and _is_run(p))
        if not inside:
            raise InputError(f"{path}: has no run folder in it", remedy="give a run folder, or the folder they are in")
        found += inside
    return tuple(dict.fromkeys(found))


def _is_run(folder: Path) -> bool:
    return (folder / "outcomes.jsonl").is_file()


def read_history(folders: Sequence[str | Path], cases: Sequence[str] = ()) -> pd.DataFrame:
    """A row a run and case with launches that went well and were not disturbed, the oldest run first.

    run, folder, started (of its first trial), case, device, statistic, latency_ms (median over launches), launches,
    executor (of launches on several, the commonest, whose launches alone count), tool; `frame.attrs["left_out"]` is how
    many launches were disturbed (throttled, hot, or beside a canary that was off), and `frame.attrs["damage"]` tells of
    folders that cannot be read, which are left out. Raises InputError where nothing was measured or can be read, or no
    case fits a glob of `cases`.
    """
    parts, damage = _parts(folders)
    measured = _launches(parts, cases)
    began, left_out = measured.groupby("folder")["started"].min(), measured["left_out"]
    key = ["run", "folder", "case", "device", "statistic"]
    points = measured[~left_out].groupby([*key, "executor"], as_index=False, dropna=False)
    frame = points.agg(latency_ms=("typical_ms", "median"), launches=("typical_ms", "size"), tool=("tool", "first"))
    frame = frame.sort_values("launches", ascending=False, kind="stable").drop_duplicates(key)
    frame["started"] = frame["folder"].map(began)
    frame = frame.sort_values(["started", "folder", "case"], ignore_index=True)
    frame.attrs |= {"left_out": int(left_out.sum()), "damage": damage}
    return frame


def _parts(folders: Sequence[str | Path]) -> tuple[dict[str, pa.Table], tuple[str, ...]]:
    """The launches of each run that can be read, by its folder's name, or its path where names repeat; and why others
    cannot.
    """
    paths = [Path(folder) for folder in folders]
    names = Counter(path.name for path in paths)
    parts, damage = {}, list[str]()
    for path in paths:
        try:
            parts[path.name if names[path.name] == 1 else str(path)] = _trials_of(path)
        except InputError as error:
            damage.append(error.message)
    if not parts:
        raise InputError("; ".join(damage) or "there is no run")
    return parts, tuple(damage)


def _launches(parts: Mapping[str, pa.Table], cases: Sequence[str]) -> pd.DataFrame:
    """A row a launch of these cases that went well and took some time; `left_out`: it was disturbed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pa.chunked_array([pa.repeat(folder, len(part)) for folder, part in parts.items()])
    trials = pa.concat_tables(parts.values()).append_column("folder", names)
    left_out = pc.not_equal(pc.fill_null(trials["disturbed"], ""), "")
    trials = trials.drop_columns("disturbed").append_column("left_out", left_out)
    took = pc.is_finite(pc.field("typical_ms")) & (pc.field("typical_ms") > 0)
    well = (pc.field("purpose") == LATENCY) & (pc.field("status") == "ok") & took
    measured: pd.DataFrame = trials.filter(well).to_pandas()
    if measured.empty:
        raise InputError("the runs hold no launch that went well")
    if cases:
        taken = [case for case in measured["case"].unique() if any(fits(glob, case) for glob in cases)]
        if not taken:
            raise InputError(f"--case {cases[0]!r} fits no case", remedy=f"cases look like {measured['case'].iloc[0]}")
        measured = measured[measured["case"].isin(taken)]
    return measured


def _trials_of(folder: Path) -> pa.Table:
    """The launches of a run: from its table where that is up to date, else from its outcomes."""
    import pyarrow as pa

    trials = _table(folder)
    if trials is None:
        from benchbench.analysis.frames import load  # takes a second to import

        trials = pa.Table.from_pandas(load(folder).trials[list(_COLUMNS)], preserve_index=False).cast(_schema())
    return trials


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.float64() if name == "typical_ms" else pa.string()) for name in _COLUMNS])


def _table(folder: Path) -> pa.Table | None:
    """The columns from a run's table; None where that is spoilt, or of before its outcomes or a column."""
    import pyarrow as pa
    from pyarrow import parquet

    table, outcomes = folder / "results.parquet", folder / "outcomes.jsonl"
    if not table.is_file() or table.stat().st_mtime < outcomes.stat().st_mtime:
        return None
    try:
        found = parquet.ParquetFile(table).read(columns=list(_COLUMNS), use_threads=False)
        return found.select(_COLUMNS).cast(_schema())
    except (pa.ArrowException, OSError, KeyError):
        return None


def changes(points: pd.DataFrame) -> tuple[Change, ...]:
    """Where latency changed for good, in all cases, the latest first.

    Searched over all partitions with a Gaussian cost, over the logs of latencies in units of their own noise, then each
    tested (Welch) between its neighbours, with Holm's correction over all cases.
    """
    found: list[Change] = []
    for (case, statistic), own in points.groupby(["case", "statistic"]):
        logs = np.log(own["latency_ms"].to_numpy(dtype=float))
        edges = (0, *change_points(logs), len(logs))
        for low, at, high in zip(edges, edges[1:], edges[2:], strict=False):
            before, after = own.iloc[low:at], own.iloc[at:high]
            first = after.iloc[0]
            told = ((what, before.iloc[-1][what], first[what]) for what in _REASONS)
            found.append(
                Change(
                    case=str(case),
                    statistic=str(statistic),
                    folder=first["folder"],
                    started=str(first["started"]),
                    before_ms=float(before["latency_ms"].median()),
                    after_ms=float(after["latency_ms"].median()),
                    p=_p(logs[low:at], logs[at:high]),
                    reasons=tuple((what, str(was), str(now)) for what, was, now in told if str(was) != str(now)),
                )
            )
    return tuple(sorted(_held(found), key=lambda change: (change.started, change.case), reverse=True))


def change_points(values: Floats) -> tuple[int, ...]:
    """The positions from which on a series has another level, in order."""
    if len(values) < 2 * LEAST_RUNS:
        return ()
    steps = np.diff(values)
    # Of neighbours, so that a step of the level is no noise; sqrt(2) since a difference has two of them.
    noise = float(np.median(np.abs(steps - np.median(steps)))) / 0.6745 / np.sqrt(2)
    scaled = (values - np.median(values)) / max(noise, 1e-4)
    scaled = np.clip(scaled, *np.percentile(scaled, (5, 95)) + np.array((-CLIPPED, CLIPPED)))
    return _partition(scaled, PENALTY * np.log(len(values)))


def _partition(values: Floats, penalty: float) -> tuple[int, ...]:
    """Where the segments after the first begin, of the partition with the least squares about the means of its segments
    and `penalty` for each of these: exact, over all partitions (Jackson et al. 2005, "An algorithm for optimal
    partitioning of data on an interval"). By hand: these lines of numpy against one more dependency.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    costs, starts = np.full(len(sums), np.inf), np.zeros(len(sums), np.int64)  # of the best one up to each place
    costs[0] = 0.0
    for end in range(LEAST_RUNS, len(sums)):
        begin = np.arange(end - LEAST_RUNS + 1)
        total = costs[begin] + penalty - (sums[end] - sums[begin]) ** 2 / (end - begin)
        starts[end] = total.argmin()
        costs[end] = total[starts[end]]
    found, at = [], int(starts[-1])
    while at:
        found.append(at)
        at = int(starts[at])
    return tuple(reversed(found))


def _p(before: Floats, after: Floats) -> float:
    """Welch's test of two means (1947), both sides."""
    from scipy.special import stdtr

    before_share, after_share = (side.var(ddof=1) / len(side) for side in (before, after))
    variance = before_share + after_share
    if not variance:
        return 0.0
    freedom = variance**2 / (before_share**2 / (len(before) - 1) + after_share**2 / (len(after) - 1))
    return 2 * float(stdtr(freedom, -abs(after.mean() - before.mean()) / np.sqrt(variance)))


def _held(found: Sequence[Change]) -> tuple[Change, ...]:
    """Those that hold when all are looked at together (Holm 1979)."""
    ordered = sorted(found, key=lambda change: change.p)
    for rank, change in enumerate(ordered):
        if change.p > LEVEL / (len(ordered) - rank):
            return tuple(ordered[:rank])
    return tuple(ordered)
