"""What will be known of a case, whatever it runs on: as far as its matrix alone says."""

from __future__ import annotations

from benchbench.config.matrix import Matrix
from benchbench.config.matrix_file import RANDOM
from benchbench.modes.latency import TAIL
from benchbench.modes.tail import discarded, needed
from benchbench.values.case import Case

# what is known of samples with labels alone
LABELLED = tuple(f"accuracy_{name}" for name in ("top1", "top5", "recall_min", "map", "map50", "map75"))
CACHED = {"init_cold_ms": ("cold", "warm"), "init_warm_ms": ("warm",), "cache_mb": ("cold", "warm")}


def never_known(column: str, case: Case, matrix: Matrix) -> str | None:
    """Why a column of the cases will have no value for this one; None = it may have one."""
    dataset, measure = matrix.datasets.get(case.variant.family), matrix.measure
    if column.startswith("accuracy_") and dataset is None:
        return f"{case.variant.family} has no dataset"
    if column in LABELLED and dataset == RANDOM:
        return f'the dataset "{RANDOM}" has no labels'
    if column in TAIL and not measure.min_seconds and discarded(measure.runs, TAIL[column]) is None:
        return f"it needs {needed(TAIL[column])} inferences, and runs = {measure.runs}"
    if column in CACHED and case.delegate.caching not in CACHED[column]:
        return f"it needs cache = {' or '.join(map(repr, CACHED[column]))}"
    return None
