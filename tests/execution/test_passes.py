"""What a device does next: which cases have another round, why others have none, and that a resumed run agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchbench.execution.passes import due_trials, passes
from benchbench.values.case import Trial
from benchbench.values.measurement_settings import MeasurementSettings
from tests.execution.simulated_device import CASES, Device, Time, asked, noisy, outcome_of


def test_fixed_rounds_are_the_planned_list() -> None:
    plan = asked(rounds=3, profile=True)
    device = Device(plan, noisy({}, 0.1))
    assert device.go_on() == [trial.id for trial in plan.trials]
    assert device.stops == {}


def unavailable(case: str, *why: str | None) -> Callable[[Trial], str | None]:
    """Why the delegate of a case cannot be had, by round; in those that follow as in the last one."""
    return lambda trial: why[min(trial.round, len(why)) - 1] if trial.case.id == case and trial.timed else None


@pytest.mark.parametrize("time", [lambda _: 10.0, lambda _: None], ids=["ran elsewhere", "failed"])
def test_a_delegate_that_two_launches_could_not_have_has_no_third(time: Time) -> None:
    plan = asked(rounds=4, profile=True)
    device = Device(plan, time, unavailable=unavailable(CASES[1], "no driver"))
    made = device.go_on()
    assert device.kinds == {CASES[1]: "unavailable"}
    assert device.launches == {CASES[0]: 4, CASES[1]: 2, CASES[2]: 4, CASES[3]: 4}
    assert device.stops[CASES[1]].rounds == 2
    assert "no driver" in device.stops[CASES[1]].text
    assert f"{CASES[1]}/profile" not in made
    assert f"{CASES[0]}/profile" in made
    assert due_trials(plan, device.outcomes, {}) == ()
    again = Device(plan, time, unavailable=unavailable(CASES[1], "no driver"))
    assert again.go_on(10) + again.go_on() == made
    assert again.stops == device.stops


def test_what_is_missing_in_every_launch_is_neither_profiled_nor_scored() -> None:
    plan = asked(rounds=2, profile=True)
    device = Device(plan, lambda _: None, unavailable=unavailable(CASES[1], "no driver"))
    made = device.go_on()
    assert device.launches == dict.fromkeys(CASES, 2)
    assert f"{CASES[1]}/profile" not in made
    assert f"{CASES[0]}/profile" in made
    assert device.kinds == {CASES[1]: "unavailable"}
    assert due_trials(plan, device.outcomes, {}) == ()
    once = Device(asked(rounds=1, profile=True), lambda _: None, unavailable=unavailable(CASES[1], "no driver"))
    assert f"{CASES[1]}/profile" in once.go_on()  # one launch alone tells nothing for sure


@pytest.mark.parametrize(
    "why", [("no driver", None), (None, "no driver"), ("no driver", "lost device", "no driver")], ids=str
)
def test_a_delegate_that_could_be_had_or_failed_otherwise_is_tried_in_every_round(why: tuple[str | None, ...]) -> None:
    device = Device(asked(rounds=5), noisy({}, 0.1), unavailable=unavailable(CASES[1], *why))
    device.go_on()
    assert device.stops == {}
    assert set(device.launches.values()) == {5}


def test_a_delegate_whose_fault_may_pass_is_tried_in_every_round() -> None:
    plan = asked(rounds=3)
    trials = [trial for trial in plan.trials if trial.case.id == CASES[1]][:2]
    known = {trial.id: outcome_of(trial, None, "no room").model_copy(update={"transient": True}) for trial in trials}
    stops = [stop for due in passes(plan.of("host"), plan.measure, known, set(), {}) for stop in due.stops]
    assert stops == []


def test_rounds_go_on_where_they_are_needed_and_each_end_has_its_reason() -> None:
    plan = asked(rounds=5, precision=0.02, max_rounds=14, profile=True)
    device = Device(plan, noisy({}, {CASES[0]: 0.001, CASES[1]: 0.3, CASES[2]: 0.001, CASES[3]: 0.001}))
    made = device.go_on()
    assert device.kinds == {CASES[0]: "precise", CASES[1]: "max_rounds", CASES[2]: "precise", CASES[3]: "precise"}
    assert device.launches[CASES[1]] == 14
    assert max(device.launches[case] for case in CASES if case != CASES[1]) < 10
    assert {case: stop.rounds for case, stop in device.stops.items()} == device.launches
    assert made == [trial for trial in (trial.id for trial in plan.trials) if trial in set(made)]
    assert [trial.endswith("/profile") for trial in made] == [False] * (len(made) - 4) + [True] * 4


def test_a_canary_follows_each_round_that_was_held_and_no_other() -> None:
    device = Device(asked(rounds=5, precision=0.02, max_rounds=14), noisy({}, 0.001))
    made = device.go_on()
    rounds = max(device.launches.values())
    assert rounds < 14
    canaries = [trial for trial in made if "canary" in trial.rpartition("/")[2]]
    assert len(canaries) == rounds + 1
    assert "canary" in made[-1].rpartition("/")[2]


@pytest.mark.parametrize(
    "measure",
    [
        {"rounds": 4, "precision": 0.03, "max_rounds": 12},
        {"rounds": 4, "goal": "best", "max_rounds": 12},
        {"rounds": 4, "precision": 0.03, "max_rounds": 12, "budget_minutes": 1.5},
    ],
)
def test_a_run_that_is_interrupted_anywhere_goes_on_as_if_it_had_not_been(measure: dict[str, Any]) -> None:
    plan, time = asked(**measure), noisy({CASES[0]: 10.1, CASES[1]: 14}, 0.03)
    whole = Device(plan, time)
    all_made = whole.go_on()
    assert len(set(whole.launches.values())) > 1 or "budget_minutes" in measure
    for cut in range(0, len(all_made), 7):
        device = Device(plan, time)
        first = device.go_on(cut)
        assert first + device.go_on() == all_made
        assert device.stops == whole.stops
    assert due_trials(plan, whole.outcomes, {}) == ()


def test_no_round_begins_that_the_budget_does_not_hold() -> None:
    """Four cases of two seconds a launch: eight seconds a round."""
    device = Device(asked(rounds=2, precision=0.001, max_rounds=50, budget_minutes=1), noisy({}, 0.2))
    device.go_on()
    assert set(device.launches.values()) == {7}
    assert set(device.kinds.values()) == {"budget_minutes"}


def test_the_rounds_that_every_case_has_are_made_whatever_the_budget() -> None:
    device = Device(asked(rounds=3, precision=0.001, budget_minutes=0.01), noisy({}, 0.2))
    device.go_on()
    assert set(device.launches.values()) == {3}


def test_a_case_that_fails_is_not_tried_for_ever_and_cannot_win() -> None:
    def time(trial: Trial) -> float | None:
        return None if trial.case.id == CASES[1] else noisy({}, 0.2)(trial)

    device = Device(asked(rounds=3, precision=0.001, max_rounds=9), time)
    device.go_on()
    assert device.launches == {CASES[0]: 9, CASES[1]: 3, CASES[2]: 9, CASES[3]: 9}
    assert device.kinds[CASES[1]] == "failing"


def test_a_case_that_fails_from_some_round_on_is_given_as_many_as_every_case_has() -> None:
    def time(trial: Trial) -> float | None:
        return None if trial.case.id == CASES[1] and trial.round > 4 else noisy({}, 0.2)(trial)

    device = Device(asked(rounds=3, precision=0.001, max_rounds=12), time)
    device.go_on()
    assert (device.launches[CASES[1]], device.kinds[CASES[1]]) == (7, "failing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_rounds": 9},
        {"budget_minutes": 1},
        {"rounds": 31, "goal": "best"},
        {"precision": 0.1, "loses_at_most": 0.1},
        {"precision": 0.1, "best_by": "init_ms"},
    ],
)
def test_settings_that_do_nothing_are_a_mistake(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"nothing without|must be less"):
        MeasurementSettings(**wrong)
