"""LiteRT's own tool from the matrix to the rows: what it cannot do is told, and what it did has its right label."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from tests.beds.litert_tool import install
from tests.workbench import Workbench, outcomes


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = Workbench(tmp_path)
    tool = install(tmp_path / "benchmark_model")
    address = f'address = {{ transport = "local" }}\nworkdir = "{made.work}"\nrunner = "benchmark_model"\n'
    device = f'{address}binary = "{tool}"\ntool = {{ generation = "litert" }}\n'
    made.device("host", device + 'env = { VK_ICD_FILENAMES = "/nowhere/icd.json" }\n')
    made.device("bare", device.replace(str(made.work), str(tmp_path / "bare work")))
    return made


def test_every_trial_is_labelled_by_what_ran(bench: Workbench) -> None:
    delegates = '["xnnpack", "gpu", "npu"]'
    matrix = bench.matrix("float32", "int16x8", delegates=delegates, rounds=1)
    folder = bench.run(matrix)
    cases = load(folder).cases.set_index("case")
    expected = {
        "float32/xnnpack": ("unknown", "xnnpack?"),
        "float32/gpu": ("full", "gpu"),
        "float32/npu": ("unavailable", "xnnpack (npu unavailable)"),
        "int16x8/gpu": ("none", "xnnpack (gpu took nothing)"),
    }
    for name, (verdict, executor) in expected.items():
        case = cases.loc[f"host/fashion_mnist.{name}/t1"]
        assert (case.verdict, case.executor, case.runner) == (verdict, executor, "benchmark_model")
    assert "litert" in cases.iloc[0].tool
    for outcome in outcomes(folder):
        assert outcome.status == "ok"
        assert outcome.measurement.timings.median is not None


def test_a_gpu_without_a_driver_fails_with_the_tools_reason(bench: Workbench) -> None:
    matrix = bench.matrix("float32", devices=("bare",), delegates='["gpu"]', rounds=1)
    bench.benchbench("run", str(matrix), expect=1)
    (outcome,) = outcomes(bench.latest())
    assert (outcome.status, outcome.delegation.verdict, outcome.exit_code) == ("failed", "unavailable", 1)
    assert "No adapters found" in (outcome.error or "")
    assert outcome.measurement.timings.typical is None


def test_devices_lists_what_the_tool_was_built_with(bench: Workbench) -> None:
    said = json.loads(bench.benchbench("devices", "host", "--json").stdout)
    (device,) = said if isinstance(said, list) else [said]
    delegates = device["delegates"]
    assert device["runner"] == "benchmark_model"
    assert device["tool"].startswith("litert")
    assert "no way to run cpu" in delegates["cpu"]["reason"]
    assert not delegates["external"]["possible"]
    assert delegates["xnnpack"]["reason"] is None


def test_a_log_of_a_run_is_read_again_as_it_was(bench: Workbench) -> None:
    """The transcript's command line is quoted as a shell needs it: a path with a blank stays one argument."""
    matrix = bench.matrix("float32", delegates='["npu"]', rounds=1)
    folder = bench.run(matrix)
    (outcome,) = outcomes(folder)
    log = folder / str(outcome.log)
    assert f"--graph='{bench.work}" in log.read_text() or f"'--graph={bench.work}" in log.read_text()
    (again,) = map(json.loads, bench.benchbench("import", "--json", str(log)).stdout.splitlines())
    assert (again["status"], again["delegate"], again["verdict"]) == ("ok", "npu", "unavailable")
    assert again["timings_us"]["median"] == outcome.measurement.timings.median


def test_a_cache_that_nothing_was_written_to_is_said_not_to_be_used(bench: Workbench) -> None:
    """The stand-in takes the flags of the genuine one, and keeps nothing."""
    gpu = '[{ kind = "gpu", cache = "warm" }]'
    folder = bench.run(bench.matrix("float32", delegates=gpu, rounds=1))
    (case,) = load(folder).cases.to_dict("records")
    (doubt,) = (doubt for doubt in case["doubts"] if doubt.kind == "cache")
    assert doubt.text == "cache asked for, not used: the priming launch wrote nothing to it"
    assert case["median_ms"] > 0
    (outcome,) = [outcome for outcome in outcomes(folder) if outcome.timed]
    assert "--gpu_serialization_dir=" in str(outcome.command)
    assert "--gpu_model_cache_key=" in str(outcome.command)
    assert not {"init_cold_ms", "init_warm_ms", "cache_mb"} & set(outcome.quantities)
