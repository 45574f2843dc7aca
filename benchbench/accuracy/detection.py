"""COCO's mean average precision of models that end in TFLite's detection post-processing.

The counting is that of pycocotools (BSD), COCO's own; boxes are (ymin, xmin, ymax, xmax) as shares of the image.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbench.accuracy.outputs import Output
from benchbench.values.errors import InputError, ToolError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes of many images in one table: [m, 4], the image and the class of each [m]; scores where they are answers."""

    boxes: Floats
    images: Whole
    classes: Whole
    scores: Floats | None = None

    def within(self, n: int) -> bool:
        """Whether every box is one, in one of n images."""
        return bool(np.isfinite(self.boxes).all() and ((self.images >= 0) & (self.images < n)).all())

    def of_first(self, count: int) -> Boxes:
        """Those of the first `count` images."""
        kept = self.images < count
        scores = None if self.scores is None else self.scores[kept]
        return Boxes(self.boxes[kept], self.images[kept], self.classes[kept], scores)


@dataclass(frozen=True, slots=True)
class Precision:
    """Average precision over all classes, from 0 to 1; -1 = there are no boxes to find."""

    mean: float  # over IoU 0.50, 0.55 … 0.95
    at_50: float
    at_75: float


def detections(outputs: Sequence[Output]) -> Boxes:
    """The answers of TFLite_Detection_PostProcess: boxes [n, k, 4], classes [n, k], scores [n, k], count [n].

    The outputs are told apart by shape, and classes from scores by being whole numbers (models differ in the order;
    where both are whole, classes come first, as the op has it). Raises InputError for other outputs.
    """
    reals = [output.real.astype(np.float64) for output in outputs]
    boxes = next((real for real in reals if real.ndim == 3 and real.shape[2] == 4), None)
    rows = [real for real in reals if boxes is not None and real.shape == boxes.shape[:2]]
    counts = [real for real in reals if real.size == len(real)]
    if boxes is None or len(rows) != 2 or len(counts) != 1:
        shapes = ", ".join(f"{output.name} {list(output.raw.shape)}" for output in outputs)
        raise InputError(f"no boxes, classes, scores and count of a detector: {shapes}")
    if not _whole(rows[0]) and _whole(rows[1]):
        rows.reverse()
    finite = np.isfinite(boxes).all(axis=2) & np.isfinite(rows[0]) & np.isfinite(rows[1])
    kept = finite & (np.arange(boxes.shape[1]) < counts[0].reshape(-1, 1))
    images = np.broadcast_to(np.arange(len(boxes))[:, None], kept.shape)
    return Boxes(boxes[kept], images[kept].astype(np.int64), rows[0][kept].astype(np.int64), rows[1][kept])


def _whole(values: Floats) -> bool:
    return bool((values == np.round(values)).all())


def precision(truth: Boxes, found: Boxes, n: int) -> Precision:
    """COCO's box precision over n images; raises ToolError where pycocotools is not installed."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise ToolError("mAP needs pycocotools", remedy="pip install pycocotools") from error
    if not len(truth.boxes):
        return Precision(-1.0, -1.0, -1.0)
    if not len(found.boxes):
        return Precision(0.0, 0.0, 0.0)
    with redirect_stdout(io.StringIO()):  # pycocotools reports to stdout
        known = COCO()
        known.dataset = _coco(truth, n)
        known.createIndex()
        scores = np.zeros(len(found.boxes)) if found.scores is None else found.scores
        table = np.column_stack([found.images, _corner_and_size(found.boxes), scores, found.classes])
        evaluation = COCOeval(known, known.loadRes(table), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    mean, at_50, at_75 = (float(value) for value in evaluation.stats[:3])
    return Precision(mean, at_50, at_75)


def _coco(truth: Boxes, n: int) -> dict[str, Any]:
    boxes = _corner_and_size(truth.boxes)
    annotations = [
        # ids from 1: COCOeval takes a match with 0 for none
        {
            "id": k + 1,
            "image_id": int(i),
            "category_id": int(c),
            "bbox": list(box),
            "area": box[2] * box[3],
            "iscrowd": 0,
        }
        for k, (i, c, box) in enumerate(zip(truth.images, truth.classes, boxes, strict=True))
    ]
    images = [{"id": image} for image in range(n)]
    categories = [{"id": int(c)} for c in np.unique(truth.classes)]
    return {"info": {}, "images": images, "annotations": annotations, "categories": categories}


def _corner_and_size(boxes: Floats) -> Floats:
    """(ymin, xmin, ymax, xmax) as COCO's (x, y, width, height)."""
    ymin, xmin, ymax, xmax = boxes.T
    return np.stack([xmin, ymin, xmax - xmin, ymax - ymin], axis=1)
