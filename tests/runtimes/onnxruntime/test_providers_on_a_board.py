"""Execution providers on a board over SSH: each of what can become of one, in one run."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import ModelProto

from benchbench.analysis.frames import load
from benchbench.config.inventory import device_file
from benchbench.values.device import Device
from tests.beds import onnx_models as models
from tests.beds.sshd import Board
from tests.runtimes.onnxruntime.conftest import saved
from tests.workbench import Workbench

MATRIX = """
name = "providers"
devices = ["board"]
delegates = ["ort-cpu", "ort-openvino", "ort-webgpu", { kind = "ort-provider", execution_provider = "NoSuchProvider" }]
[[model]]
family = "all"
variants = "all.onnx"
[[model]]
family = "some"
variants = "some.onnx"
[[model]]
family = "broken"
variants = "broken.onnx"
[measure]
rounds = 1
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
canary = false
"""
NETWORKS: dict[str, ModelProto] = {
    "all": models.stacked(),
    "some": models.with_binarizer(),  # which OpenVINO lacks
    "broken": models.that_fails_at_run(),
}


def test_a_board_tells_full_partial_failed_and_unavailable_apart(
    tmp_path: Path, board: Board, intel_python: str
) -> None:
    pytest.importorskip("onnxruntime_ep_openvino")
    pytest.importorskip("onnxruntime_ep_webgpu")
    bench = Workbench(tmp_path)
    there = device_file(Device(name="board", address=board.address))
    bench.device("board", f'{there}workdir = "{board.workdir}/work"\npython = "{intel_python}"\n')
    for name, network in NETWORKS.items():
        saved(network, tmp_path / f"{name}.onnx")
    (tmp_path / "matrix.toml").write_text(MATRIX)
    bench.benchbench("run", "matrix.toml", expect=1)

    rows = load(bench.latest()).cases.to_dict("records")
    told = {(row["family"], row["kind"]): (row["status"], row["verdict"]) for row in rows}
    assert told == {
        **{(family, "ort-cpu"): ("ok", "full") for family in ("all", "some")},
        ("all", "ort-openvino"): ("ok", "full"),
        ("some", "ort-openvino"): ("ok", "partial"),
        **{("broken", kind): ("failed", verdict) for kind, verdict in (("ort-cpu", "full"), ("ort-openvino", "full"))},
        **{(family, kind): ("failed", "unavailable") for family in NETWORKS for kind in ("ort-webgpu", "ort-provider")},
    }
    measured = {(row["family"], row["kind"]): row["median_ms"] for row in rows if row["median_ms"] > 0}
    assert set(measured) == {(family, kind) for family in ("all", "some") for kind in ("ort-cpu", "ort-openvino")}
    assert all(row["headline"] == (row["status"] == "ok") for row in rows)
