"""The first run of all: this machine, a real classifier in its variants, a page."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from benchbench.config.matrix import load_matrix
from benchbench.pipeline import Watching, run_matrix, silently
from benchbench.run_folder.names import REPORTS
from benchbench.values.device import Device, Local

MATRIX = Path(__file__).with_name("matrix.toml")
MOST_THREADS = 4  # beyond, a model of this size only gets slower


def run_demo(reports: str | Path = REPORTS, watching: Watching = silently) -> Path:
    """Run the demo's matrix on this machine, with thread counts 1, 2, 4 … up to its cores; the run folder."""
    cores = min(len(os.sched_getaffinity(0)), MOST_THREADS) if hasattr(os, "sched_getaffinity") else 2
    threads = tuple(dict.fromkeys([n for n in (1, 2, 4) if n <= cores] + [cores]))
    matrix = replace(load_matrix(MATRIX), threads=threads)
    return run_matrix(matrix, [Device(name="host", address=Local())], reports=reports, watching=watching)
