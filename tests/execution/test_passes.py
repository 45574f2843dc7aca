"""What a device does next: which cases have another round, why others have none, and that a resumed run agrees."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchbench.execution.passes import due_trials, passes
from benchbench.plan import Plan
from benchbench.values.case import Trial
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import Delegation, Measurement, Outcome, Timings
from benchbench.values.quantities import RACED
from benchbench.values.quantity import NUMBER, Quantity
from benchbench.values.stop import Stop
from tests.plans import matrix, planned

CASES = tuple(f"host/net.{scheme}/{kind}/t1" for scheme in ("float32", "int8") for kind in ("cpu", "xnnpack"))
Time = Callable[[Trial], float | None]  # of a launch, in milliseconds; None = it fails


def asked(**measure: Any) -> Plan:
    return planned(matrix(threads=(1,), measure=MeasurementSettings(**measure)))


def noisy(levels: dict[str, float], cv: float | dict[str, float], seed: int = 1) -> Time:
    """Each case about a level of its own; the same trial always takes the same time."""

    def time(trial: Trial) -> float:
        width = cv if isinstance(cv, float) else cv.get(trial.case.id, 0.0)
        return levels.get(trial.case.id, 10.0) * (1 + width * random.Random(f"{seed}/{trial.id}").gauss(0, 1))

    return time


def outcome_of(trial: Trial, ms: float | None, why: str | None = None, init_ms: float | None = None) -> Outcome:
    """`why` its delegate cannot be had."""
    kind = trial.case.delegate.kind
    took = Delegation(asked=kind, verdict="none" if kind == "cpu" else "full", fallback="cpu")
    if why is not None:
        took = Delegation(asked=kind, verdict="unavailable", evidence=why)
    init = None if init_ms is None else 1000 * init_ms
    timings = Timings() if ms is None else Timings(median=1000 * ms, mean=1000 * ms, init=init)
    return Outcome(
        trial=trial.id,
        case=trial.case.id,
        device="host",
        variant=trial.case.variant.id,
        round=trial.round,
        position=trial.position,
        purpose=trial.purpose,
        status="failed" if ms is None else "ok",
        measurement=Measurement(timings=timings),
        delegation=took,
        wall_s=2.0,
    )


@dataclass
class Device:
    """Makes what is due; all that it keeps is what a journal would."""

    plan: Plan
    time: Time
    unfit: dict[str, str] = field(default_factory=dict)
    unavailable: Callable[[Trial], str | None] = lambda _: None
    init: Time = lambda _: None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)

    def go_on(self, at_most: int = 10**6) -> list[str]:
        """The trials made, in order."""
        made: list[str] = []
        done = set(self.outcomes)
        for due in passes(self.plan.of("host"), self.plan.measure, self.outcomes, done, self.unfit):
            self.stops |= {stop.case: stop for stop in due.stops}
            for trial in due.trials:
                if len(made) == at_most:
                    return made
                told = self.time(trial), self.unavailable(trial), self.init(trial)
                self.outcomes[trial.id] = outcome_of(trial, *told)
                done.add(trial.id)
                made.append(trial.id)
        return made

    @property
    def kinds(self) -> dict[str, str]:
        return {case: stop.kind for case, stop in self.stops.items()}

    @property
    def launches(self) -> Counter[str]:
        return Counter(outcome.case for outcome in self.outcomes.values() if outcome.timed)


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


def test_of_outputs_and_rounds_those_that_a_race_goes_by_come_first() -> None:
    settings = MeasurementSettings(rounds=2, goal="best", max_rounds=4)
    plan = planned(matrix(threads=(1,), datasets={"net": "random"}, measure=settings))
    purposes = [trial.purpose for trial in plan.trials if trial.of_matrix]
    assert purposes == ["latency"] * 8 + ["accuracy"] * 4 + ["latency"] * 8


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
