"""What a delegate left of a graph: the types of the nodes, and the share of multiply-accumulates that it took."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchbench.device_script.onnxruntime.delegation import delegation_by
from benchbench.device_script.protocol import ANSWER
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model.result_files import Partition, RuntimeInfo
from benchbench.runtimes.tflite.benchmark_model.runner import delegation
from benchbench.runtimes.tflite.model.graph import read
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.model.macs import node_macs
from benchbench.values.outcome import Delegation
from tests.accuracy.conftest import FAMILY
from tests.beds.launch import launch, work_for

MODEL = FAMILY / "fashion_mnist_dynamic-int8.tflite"
GRAPH = read(MODEL, MODEL.read_bytes()).graphs[0]
MACS = [node_macs(GRAPH, op) or 0 for op in GRAPH.ops]


def test_the_macs_of_the_nodes_are_those_of_the_graph() -> None:
    assert sum(MACS) == inspect(MODEL).macs


def test_what_xnnpack_really_left_is_told_by_type_with_its_share_of_the_macs(tmp_path: Path) -> None:
    launched = launch(work_for(MODEL, Xnnpack()), tmp_path)
    said = launched.reading.delegation
    left = json.loads(launched.raw.answers[ANSWER])["delegation"]["left"]
    assert said.verdict == "partial"
    assert said.left == dict(Counter(GRAPH.ops[number].type for number in left))
    assert sum(said.left.values()) == (said.nodes_total or 0) - (said.nodes_delegated or 0)
    assert said.macs_share == pytest.approx(1 - sum(MACS[number] for number in left) / sum(MACS))


def test_of_a_graph_that_was_taken_whole_nothing_is_left(tmp_path: Path) -> None:
    said = launch(work_for(FAMILY / "fashion_mnist_float32.tflite", Xnnpack()), tmp_path).reading.delegation
    assert (said.verdict, said.left, said.macs_share) == ("full", {}, None)


def test_benchmark_models_record_of_nodes_tells_the_same() -> None:
    taken = tuple(range(5))
    info = RuntimeInfo(len(GRAPH.ops), (Partition("TfLiteXNNPackDelegate", taken),))
    said = delegation(work_for(MODEL, Xnnpack()), Delegation(asked="xnnpack"), info)
    assert said.left == dict(Counter(op.type for op in GRAPH.ops[5:]).most_common())
    assert said.macs_share == pytest.approx(sum(MACS[:5]) / sum(MACS))


def test_a_file_that_is_not_the_graph_that_ran_or_is_gone_tells_nothing(tmp_path: Path) -> None:
    info = RuntimeInfo(len(GRAPH.ops) + 1, (Partition("TfLiteXNNPackDelegate", (0,)),))
    for model in (MODEL, tmp_path / "gone.tflite"):
        said = delegation(work_for(model, Xnnpack()), Delegation(asked="xnnpack"), info)
        assert (said.verdict, said.left, said.macs_share) == ("partial", {}, None)


def test_onnx_runtime_names_the_types_that_other_providers_took() -> None:
    partitions = [("OpenVINOExecutionProvider", ["Conv", "Relu"]), ("CPUExecutionProvider", ["Loop", "Add", "Add"])]
    assert delegation_by(partitions, "OpenVINOExecutionProvider").left_ops == {"Loop": 1, "Add": 2}
    assert delegation_by(partitions[:1], "OpenVINOExecutionProvider").left_ops is None
