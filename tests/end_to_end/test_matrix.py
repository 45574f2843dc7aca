"""The main job: one matrix on three devices of three kinds with one command, and every row is what really ran."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from benchbench.analysis.frames import Run, load
from tests.end_to_end.conftest import FAMILY, Lab

MATRIX = f"""
name = "three devices"
devices = ["host", "board", "phone"]
threads = [1]
delegates = ["cpu", "xnnpack"]
[[model]]
family = "fashion_mnist"
variants = [
    "{FAMILY}/fashion_mnist_float32.tflite",
    "{FAMILY}/fashion_mnist_int8.tflite",
    "{FAMILY}/fashion_mnist_int16x8.tflite",
]
[measure]
rounds = 3
canary = false
runs = 5
min_seconds = 0.05
warmup_runs = 2
warmup_min_seconds = 0
"""


@pytest.fixture
def run(lab: Lab) -> Run:
    lab.benchbench("run", str(lab.write("matrix.toml", MATRIX)))
    return load(lab.latest())


def test_one_command_measures_every_case_on_every_device_and_every_row_says_what_ran(run: Run, lab: Lab) -> None:
    assert len(run.cases) == 3 * 3 * 2
    assert len(run.outcomes) == len(run.cases) * 3
    assert {outcome.status for outcome in run.outcomes} == {"ok"}
    for row in run.cases.to_dict("records"):
        assert row["executor"] == _executor(row["variant"], row["kind"]), row["case"]
        assert row["runner"] == ("benchmark_model" if row["device"] == "phone" else "python")
    # int16x8 has no XNNPACK kernels: what was asked for took nothing, so there is no number of XNNPACK's.
    fallen = run.cases[(run.cases.variant == "int16x8") & (run.cases.kind == "xnnpack")]
    assert not fallen.headline.any()
    assert set(fallen.verdict) == {"none"}
    _every_round_is_a_pass_over_all_cases_in_an_order_of_its_own(run)
    _a_trial_by_hand_has_the_latency_of_its_row(run)
    _a_second_run_transfers_nothing(lab)


def _executor(variant: str, kind: str) -> str:
    if kind == "cpu":
        return "cpu"
    return {"float32": "xnnpack", "int8": "xnnpack, rest on cpu", "int16x8": "cpu (xnnpack took nothing)"}[variant]


def _every_round_is_a_pass_over_all_cases_in_an_order_of_its_own(run: Run) -> None:
    orders = []
    for number in (1, 2, 3):
        trials = [t for t in run.manifest.trials if t.device == "board" and t.round == number]
        orders.append([t.case for t in sorted(trials, key=lambda t: t.position)])
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])
    assert len({tuple(order) for order in orders}) == 3
    told = [o.trial for o in run.outcomes if o.device == "board"]
    assert told == [t.id for t in run.manifest.trials if t.device == "board"]


def _a_trial_by_hand_has_the_latency_of_its_row(run: Run) -> None:
    """Against the same model, threads and delegate in a plain interpreter, and the process's own time by the device.

    Load makes launches slower and none faster: so each bound is one that a busy machine cannot break.
    """
    by_hand = min(_by_hand(FAMILY / "fashion_mnist_float32.tflite") for _ in range(3))
    launches = [
        o for o in run.outcomes if o.case == "board/fashion_mnist.float32/xnnpack/t1" and o.purpose == "latency"
    ]
    for launch in launches:
        times_us, runs = launch.measurement.timings, launch.measurement.runs
        assert times_us.min is not None
        assert times_us.mean is not None
        assert runs is not None
        assert launch.tool_s is not None
        assert by_hand / 3 < times_us.min / 1e3
        assert runs * times_us.mean / 1e6 < launch.tool_s
    row = run.cases[run.cases.case == launches[0].case].iloc[0]
    typical_us = [getattr(launch.measurement.timings, row.statistic) for launch in launches]
    assert row.median_ms == pytest.approx(median(typical_us) / 1e3)


def _by_hand(model: Path) -> float:
    script = """
import sys, time, numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
detail = interpreter.get_input_details()[0]
interpreter.set_tensor(detail["index"], np.random.default_rng(0).random(detail["shape"], dtype=np.float32))
times = []
for _ in range(50):
    start = time.perf_counter()
    interpreter.invoke()
    times.append(1e3 * (time.perf_counter() - start))
print(min(times))
"""
    done = subprocess.run([sys.executable, "-c", script, str(model)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _a_second_run_transfers_nothing(lab: Lab) -> None:
    lab.benchbench("run", "matrix.toml", "--only", "*/fashion_mnist.float32/xnnpack/t1")
    manifest = json.loads((lab.latest() / "run.json").read_text())
    assert {device["name"]: device["pushed"] for device in manifest["devices"]} == {
        "host": [],
        "board": [],
        "phone": [],
    }
    stores = [lab.folder / "host work" / "store", lab.board.home / "work" / "store"]
    stores.append(lab.phone.path(f"{lab.phone.workdir}/benchbench/store"))
    for store in stores:
        assert sum(1 for path in store.iterdir() if path.suffix == ".tflite") == 3
