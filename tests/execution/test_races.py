"""Races: which case may still be the best of its device and family, by latency or another number."""

from __future__ import annotations

import pytest

from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Outcome
from benchbench.values.quantities import RACED
from benchbench.values.quantity import NUMBER, Quantity
from tests.execution.simulated_device import CASES, Device, asked, noisy
from tests.plans import matrix, planned


def test_a_race_ends_with_the_best_and_spends_rounds_on_those_that_may_be() -> None:
    plan = asked(rounds=5, goal="best", max_rounds=60)
    device = Device(plan, noisy({CASES[0]: 10, CASES[1]: 10.8, CASES[2]: 30, CASES[3]: 40}, 0.03))
    device.go_on()
    assert device.kinds == {CASES[0]: "best", CASES[1]: "cannot win", CASES[2]: "cannot win", CASES[3]: "cannot win"}
    assert device.launches[CASES[2]] <= device.launches[CASES[1]] < 60
    assert device.launches[CASES[3]] <= 7
    assert "net.float32/cpu/t1" in device.stops[CASES[1]].text
    for stop in device.stops.values():  # the rule of the race tells no more than this
        assert "3 % faster" in stop.text
        assert "slower" not in stop.text


def test_a_race_may_be_by_another_quantity_than_latency() -> None:
    plan = asked(rounds=5, goal="best", best_by="init_ms", max_rounds=60)
    device = Device(plan, noisy({CASES[0]: 1}, 0.01), init=noisy({CASES[0]: 80, CASES[2]: 5}, 0.01))
    device.go_on()
    assert device.kinds == {case: "best" if case == CASES[2] else "cannot win" for case in CASES}
    assert "at 15.9× its init_ms" in device.stops[CASES[0]].text


def test_of_what_is_better_higher_the_highest_wins_a_race(monkeypatch: pytest.MonkeyPatch) -> None:
    def per_second(outcome: Outcome) -> float | None:
        median = outcome.measurement.timings.median
        return None if median is None else 1e6 / median

    rate = Quantity("rate", NUMBER, "steady", "rate", "inferences a second", per_second, case="median", better="higher")
    monkeypatch.setitem(RACED, "rate", rate)
    device = Device(asked(rounds=5, goal="best", best_by="rate", max_rounds=60), noisy({CASES[1]: 5}, 0.01))
    device.go_on()
    assert device.kinds == {case: "best" if case == CASES[1] else "cannot win" for case in CASES}
    assert "at 0.50× its rate" in device.stops[CASES[0]].text


def test_no_case_wins_by_what_no_launch_tells() -> None:
    device = Device(asked(rounds=5, goal="best", best_by="added_mb"), noisy({}, 0.01))
    device.go_on()
    assert set(device.kinds.values()) == {"cannot win"}
    assert set(device.launches.values()) == {5}
    assert {stop.text for stop in device.stops.values()} == {"no launch tells its added_mb"}


def test_the_winner_of_a_race_goes_on_until_it_is_precise_where_that_is_asked_for() -> None:
    alone = Device(asked(rounds=5, goal="best", max_rounds=60), noisy(dict.fromkeys(CASES[1:], 20.0), 0.03))
    alone.go_on()
    plan = asked(rounds=5, goal="best", precision=0.02, max_rounds=60)
    precise = Device(plan, noisy(dict.fromkeys(CASES[1:], 20.0), 0.03))
    precise.go_on()
    assert (alone.kinds[CASES[0]], precise.kinds[CASES[0]]) == ("best", "precise")
    assert precise.launches[CASES[0]] > alone.launches[CASES[0]]
    assert [precise.launches[case] for case in CASES[1:]] == [alone.launches[case] for case in CASES[1:]]


def test_a_race_is_not_over_because_its_cases_are_precise() -> None:
    plan = asked(rounds=5, goal="best", precision=0.5, max_rounds=20)
    device = Device(plan, noisy({CASES[0]: 10, CASES[1]: 10.1}, 0.2))
    device.go_on()
    assert device.kinds[CASES[0]] == device.kinds[CASES[1]] == "max_rounds"


def test_what_loses_too_much_accuracy_cannot_win_and_each_family_has_a_winner() -> None:
    other = matrix().variants[0].model_copy(update={"family": "other"})
    plan = planned(
        matrix(
            threads=(1,),
            variants=(*matrix().variants, other),
            measure=MeasurementSettings(rounds=5, goal="best", max_rounds=40),
        )
    )
    fastest, second = CASES[3], CASES[0]
    device = Device(plan, noisy({fastest: 1, second: 5}, 0.01), unfit={fastest: "−7.1 points"})
    device.go_on()
    assert device.stops[fastest].text == "−7.1 points"
    assert device.launches[fastest] == 5
    assert device.kinds[second] == "best"
    assert [kind for case, kind in device.kinds.items() if "other" in case].count("best") == 1


def test_of_outputs_and_rounds_those_that_a_race_goes_by_come_first() -> None:
    settings = MeasurementSettings(rounds=2, goal="best", max_rounds=4)
    plan = planned(matrix(threads=(1,), datasets={"net": "random"}, measure=settings))
    purposes = [trial.purpose for trial in plan.trials if trial.of_matrix]
    assert purposes == ["latency"] * 8 + ["accuracy"] * 4 + ["latency"] * 8
