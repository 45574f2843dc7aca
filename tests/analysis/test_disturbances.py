"""Launches that a canary marks as disturbed, where no sensor says anything."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchbench.analysis.disturbances import Canaries, Disturbance, by_sensor, disturbances
from benchbench.values.conditions import DuringConditions
from benchbench.values.measurement_settings import Cooldown
from benchbench.values.outcome import Outcome
from tests.report.builder import conditions, measurement, outcome


def canary(number: int, ms: float, device: str = "pixel8", threads: int = 1) -> Outcome:
    case = f"{device}/canary/t{threads}"
    told = {"trial": f"{case}/canary{number}", "case": case, "purpose": "canary", "device": device}
    return outcome(round=number, measurement=measurement(ms * 1000)).model_copy(update=told)


def launch(number: int, device: str = "pixel8", threads: int = 1) -> Outcome:
    case = f"{device}/net/t{threads}"
    return outcome(round=number).model_copy(update={"trial": f"{case}/r{number}", "case": case, "device": device})


def run(times_ms: Sequence[float], device: str = "pixel8") -> list[Outcome]:
    """A canary, and for each further one a round before it."""
    first, *rest = times_ms
    found = [canary(0, first, device)]
    for number, ms in enumerate(rest, 1):
        found += [launch(number, device), canary(number, ms, device)]
    return found


@pytest.mark.parametrize(
    ("times_ms", "rounds"),
    [
        ([10, 10.1, 9.9, 10, 10.1, 10], []),
        ([10, 10, 13, 10, 10, 10], [2, 3]),  # the rounds on both sides
        ([13, 10, 10, 10, 10, 10], [1]),
        ([10, 10, 10, 10, 10, 13], [5]),
        ([10, 10, 10, 7, 10, 10], [3, 4]),  # faster is another speed, too
        ([10, 10.4, 10, 10.4, 10, 10.4], []),  # within 5 %
        ([10, 12, 9, 11, 10, 12.5], []),  # noisy: within 3 MAD
        ([10, 14], []),  # of two nobody can tell which is off
    ],
)
def test_a_canary_off_the_devices_median_disturbs_the_rounds_beside_it(
    times_ms: list[float], rounds: list[int]
) -> None:
    found = disturbances(run(times_ms))
    assert sorted(found) == [f"pixel8/net/t1/r{number}" for number in rounds]
    assert {why.kind for why in found.values()} <= {"canary"}


@pytest.mark.parametrize(
    ("one_ms", "four_ms", "disturbed"),
    [
        (
            [10, 10, 10, 10],
            [4, 4, 6, 4],
            {"t2/r2": "a canary of 4 threads 50 %", "t2/r3": "a canary of 4 threads 50 %"},
        ),
        (
            [10, 10, 10, 14],  # tells of launches with any number of threads, and comes first where both are off
            [4, 4, 4, 6],
            {"t1/r3": "a canary 40 %", "t2/r3": "a canary 40 %"},
        ),
    ],
)
def test_a_canary_of_several_threads_tells_of_launches_with_several_alone(
    one_ms: list[float], four_ms: list[float], disturbed: dict[str, str]
) -> None:
    """Where cores are shared with others, launches with one thread may be as fast as ever."""
    outcomes: list[Outcome] = []
    for number, (one, four) in enumerate(zip(one_ms, four_ms, strict=True)):
        outcomes += [launch(number, threads=1), launch(number, threads=2)] if number else []
        outcomes += [canary(number, one), canary(number, four, threads=4)]
    found = disturbances(outcomes)
    assert {trial.removeprefix("pixel8/net/"): why.text for trial, why in found.items()} == {
        trial: f"ran beside {canary} slower than the device's median" for trial, canary in disturbed.items()
    }


def test_every_device_has_a_median_of_its_own() -> None:
    slow, fast = run([20, 20, 20, 20], "rpi5"), run([10, 10, 10, 14], "pixel8")
    interleaved = [one for pair in zip(slow, fast, strict=True) for one in pair]
    assert list(disturbances(interleaved)) == ["pixel8/net/t1/r3"]


def test_a_launch_that_was_measured_again_is_judged_by_where_it_ran_last() -> None:
    again = [*run([10, 10, 13, 10, 10]), launch(2), canary(5, 10)]
    last = list({one.trial: one for one in again[::-1]}.values())[::-1]
    assert list(disturbances(last)) == ["pixel8/net/t1/r3"]


def test_a_sensor_is_believed_before_the_canary() -> None:
    found = run([10, 10, 13, 10])
    found[3] = found[3].model_copy(update={"after": conditions(60, throttled=["throttled"])})
    assert {trial: why.kind for trial, why in disturbances(found).items()} == {
        "pixel8/net/t1/r2": "throttled",
        "pixel8/net/t1/r3": "canary",
    }


def test_how_far_a_canary_is_off_is_a_share_of_the_median() -> None:
    canaries = Canaries({"a": 100.0, "b": 100.0, "c": 131.0, "d": 100.0})
    assert (canaries.median_us, canaries.allowed_us) == (100, 5)
    assert canaries.off == {"c": pytest.approx(0.31)}


def test_what_is_seen_during_a_launch_counts_as_what_is_seen_around_it() -> None:
    seen = DuringConditions(looks=3, temperature_c=70, throttled=("policy4 capped at 1200 of 2850 MHz",))
    assert by_sensor(outcome(during=seen)) == Disturbance("throttled", f"throttled ({seen.throttled[0]})")
    hot = by_sensor(outcome(during=DuringConditions(looks=1, temperature_c=91)))
    assert hot == Disturbance("hot", "reached 91 °C")


def test_a_launch_that_began_far_above_idle_is_hot_where_the_matrix_has_a_gate() -> None:
    risen = outcome(quantities={"above_idle_c": 12.0})
    assert by_sensor(risen) is None
    assert by_sensor(risen, Cooldown(above_idle_c=15)) is None
    hot = by_sensor(risen, Cooldown(above_idle_c=5))
    assert hot == Disturbance("hot", "began 12 °C above idle, more than the 5 °C that the matrix allows")
