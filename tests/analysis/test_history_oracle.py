"""Steps in a history, held against Apache Otava (Hunter: Fleming et al. 2023), which lives in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchbench.analysis.history import change_points

OTAVA = "apache-otava==0.8.0"  # its analysis needs numpy and scipy alone, which are here
RUNS, NEAR = 120, 2
PROGRAM = """
import json, sys
from otava.analysis import compute_change_points
found = [compute_change_points(series, max_pvalue=0.001)[0] for series in json.load(sys.stdin)]
print(json.dumps([[int(change.index) for change in changes] for changes in found]))
"""


@pytest.fixture(scope="module")
def otava(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which Python has it."""
    folder = tmp_path_factory.mktemp("otava")
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*install, "--python", sys.executable, "--target", str(folder), OTAVA],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"{OTAVA} cannot be had: {done.stderr.strip()[-300:]}")
    return {**os.environ, "PYTHONPATH": str(folder)}


def histories(rng: np.random.Generator) -> tuple[list[list[float]], list[list[int]]]:
    """Latencies of runs with no to three steps of 5 to 20 %, half of them with heavy tails; and where the steps are."""
    series, steps = list[list[float]](), list[list[int]]()
    for number in range(40):
        noise = rng.normal(0, 1, RUNS) if number % 2 else rng.standard_t(4, RUNS)
        logs, places = np.log(5) + 0.01 * noise, np.arange(20, RUNS - 20, 20)
        at = sorted(int(place) for place in rng.choice(places, number % 4, replace=False) + rng.integers(0, 8))
        for place in at:
            logs[place:] += rng.choice([-1, 1]) * rng.uniform(0.05, 0.2)
        series.append(np.exp(logs).tolist())
        steps.append(at)
    return series, steps


def near(place: int, others: list[int]) -> bool:
    return any(abs(place - other) <= NEAR for other in others)


def test_steps_are_where_otava_finds_them(otava: dict[str, str], tmp_path: Path) -> None:
    series, planted = histories(np.random.default_rng(11))
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(series),
        env=otava,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    theirs: list[list[int]] = json.loads(run.stdout)
    ours = [list(change_points(np.log(latencies))) for latencies in series]
    assert [len(found) for found in ours] == [len(steps) for steps in planted]
    for mine, steps in zip(ours, planted, strict=True):
        assert all(near(place, mine) for place in steps)
    # Of what Otava tells beside them most is false, and where its windows meet it may miss one.
    both = [near(place, its) for mine, its in zip(ours, theirs, strict=True) for place in mine]
    assert sum(both) >= 0.95 * len(both)
