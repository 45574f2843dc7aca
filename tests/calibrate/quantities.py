"""What runs are compared by beside their latency, simulated as whole runs of unchanged cases."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benchbench.analysis.compare_quantities import compare_quantities
from benchbench.analysis.frames import Run, load
from tests.calibrate.rounds import drifting_runs
from tests.calibrate.worlds import Floats, World
from tests.report.builder import launches, write_run


def worse_initialisation(draw: World, bases: int, cases: int, rounds: int, repeats: int, seed: int) -> float:
    """Of comparisons of drifting runs of the same thing, those in which any initialisation is called worse."""
    rng, wrong = np.random.default_rng(seed), 0
    for _ in range(repeats):
        *before, new = (_run(np.exp(logs)) for logs in drifting_runs(draw, bases + 1, cases, rounds, rng))
        changes = compare_quantities(before, new)
        wrong += any(one.quantity.name == "init_ms" and one.verdict == "worse" for one in changes)
    return wrong / repeats


def _run(times: Floats) -> Run:
    """Of times [cases, rounds], half of the cases on each of two devices; initialisation takes twice as long."""
    outcomes = [
        outcome
        for case, of_case in enumerate(times)
        for outcome in launches(of_case.tolist(), device=f"d{case % 2}", threads=1 + case)
    ]
    with tempfile.TemporaryDirectory() as folder:
        return load(write_run(Path(folder), outcomes))
