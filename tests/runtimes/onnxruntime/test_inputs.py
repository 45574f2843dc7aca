"""Inputs that a matrix must describe: open sizes, beside a single number that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workbench import Workbench, outcomes

onnx: Any = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")

MATRIX = """
name = "inputs"
devices = ["host"]
delegates = ["ort-cpu"]
[[model]]
family = "net"
variants = "net.onnx"
inputs = [{ shape = [1, 16] }, { shape = [], range = [1, 3] }]
[measure]
rounds = 1
canary = false
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""


def test_a_single_number_beside_an_open_row_is_described_and_runs(tmp_path: Path) -> None:
    """A row is mirrored at its end, which one of a single number cannot be, and shifted by the number."""
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["long"], mode="reflect"),
        helper.make_node("Cast", ["shift"], ["by"], to=types.FLOAT),
        helper.make_node("Add", ["long", "by"], ["y"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", types.FLOAT, (1, None)),
        helper.make_tensor_value_info("shift", types.INT64, ()),
    ]
    gives = [helper.make_tensor_value_info("y", types.FLOAT, (1, None))]
    pads = onnx.numpy_helper.from_array(np.array([0, 0, 0, 2], np.int64), "pads")
    graph = helper.make_graph(nodes, "net", inputs, gives, [pads])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    bench = Workbench(tmp_path)
    (tmp_path / "matrix.toml").write_text(MATRIX)
    (outcome,) = outcomes(bench.run(tmp_path / "matrix.toml"))
    assert (outcome.status, outcome.error, outcome.remedy) == ("ok", None, None)
    (tmp_path / "open.toml").write_text("\n".join(line for line in MATRIX.splitlines() if "shape" not in line))
    (outcome,) = outcomes(bench.run(tmp_path / "open.toml"))
    assert outcome.status == "failed", "one number cannot be mirrored"
    assert "inputs = [" in (outcome.remedy or "")
    assert "of x" in (outcome.remedy or "")
