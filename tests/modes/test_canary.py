"""The canary: a model of our own between the rounds, and in no frame."""

from __future__ import annotations

import pytest

from benchbench.analysis.frames import load
from benchbench.modes.canary import canary_variants
from benchbench.pipeline import resume
from benchbench.runtimes.onnxruntime.runtime import OnnxRuntime
from benchbench.runtimes.tflite.runtime import Tflite
from tests.beds import models, onnx_models
from tests.workbench import Workbench, outcomes, planned


def test_the_canary_is_what_the_tests_builder_makes_and_named_by_its_bytes() -> None:
    assert Tflite.canary_model.read_bytes() == models.conv_model(32, 16, 4, 10)
    assert OnnxRuntime.canary_model.read_bytes() == onnx_models.stacked().SerializeToString(deterministic=True)
    found = canary_variants(["onnx", "tflite"])
    assert [(variant.format, variant.scheme) for variant in found] == [("onnx", "float32"), ("tflite", "float32")]
    assert [variant.id for variant in found] == [f"canary.{variant.sha256[:8]}" for variant in found]


def test_canaries_are_measured_among_the_rounds_and_are_no_case(bench: Workbench) -> None:
    matrix = bench.matrix("int8", rounds=2, canary=True, measure="repeat_disturbed = 0")
    folder = bench.run(matrix, seed=1)
    run = load(folder)
    told = [(outcome.purpose, outcome.round, outcome.status) for outcome in outcomes(folder)]
    assert told == [
        ("canary", 0, "ok"),
        ("latency", 1, "ok"),
        ("canary", 1, "ok"),
        ("latency", 2, "ok"),
        ("canary", 2, "ok"),
    ]
    assert list(run.cases["case"]) == ["host/fashion_mnist.int8/xnnpack/t1"]
    assert set(run.trials["purpose"]) == {"latency"}
    assert [len(canaries.times_us) for canaries in run.canaries["host"]] == [3]
    assert all(outcome.measurement.timings.median for outcome in run.recorded)


def test_a_run_goes_on_with_its_canaries(bench: Workbench) -> None:
    matrix = bench.matrix("int8", rounds=1, canary=True, measure="repeat_disturbed = 0")
    folder = bench.run(matrix, seed=1)
    journal = folder / "outcomes.jsonl"
    whole = journal.read_text().splitlines(keepends=True)
    journal.write_text(whole[0])
    resume(folder)
    assert [outcome.trial for outcome in outcomes(folder)] == planned(folder)


def test_a_device_that_runs_onnx_alone_has_a_canary_of_that_format(bench: Workbench) -> None:
    pytest.importorskip("onnxruntime")
    matrix = bench.matrix("int8", rounds=1, delegates='["ort-cpu"]', canary=True, measure="repeat_disturbed = 0")
    matrix.write_text(matrix.read_text().replace(".tflite", ".onnx"))
    run = load(bench.run(matrix))
    assert [outcome.status for outcome in run.recorded] == ["ok"] * 3, [outcome.error for outcome in run.recorded]
    (canaries,) = run.canaries["host"]
    assert canaries.case.startswith("host/canary.7022acf1/")
