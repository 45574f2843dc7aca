"""A variant's accuracy as flat numbers for an outcome: labels where there are some, fidelity to a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.detection import detections, precision
from benchbench.accuracy.fidelity import TensorFidelity, fidelity, flags
from benchbench.accuracy.metrics import Classification, classify, packed
from benchbench.accuracy.outputs import Output
from benchbench.accuracy.tensors import Array
from benchbench.values.errors import InputError

Scores = dict[str, float | int | str | None]


def score(dataset: Dataset, outputs: Sequence[Output], reference: Sequence[Output] | None = None) -> Scores:
    """What `Outcome.accuracy` holds: always n and dataset (sha256); shares run from 0 to 1.

    With labels: top1, top1_low, top1_high, top5 …, recall_min, recall_min_class, correct (see metrics.packed). With
    boxes: map, map50, map75 (COCO). With a reference, which may be of the first samples only: compared (how many),
    agreement, cosine, sqnr_db, max_error, mean_error, nan, inf,
    saturated of the worst output, the same with `:NAME` for each of several, broken (0 or 1), and flags in words.
    data_doubt, data_remedy: why the samples may not be what the model was trained on.
    telling: the measures, in a row, that a wrong model would not pass too: top1 needs labels of several classes.
    Raises InputError where they do not fit together.
    """
    for output in outputs:
        if len(output.raw) != dataset.n:
            raise InputError(f"output {output.name!r} has {len(output.raw)} samples, {dataset.name} has {dataset.n}")
    scores: Scores = {"n": dataset.n, "dataset": dataset.sha256}
    if dataset.doubts:
        scores["data_doubt"] = "; ".join(doubt.text for doubt in dataset.doubts)
        scores["data_remedy"] = "; ".join(doubt.remedy for doubt in dataset.doubts)
    telling: list[str] = []
    found = classified(dataset, outputs)
    if found is not None:
        scores |= _labelled(found)
        telling += ["top1"] if np.count_nonzero(found.support) > 1 else []
    if dataset.truth is not None:
        boxes = precision(dataset.truth, detections(outputs), dataset.n)
        scores |= {"map": boxes.mean, "map50": boxes.at_50, "map75": boxes.at_75}
        telling += ["map"] if len(dataset.truth.classes) else []
    if reference is not None:
        compared = min(dataset.n, len(reference[0].raw))
        scores["compared"] = compared
        row = None if dataset.labels is None else _row_of_scores(outputs)
        tensors = fidelity(_first(reference, compared), _first(outputs, compared), row.name if row else None)
        scores |= _compared(tensors)
        telling += sorted(frozenset().union(*(tensor.telling for tensor in tensors)))
    compared_at_all = reference is not None or found is not None or dataset.truth is not None
    return scores | ({"telling": " ".join(telling)} if compared_at_all else {})


def _first(outputs: Sequence[Output], count: int) -> list[Output]:
    return [replace(output, raw=output.raw[:count]) for output in outputs]


def class_scores(dataset: Dataset, outputs: Sequence[Output]) -> Array:
    """The real scores [n, classes]: of the only output, or the first, with several values in a row for a sample.

    One value a sample tells two classes apart: a share from 0 to 1, or else a score whose sign does.
    """
    row = _row_of_scores(outputs)
    if row is not None:
        return row.real.reshape(dataset.n, -1)
    if len(outputs) == 1 and outputs[0].raw.size == dataset.n:
        value = outputs[0].real.reshape(dataset.n)
        share = bool(((value >= 0) & (value <= 1) | np.isnan(value)).all())
        return np.stack([1 - value if share else -value, value], axis=1)
    shapes = ", ".join(f"{output.name} {list(output.raw.shape)}" for output in outputs)
    raise InputError(f"{dataset.name} has labels, but no output is a row of class scores: {shapes}")


def _row_of_scores(outputs: Sequence[Output]) -> Output | None:
    """The first output with several values in a row for a sample."""
    rows = (output for output in outputs if sum(size > 1 for size in output.raw.shape[1:]) == 1)
    return next(rows, None)


def classified(dataset: Dataset, outputs: Sequence[Output]) -> Classification | None:
    """What the outputs get right of a dataset with labels; None without. Raises InputError as `score` does."""
    if dataset.labels is None:
        return None
    scores = class_scores(dataset, outputs)
    if dataset.labels.max() >= scores.shape[1]:
        raise InputError(f"{dataset.name}: label {dataset.labels.max()}, but the model has {scores.shape[1]} classes")
    return classify(scores, dataset.labels)


def _labelled(found: Classification) -> Scores:
    named: Scores = {"top1": found.top1, "top1_low": found.top1_interval[0], "top1_high": found.top1_interval[1]}
    if found.top5 is not None and found.top5_interval is not None:
        named |= {"top5": found.top5, "top5_low": found.top5_interval[0], "top5_high": found.top5_interval[1]}
    worst = int(np.nanargmin(found.recall))
    return {
        **named,
        "recall_min": float(found.recall[worst]),
        "recall_min_class": worst,
        "correct": packed(found.correct),
    }


def _compared(tensors: Sequence[TensorFidelity]) -> Scores:
    found = flags(tensors)
    scores: Scores = {
        **_numbers(tensors),
        "broken": int(any(flag.broken for flag in found)),
        "flags": "; ".join(flag.text for flag in found),
    }
    if len(tensors) > 1:
        scores |= {f"{key}:{t.name}": value for t in tensors for key, value in _numbers([t]).items()}
    return scores


def _numbers(tensors: Sequence[TensorFidelity]) -> Scores:
    """The worst of each measure."""
    agreements = [t.agreement for t in tensors if t.agreement is not None]
    return {
        "agreement": min(agreements) if agreements else None,
        "cosine": min(t.cosine for t in tensors),
        "sqnr_db": min(t.sqnr_db for t in tensors),
        "max_error": max(t.max_error for t in tensors),
        "mean_error": max(t.mean_error for t in tensors),
        "nan": max(t.nan for t in tensors),
        "inf": max(t.inf for t in tensors),
        "saturated": max(t.saturated for t in tensors),
    }
