from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchbench.accuracy.datasets import load
from benchbench.accuracy.detection import Boxes, detections, precision
from benchbench.accuracy.outputs import Output
from benchbench.accuracy.scores import score
from benchbench.values.errors import InputError, ToolError
from tests.accuracy.conftest import Described

counted = pytest.mark.skipif(importlib.util.find_spec("pycocotools") is None, reason="needs pycocotools")

# two images: two boxes in the first, one in the second
TRUTH = Boxes(
    np.array([[0.1, 0.1, 0.4, 0.5], [0.5, 0.5, 0.9, 0.9], [0.2, 0.2, 0.6, 0.7]]),
    np.array([0, 0, 1]),
    np.array([0, 1, 0]),
)
ANSWERS = {
    "boxes": np.array([[TRUTH.boxes[0], TRUTH.boxes[1], [0, 0, 1, 1]], [TRUTH.boxes[2], [0, 0, 0, 0], [0, 0, 0, 0]]]),
    "classes": np.array([[0, 1, 0], [0, 0, 0]]),
    "scores": np.array([[0.9, 0.8, 0.0], [0.7, 0.0, 0.0]]),
    "count": np.array([2, 1]),
}


def answers(*order: str) -> list[Output]:
    return [Output(name, ANSWERS[name].astype(np.float32)) for name in order]


@pytest.mark.parametrize("order", [("boxes", "classes", "scores", "count"), ("scores", "boxes", "count", "classes")])
def test_the_outputs_of_a_detector_are_told_apart_in_any_order(order: tuple[str, ...]) -> None:
    found = detections(answers(*order))
    assert found.images.tolist() == [0, 0, 1]
    assert found.classes.tolist() == [0, 1, 0]
    assert found.scores is not None
    assert found.scores.tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert found.boxes == pytest.approx(TRUTH.boxes, abs=1e-6)


def test_a_classifier_is_no_detector() -> None:
    with pytest.raises(InputError, match=r"no boxes, classes, scores and count of a detector: y \[2, 10\]"):
        detections([Output("y", np.zeros((2, 10), np.float32))])


@counted
def test_boxes_that_are_all_found_have_a_precision_of_one() -> None:
    exact = precision(TRUTH, detections(answers("boxes", "classes", "scores", "count")), 2)
    assert (exact.mean, exact.at_50, exact.at_75) == pytest.approx((1, 1, 1))


@counted
def test_a_box_that_overlaps_by_six_tenths_is_found_at_the_thresholds_below() -> None:
    truth = Boxes(np.array([[0.0, 0.0, 0.5, 0.5]]), np.array([0]), np.array([0]))
    found = Boxes(np.array([[0.0, 0.0, 0.5, 0.312]]), np.array([0]), np.array([0]), np.array([0.9]))  # IoU 0.624
    result = precision(truth, found, 1)
    assert (result.mean, result.at_50, result.at_75) == pytest.approx((0.3, 1, 0))  # 0.50, 0.55 and 0.60 of ten


@counted
def test_nothing_found_is_nought_and_nothing_to_find_is_told() -> None:
    none = Boxes(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert precision(TRUTH, none, 2).mean == 0
    assert precision(none, TRUTH, 2).mean == -1


@counted
def test_a_dataset_with_boxes_is_scored_by_its_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "boxes.npz"
    x = np.zeros((2, 4, 4, 1), np.float32)
    np.savez(path, x=x, boxes=TRUTH.boxes, box_image=TRUTH.images, box_class=TRUTH.classes)
    dataset = load(path, [Described()])
    assert score(dataset, answers("boxes", "classes", "scores", "count"))["map"] == pytest.approx(1)
    assert dataset.first(1).truth is not None
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(importlib.util.find_spec("pycocotools") is not None, reason="pycocotools is installed")
def test_without_pycocotools_the_remedy_is_named() -> None:
    with pytest.raises(ToolError, match="pip install pycocotools"):
        precision(TRUTH, TRUTH, 2)
