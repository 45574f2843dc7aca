"""Whether a dataset can be what a model was trained on: its values, its labels, and what was done to its images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.tensors import Tensor
from benchbench.device_script.tensors import to_real
from benchbench.values.doubt import Doubt
from benchbench.values.preprocessing import Preprocessing

LOOKED_AT = 16  # samples
CUT_OFF = 0.10  # share of values beyond what an input takes
TOO_SMALL = 20.0  # times: values that use so little of an input's range are in another unit

KIND = "dataset"  # of these doubts
Range = tuple[float, float]


def data_doubts(dataset: Dataset, inputs: Sequence[Tensor], ranges: Sequence[Range | None]) -> Iterator[Doubt]:
    """What speaks against a dataset; `ranges` are the real values that each input was made for, where that is known."""
    for samples, tensor, wanted in zip(dataset.inputs, inputs, ranges, strict=True):
        raw = dataset.preprocessing is None and samples[:1].dtype == np.dtype(tensor.dtype) and bool(tensor.scale)
        if wanted is None or raw:  # stored as the input takes it
            continue
        values = to_real(samples[:LOOKED_AT], dataset.preprocessing or Preprocessing())
        low, high = float(values.min()), float(values.max())
        margin = 0.02 * (wanted[1] - wanted[0])
        outside = float(((values < wanted[0] - margin) | (values > wanted[1] + margin)).mean())
        small = max(abs(low), abs(high)) * TOO_SMALL < max(abs(wanted[0]), abs(wanted[1]))
        if outside > CUT_OFF or small:
            text = (
                f"the values of {dataset.name} run from {low:.3g} to {high:.3g}, and input {tensor.name!r} was made "
                f"for {wanted[0]:.3g} to {wanted[1]:.3g}"
            )
            yield Doubt(KIND, text, f"say in {dataset.described_in} how they become the model's: scale, mean and std")
    if dataset.resized is not None:
        yield Doubt(
            KIND,
            f"images of {dataset.name} had to be resized, such as one of {dataset.resized[0]} × {dataset.resized[1]}",
            f"give them as the model was trained on them, or say in {dataset.described_in} how: size and crop",
        )
    if dataset.labels is not None and len(np.unique(dataset.labels)) == 1:
        text = f"all labels of {dataset.name} are of class {dataset.labels[0]}: a model that always says so is right"
        yield Doubt(KIND, text, "take samples of several classes")
