"""The first run of all: this machine, a real classifier in its variants and both formats, a page."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from benchbench.config.matrix import Matrix, load_matrix, matrix_of
from benchbench.pipeline import Watching, run_matrix, silently
from benchbench.run_folder.names import REPORTS
from benchbench.values.device import Device, Local

MATRIX = Path(__file__).with_name("matrix.toml")
MOST_THREADS = 4  # beyond, a model of this size only gets slower
SECOND_RUNTIME = ("onnx", "onnxruntime")  # packages of an extra
ITS_LINES = (".onnx", "ort-")  # what stands in the lines of the matrix that are about it


def run_demo(reports: str | Path = REPORTS, watching: Watching = silently) -> Path:
    """Run the demo's matrix on this machine, on one thread and on as many as it has cores; the run folder."""
    cores = min(len(os.sched_getaffinity(0)), MOST_THREADS) if hasattr(os, "sched_getaffinity") else 2
    matrix = replace(demo_matrix(has_second_runtime()), threads=tuple(dict.fromkeys([1, cores])))
    return run_matrix(matrix, [Device(name="host", address=Local())], reports=reports, watching=watching)


def demo_matrix(both: bool) -> Matrix:
    """The demo's matrix in both runtimes, or in LiteRT alone."""
    if both:
        return load_matrix(MATRIX)
    return matrix_of(without_second_runtime(MATRIX.read_text(encoding="utf-8")), str(MATRIX))


def has_second_runtime() -> bool:
    return all(map(find_spec, SECOND_RUNTIME))


def without_second_runtime(matrix: str) -> str:
    """The text of a matrix without the lines that are about it."""
    lines = matrix.splitlines(keepends=True)
    return "".join(line for line in lines if not any(its in line for its in ITS_LINES))
