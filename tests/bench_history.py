"""`make bench`: `history` over 300 run folders of 100 cases, one of which is 5 % slower from run 200 on.

The folders hold what a report leaves in them. Runs differ by 1 % (heavy-tailed: Student's t with four degrees of
freedom), launches within a run by 2 %. The command is timed whole, from its start to its end.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchbench.analysis.frames import load
from tests.costs import COMMAND, cost_of
from tests.report.builder import launches, write_run

RUNS, CASES, LAUNCHES = 300, 100, 5
CHANGED, SINCE, BY = 17, 200, 1.05
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def write_runs(reports: Path) -> None:
    """A run folder a day, all of the same trials, at other times."""
    outcomes = [o for case in range(CASES) for o in launches([10.0] * LAUNCHES, delegate="cpu", device=f"phone{case}")]
    write_run(reports / "template", outcomes)
    trials = load(reports / "template").trials
    text = (reports / "template" / "outcomes.jsonl").read_bytes()
    cases = trials["device"].str.removeprefix("phone").astype(int).to_numpy()
    random = np.random.default_rng(7)
    for run in range(RUNS):
        levels = np.log(10.0) + random.standard_t(4, CASES) * 0.01
        levels[CHANGED] += np.log(BY) if run >= SINCE else 0
        times = np.exp(levels[cases] + random.normal(0, 0.02, len(trials)))
        started = (FIRST + timedelta(days=run)).isoformat(timespec="milliseconds")
        folder = reports / f"run{run:03}"
        folder.mkdir()
        (folder / "outcomes.jsonl").write_bytes(text)
        own = trials.assign(run=f"{run:016x}", typical_ms=times, started=started)
        own.to_parquet(folder / "results.parquet", index=False)
    for path in sorted((reports / "template").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (reports / "template").rmdir()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        reports = Path(folder)
        write_runs(reports)
        told = json.loads(cost_of([COMMAND, "history", reports, "--json"]).said)
        cost = cost_of([COMMAND, "history", reports])
    found = [(change["case"], change["folder"], round(change["ratio"], 3)) for change in told["changes"]]
    print(f"history    {RUNS} runs of {CASES} cases: {cost} on {os.cpu_count()} cores")
    print(f"           a step of {BY - 1:.0%} at run{SINCE}: found {found}")
    right = len(found) == 1 and f"phone{CHANGED}/" in found[0][0]
    if not right or abs(int(found[0][1].removeprefix("run")) - SINCE) > 5:
        sys.exit("that is not what changed")


if __name__ == "__main__":
    main()
