"""Phones and boards that throttle in the middle of a run: told by sensors, and by the canary alone without any."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchbench import pipeline as api
from benchbench.analysis.disturbances import Disturbance
from benchbench.analysis.frames import Run, load
from benchbench.config.matrix import load_matrix
from benchbench.execution.scheduler import Event, Started, Tell
from benchbench.plan import Plan, make_plan
from benchbench.runtimes.base import Target
from benchbench.values.case import Trial
from benchbench.values.device import Device
from tests.beds.benchmark_model import install
from tests.beds.namespaces import can_mount
from tests.beds.phone import Phone
from tests.beds.sshd import Board
from tests.workbench import Workbench, outcomes

pytestmark = pytest.mark.skipif(not can_mount(), reason="sensors of their own need root")
FULL_KHZ, CAPPED_KHZ = 2_850_000, 1_200_000
CASE = "device/fashion_mnist.float32/xnnpack/t1"


@dataclass(frozen=True)
class Heated:
    """A device whose speed is that of its clock; `throttle` slows it down, and its sensors say so where it has any.

    `clock` is the file of that clock, or of those of so many launches.
    """

    bench: Workbench
    throttle: Callable[[bool], None]
    clock: Path

    def run(self, *, hot: Callable[[Trial], bool | None], measure: str = "", rounds: int = 5) -> Run:
        """`hot` says when a trial first starts whether the device is throttled from then on; None = as it was."""
        begun = set[str]()

        def tell(event: Event) -> None:
            if isinstance(event, Started) and event.trial.id not in begun:
                begun.add(event.trial.id)
                if (now := hot(event.trial)) is not None:
                    self.throttle(now)

        def watching(_: Plan) -> AbstractContextManager[Tell]:
            return nullcontext(tell)

        matrix = self.bench.matrix("float32", devices=("device",), rounds=rounds, canary=True, measure=measure)
        return load(api.run(matrix, inventory=self.bench.inventory, reports=self.bench.reports, watching=watching))


def sensors_of(bed: Phone | Board) -> Callable[[bool], None]:
    def throttle(hot: bool) -> None:
        bed.sys.clock(CAPPED_KHZ if hot else FULL_KHZ)
        bed.heat(80 if hot else 41)
        if isinstance(bed, Phone):
            bed.throttle(3 if hot else 0, 80 if hot else 41)

    return throttle


@pytest.fixture(params=["phone", "board"])
def bed(request: pytest.FixtureRequest) -> Phone | Board:
    found: Phone | Board = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def make_heated(bed: Phone | Board, tmp_path: Path) -> Callable[[bool], Heated]:
    """With sensors, or with none but the clock by which the device really runs, where nobody looks."""

    def make(with_sensors: bool) -> Heated:
        bench = Workbench(tmp_path)
        tool = install(tmp_path / "benchmark_model")
        transport = bed.address.model_dump(exclude_none=True)
        address = ", ".join(f"{key} = {value!r}" for key, value in transport.items())
        place = f"{bed.workdir}/true_clock"
        there = bed.path(place) if isinstance(bed, Phone) else Path(place)
        if not with_sensors:
            shutil.rmtree(bed.sys.cpu / "cpufreq")
            for zone in bed.sys.thermal.iterdir():
                shutil.rmtree(zone)
            if isinstance(bed, Phone):
                bed.forget_temperatures()
        bench.device(
            "device",
            f'address = {{ {address} }}\nworkdir = "{bed.workdir}/work"\nbinary = "{tool}"\n'
            f'runner = "benchmark_model"\nenv = {{ STANDIN_CLOCK = "{place}" }}\n',
        )
        told = sensors_of(bed) if with_sensors else lambda _: None

        def throttle(hot: bool) -> None:
            there.write_text(f"{CAPPED_KHZ if hot else FULL_KHZ}\n")
            told(hot)

        throttle(False)
        return Heated(bench, throttle, there)

    return make


def in_round_three(trial: Trial) -> bool | None:
    """Hot from the first launch of round 3 to the one of round 4: the canary between them sees it, no other does."""
    return {(True, 3): True, (True, 4): False}.get((trial.of_matrix and trial.timed, trial.round))


def test_a_throttled_round_is_told_by_sensors(make_heated: Callable[[bool], Heated]) -> None:
    run = make_heated(True).run(hot=in_round_three, measure="repeat_disturbed = 0")
    why = run.disturbances
    assert why[f"{CASE}/r3"].kind == "throttled"
    assert sorted(why) == [f"{CASE}/r3", f"{CASE}/r4"]
    (case,) = run.cases.to_dict("records")
    assert (case["launches"], case["launches_all"], case["headline"]) == (3, 5, True)
    assert case["median_ms"] == pytest.approx(1.0)
    (doubt,) = [doubt for doubt in case["doubts"] if doubt.kind == "throttled"]
    assert "of 5 launches throttled (" in doubt.text
    during = {o.trial: o.during for o in run.outcomes}
    assert during[f"{CASE}/r1"] is not None


def test_a_throttled_round_is_told_by_the_canary_alone(make_heated: Callable[[bool], Heated]) -> None:
    run = make_heated(False).run(hot=in_round_three, measure="repeat_disturbed = 0")
    assert all(o.before is None or o.before.temperature_c is None for o in run.recorded)
    assert run.disturbances == {
        f"{CASE}/r{number}": Disturbance("canary", "ran beside a canary 138 % slower than the device's median")
        for number in (3, 4)
    }
    (case,) = run.cases.to_dict("records")
    assert (case["launches"], case["median_ms"]) == (3, pytest.approx(1.0))


def test_disturbed_launches_are_measured_again_when_the_device_has_cooled(
    make_heated: Callable[[bool], Heated],
) -> None:
    run = make_heated(True).run(hot=in_round_three)
    (case,) = run.cases.to_dict("records")
    assert run.disturbances == {}
    assert (case["launches"], case["launches_all"], case["median_ms"]) == (5, 5, pytest.approx(1.0))
    repeated = {o.round: o.repeated for o in run.outcomes if o.repeated}
    assert sorted(repeated) == [3, 4]
    assert repeated[3][0].startswith("throttled (")
    told = outcomes(run.folder)
    assert [o.trial for o in told].count(f"{CASE}/r3") == 2  # left out, not deleted
    assert [o.purpose for o in told[-4:]] == ["canary", "latency", "latency", "canary"]


def test_a_device_that_stays_hot_is_not_measured_again(make_heated: Callable[[bool], Heated]) -> None:
    def from_round_four(trial: Trial) -> bool | None:
        return True if trial.timed and trial.round == 4 else None

    run = make_heated(True).run(
        hot=from_round_four, measure="cooldown = { above_idle_c = 10, at_most_seconds = 0.1 }", rounds=5
    )
    assert not any(o.repeated for o in run.outcomes)
    assert {trial[-2:] for trial in run.disturbances} >= {"r4", "r5"}
    assert {trial[-2:] for trial, why in run.disturbances.items() if why.kind != "canary"} == {"r4", "r5"}


def test_in_random_order_no_case_gains_by_its_place_on_a_device_that_slows_down(
    bed: Phone | Board, make_heated: Callable[[bool], Heated]
) -> None:
    """A fifth slower by the end; in one order for all rounds the first case looks faster than the last every time."""
    heated = make_heated(False)
    matrix = heated.bench.matrix(devices=("device",), delegates='["xnnpack", "cpu"]', rounds=3)
    times_ms = np.linspace(1.0, 1.2, 12)
    clocks = "\n".join(f"{FULL_KHZ / ms:.0f}" for ms in times_ms)

    heated.clock.write_text(clocks)
    shuffled = load(api.run(matrix, inventory=heated.bench.inventory, reports=heated.bench.reports))
    launches = shuffled.trials.sort_values("position")["typical_ms"].to_numpy()
    assert launches == pytest.approx(times_ms, abs=0.002)

    heated.clock.write_text(clocks)
    put_in_one_order(shuffled.folder)
    fixed = load(api.run_again(shuffled.folder, reports=heated.bench.reports)).cases.sort_values("case")
    bias = off(fixed["median_ms"].to_numpy())
    assert bias == pytest.approx([-0.025, -0.008, 0.008, 0.025], abs=0.003)

    plans, asked, target = 100, load_matrix(matrix), Target(Device(name="device", address=bed.address))
    orders = [make_plan(asked, [target], seed=seed).trials for seed in range(plans)]
    medians = [[np.median(launches[places_of(case, order)]) for case in fixed["case"]] for order in orders]
    at_random = np.mean([off(np.array(one)) for one in medians], axis=0)
    assert np.abs(at_random).mean() < np.abs(bias).mean() / 3


def off(medians: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each is from what they have in common."""
    return medians / np.median(medians) - 1


def places_of(case: str, trials: Sequence[Trial]) -> list[int]:
    """Where the launches of a case are among all of a device."""
    return [trial.position - 1 for trial in trials if trial.case.id == case]


def put_in_one_order(folder: Path) -> None:
    """Let the plan of a run pass over its cases in the same order in every round."""
    manifest = json.loads((folder / "run.json").read_text())
    trials = sorted(manifest["trials"], key=lambda trial: (trial["round"], trial["case"]))
    manifest["trials"] = [trial | {"position": place} for place, trial in enumerate(trials, 1)]
    (folder / "run.json").write_text(json.dumps(manifest))
