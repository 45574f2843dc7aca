"""What a plan runs, in which order, and how long that takes at least."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbench.config.rules import SkipRule
from benchbench.execution.model_remarks import canary_remarks
from benchbench.plan import LAUNCH_S, selected, takes
from benchbench.runtimes.tflite.backends import Xnnpack
from benchbench.values.errors import NothingToDo
from benchbench.values.measurement_settings import MeasurementSettings
from tests.plans import HOST, PHONE, PI, matrix, planned, variant


def test_every_cell_of_the_matrix_is_a_case_with_a_readable_name() -> None:
    plan = planned(matrix(affinity=("big", "f0")), PI, PHONE)
    assert len(plan.cases) == 2 * 2 * 2 * 2 * 2
    assert "rpi5/net.int8/xnnpack/t2@big" in {case.id for case in plan.cases}
    assert len({trial.id for trial in plan.trials}) == len(plan.trials) == len(plan.cases) * 3


def test_every_round_passes_over_all_cases_before_the_next_begins() -> None:
    plan = planned(matrix(), HOST, PI)
    for device in plan.devices:
        trials = plan.of(device)
        assert [trial.round for trial in trials] == [1] * 8 + [2] * 8 + [3] * 8
        assert [trial.position for trial in trials] == list(range(1, 25))
        for number in (1, 2, 3):
            assert len({trial.case.id for trial in trials if trial.round == number}) == 8


def test_each_round_and_each_device_has_an_order_of_its_own() -> None:
    plan = planned(matrix(threads=(1, 2, 4, 8)), HOST, PI)
    orders = {
        tuple(trial.case.id.partition("/")[2] for trial in plan.of(device) if trial.round == number)
        for device in plan.devices
        for number in (1, 2, 3)
    }
    assert len(orders) == 6


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert planned(matrix(), seed=3) == planned(matrix(), seed=3)
    assert planned(matrix(), seed=3).trials != planned(matrix(), seed=4).trials


def test_a_device_keeps_its_order_whatever_else_is_connected() -> None:
    assert planned(matrix(), HOST, PI).of("host") == planned(matrix(), HOST).of("host")


def test_profiles_and_outputs_have_launches_of_their_own_after_all_rounds() -> None:
    asked = matrix(
        measure=MeasurementSettings(rounds=2, profile=True, canary=False), datasets={"net": "random"}, threads=(1, 4)
    )
    trials = planned(asked).trials
    assert [trial.purpose for trial in trials] == ["latency"] * 16 + ["profile"] * 8 + ["accuracy"] * 4
    assert {trial.round for trial in trials if trial.purpose != "latency"} == {0}
    assert len({trial.id for trial in trials}) == len(trials)


def test_outputs_are_taken_once_a_variant_and_delegate_where_there_is_a_dataset() -> None:
    other = variant("float32").model_copy(update={"family": "other"})
    asked = matrix(datasets={"net": "random"}, variants=(*matrix().variants, other))
    taken = Counter(
        (trial.case.variant.id, trial.case.delegate.kind)
        for trial in planned(asked, HOST).trials
        if trial.purpose == "accuracy"
    )
    assert taken == {(f"net.{v}", d): 1 for v in ("float32", "int8") for d in ("cpu", "xnnpack")}


def test_the_estimate_is_the_least_time_that_the_matrix_asks_for() -> None:
    plan = planned(matrix(measure=MeasurementSettings(rounds=2, min_seconds=1.5, warmup_min_seconds=0.5, canary=False)))
    assert plan.seconds("host") == pytest.approx(16 * (2 + LAUNCH_S))


def test_a_launch_that_fills_a_cache_takes_its_time_too() -> None:
    plain, warm = (planned(matrix(delegates=(Xnnpack(cache=cache),))) for cache in (None, "warm"))
    assert warm.seconds("host") == pytest.approx(plain.seconds("host") + LAUNCH_S * len(warm.trials))
    assert [case.id.replace(":warm", "") for case in warm.cases] == [case.id for case in plain.cases]


def test_a_plan_tells_the_most_native_launches_for_outputs_and_costs_the_least() -> None:
    asked = matrix(datasets={"net": "data.npz"}, threads=(1,), native_samples={"net": 100}, samples={"net": 50})
    plan = planned(asked, HOST, PHONE)
    assert plan.native_launches("host") == (0, 0)
    assert plan.native_launches("pixel8") == (4, 4 * 52)  # one alone, a batch in vain, another one alone, 49 one by one
    assert plan.seconds("host") - plan.seconds("pixel8") == pytest.approx(4 * (1.5 + LAUNCH_S) - 4 * 3 * LAUNCH_S)
    assert planned(matrix(datasets={"net": "random"}, samples={"net": 2}), PHONE).native_launches("pixel8") == (4, 8)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**31),
    rounds=st.integers(1, 4),
    threads=st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True),
    skip=st.lists(st.sampled_from(["*/cpu/*", "host/*", "*/t1", "none"]), max_size=2),
)
def test_cases_and_skips_are_the_whole_product_and_no_case_is_twice(
    seed: int, rounds: int, threads: list[int], skip: list[str]
) -> None:
    asked = matrix(threads=tuple(threads), measure=MeasurementSettings(rounds=rounds, canary=False))
    whole = [case.id for case in planned(asked, HOST, PI).cases]
    left = {name for name in whole if takes(name, (), skip)}
    if not left:
        with pytest.raises(NothingToDo):
            planned(asked, HOST, PI, seed=seed, skip=skip)
        return
    plan = planned(asked, HOST, PI, seed=seed, skip=skip)
    names = [case.id for case in plan.cases] + [skip.case.id for skip in plan.skips]
    assert plan.cells == 2 * 2 * 2 * len(threads)
    assert len(set(names)) == len(names)
    assert set(names) == left
    assert Counter(trial.case.id for trial in plan.trials) == {case.id: rounds for case in plan.cases}


def test_the_plan_of_the_demo_is_what_its_file_says() -> None:
    from benchbench.demo import demo_matrix

    for both, formats in ((False, {"tflite"}), (True, {"tflite", "onnx"})):
        asked = demo_matrix(both)
        plan = planned(asked, HOST)
        cases = len(asked.variants) * len(asked.threads)  # each model has one delegate of its runtime
        assert {case.variant.format for case in plan.cases} == formats
        assert (len(plan.cases), plan.skips) == (cases, ())
        canaries = len(plan.of("host")) - cases * asked.measure.rounds - len(asked.variants)
        assert canaries == 2 * (asked.measure.rounds + 1)  # of one thread, and of the most


def test_a_canary_runs_before_the_rounds_between_them_and_after_them() -> None:
    measure = MeasurementSettings(rounds=2, profile=True)
    plan = planned(matrix(measure=measure, threads=(1,)), HOST, PHONE)
    for device in plan.devices:
        trials = plan.of(device)
        told = [f"{trial.purpose} {trial.round}" for trial in trials]
        rounds = [["latency 1"] * 4, ["latency 2"] * 4]
        assert told == ["canary 0", *rounds[0], "canary 1", *rounds[1], "canary 2", *["profile 0"] * 4]
        assert [trial.position for trial in trials] == list(range(1, len(trials) + 1))
        canaries = [trial for trial in trials if not trial.of_matrix]
        assert len({trial.id for trial in canaries}) == 3
        assert {trial.case.id for trial in canaries} == {case.id for case in plan.canaries if case.device == device}
    assert {case.variant.family for case in plan.cases} == {"net"}
    assert plan.cells == 8


def test_a_selection_keeps_the_canaries_of_its_devices() -> None:
    plan = selected(planned(matrix(measure=MeasurementSettings(rounds=1)), HOST, PI), only=["rpi5/*/cpu/t1"], skip=())
    assert {trial.case.device for trial in plan.trials} == {"rpi5"}
    assert [trial.purpose for trial in plan.trials] == ["canary", "canary", "latency", "latency", "canary", "canary"]


def test_a_device_without_a_canary_is_told_of_where_one_was_asked_for() -> None:
    plan = planned(matrix(measure=MeasurementSettings(rounds=1)), HOST, PI)
    assert canary_remarks(plan) == ()
    without = replace(plan, trials=tuple(t for t in plan.trials if t.of_matrix or t.case.device == "host"))
    (told,) = canary_remarks(without)
    assert told.startswith("rpi5: no canary")
    assert canary_remarks(planned(matrix(), HOST)) == ()


@pytest.mark.parametrize(
    ("measure", "least"),
    [
        ({"precision": 0.02}, 8),  # fewer launches are never called precise
        ({"precision": 0.02, "rounds": 10}, 10),
        ({"precision": 0.02, "rounds": 3, "max_rounds": 6}, 6),
        ({"precision": 0.02, "budget_minutes": 1}, 5),  # a budget may end before
        ({"precision": 0.02, "goal": "best"}, 5),
        ({}, 5),
    ],
)
def test_at_least_as_long_as_cases_take_that_stop_as_early_as_they_may(measure: dict[str, Any], least: int) -> None:
    by_need = planned(matrix(measure=MeasurementSettings(canary=False, **measure)))
    assert by_need.measure.least_rounds == least
    fixed = planned(matrix(measure=MeasurementSettings(canary=False, rounds=least)))
    assert by_need.seconds("host") == pytest.approx(fixed.seconds("host"))


def test_this_machine_takes_its_time_after_all_the_others() -> None:
    both = matrix(measure=MeasurementSettings(rounds=1, canary=False), skips=(SkipRule(device="rpi5", threads=2),))
    plan = planned(both, HOST, PI, PHONE)
    host, pi, phone = (plan.seconds(name) for name in ("host", "rpi5", "pixel8"))
    assert 0 < pi < phone
    assert plan.in_all(plan.seconds) == pytest.approx(phone + host)
    boards = planned(both, PI, PHONE)
    assert boards.in_all(boards.seconds) == pytest.approx(phone)
    alone = planned(matrix(measure=both.measure), HOST)
    assert alone.in_all(alone.seconds) == pytest.approx(host)
