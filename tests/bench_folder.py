"""`make bench`: how large the run folder of 10,000 trials of a quick model is, page and figures included.

The trials and their logs are those that Python's runner left in reports/sample, each with a second's inferences of
60 µs, through the writers that a run uses.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from benchbench.analysis.frames import load
from benchbench.report.page import write_report
from benchbench.run_folder.journal import create, read_outcomes
from benchbench.run_folder.manifest import TrialRecord, read_manifest
from tests.run_folder.test_series import times

SAMPLE = Path(__file__).parents[1] / "reports" / "sample"
TRIALS, INFERENCES = 10_000, 16_667


def write(folder: Path, trials: int = TRIALS) -> None:
    """As many trials, round by round, of the cases that the sample has of Python's runner."""
    done = [o for o in read_outcomes(SAMPLE) if o.timed and o.status == "ok" and o.runner == "python"]
    cases = {outcome.case: outcome for outcome in done}
    kinds = list(cases.values())
    places = [(kinds[number % len(kinds)], number // len(kinds) + 1) for number in range(trials)]
    planned = tuple(
        TrialRecord(id=f"{o.case}/r{turn}", case=o.case, device=o.device, round=turn, position=position)
        for position, (o, turn) in enumerate(places, 1)
    )
    of_sample = read_manifest(SAMPLE)
    kept = tuple(case for case in of_sample.cases if case.id in cases)
    journal = create(folder, of_sample.model_copy(update={"trials": planned, "cases": kept, "skips": ()}))
    for trial, (outcome, _) in zip(planned, places, strict=True):
        us = times(INFERENCES, seed=trial.position)
        timings = outcome.measurement.timings.model_copy(update={"samples": us, "median": us[0]})
        measured = outcome.measurement.model_copy(update={"timings": timings, "runs": len(us)})
        log = journal.write_log(trial.id, (SAMPLE / str(outcome.log)).read_bytes())
        own = {"trial": trial.id, "round": trial.round, "position": trial.position, "log": log, "measurement": measured}
        journal.append(outcome.model_copy(update=own))
    journal.end()
    journal.close()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write(folder)
        write_report([load(folder)], folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        sizes: Counter[str] = Counter()
        for path in files:
            sizes[path.relative_to(folder).parts[0]] += path.stat().st_size
        on_disk = sum(path.stat().st_blocks * 512 for path in files)
        parts = ", ".join(f"{part} {size / 1e6:.1f}" for part, size in sizes.most_common())
        print(
            f"folder     of {TRIALS:,} trials: {sizes.total() / 1e6:.1f} MB, {on_disk / 1e6:.1f} on this disk: {parts}"
        )


if __name__ == "__main__":
    main()
