"""Who took which nodes of a graph."""

from __future__ import annotations

from pathlib import Path

from benchbench.device_script.tflite.coverage import Coverage, data_flow_coverage, exact_coverage
from benchbench.device_script.tflite.runtime import Runtime
from tests.beds import models
from tests.device_script.conftest import CPU, Ask

CHAIN = (models.OPS.RELU, models.OPS.LOG_SOFTMAX, models.OPS.LOGISTIC)


def test_xnnpack_off_leaves_every_node_to_the_interpreter(ask: Ask) -> None:
    took = ask(models.conv_model(), asked="cpu", delegate=CPU).delegation
    assert (took.verdict, took.nodes_delegated, took.nodes_total, took.shares) == ("full", 0, 6, ())
    assert took.left == (0, 1, 2, 3, 4, 5)


def test_what_xnnpack_took_is_counted_node_by_node(ask: Ask) -> None:
    took = ask(models.chain_model(3, ops=CHAIN)).delegation
    assert (took.verdict, took.nodes_delegated, took.nodes_total, took.partitions) == ("partial", 2, 3, 2)
    assert [share.nodes for share in took.shares] == [(0,), (2,)]
    assert took.left == (1,)
    assert took.fallback == "cpu"


def test_the_data_flow_agrees_with_the_execution_plan_on_feed_forward_graphs(tmp_path: Path) -> None:
    model = tmp_path / "chain.tflite"
    model.write_bytes(models.chain_model(6, ops=CHAIN))
    interpreter = Runtime().plain(str(model))
    interpreter.allocate_tensors()
    flow, plan = data_flow_coverage(interpreter), exact_coverage(interpreter)
    assert plan is not None
    assert nodes(flow) == nodes(plan) == [(0,), (2, 3), (5,)]
    assert (flow.left, flow.total) == (plan.left, plan.total)
    interpreter.invoke()  # looking must leave it able to work


def nodes(coverage: Coverage) -> list[tuple[int, ...]]:
    return sorted(share.nodes for share in coverage.partitions)
