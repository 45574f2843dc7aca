from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchbench.config.matrix import Matrix
from benchbench.config.rules import SkipRule
from benchbench.execution.model_remarks import canary_remarks
from benchbench.plan import LAUNCH_S, Plan, devices_with_cases, make_plan, selected, takes
from benchbench.runtimes.base import Target
from benchbench.runtimes.tflite.backends import Cpu, EdgeTpu, Gpu, Nnapi, Xnnpack
from benchbench.values.case import MeasurementSettings, Variant
from benchbench.values.device import Adb, Cluster, Device, Local, Ssh, ToolChoice, Traits
from benchbench.values.errors import InputError, NothingToDo, ToolError

HOST, PI = Device(name="host", address=Local()), Device(name="rpi5", address=Ssh(host="rpi5"))
PHONE = Device(name="pixel8", address=Adb(serial="R58N"))


def variant(name: str) -> Variant:
    return Variant(family="net", name=name, scheme=name, path=f"/{name}", sha256=name, size_mb=1, nodes=9)


def matrix(**changes: Any) -> Matrix:
    given: dict[str, Any] = {
        "name": "test",
        "source": "matrix.toml",
        "devices": None,
        "threads": (1, 2),
        "affinity": (),
        "delegates": (Cpu(), Xnnpack()),
        "variants": (variant("float32"), variant("int8")),
        "entries": (),
        "datasets": {},
        "samples": {},
        "measure": MeasurementSettings(rounds=3, canary=False),
        "skips": (),
        "tool": ToolChoice(),
    }
    return Matrix(**given | changes)


def planned(asked: Matrix, *devices: Device, seed: int = 7, **selection: Any) -> Plan:
    return make_plan(asked, [Target(device) for device in devices or (HOST,)], seed=seed, **selection)


def reasons(plan: Plan) -> dict[str, str]:
    return {skip.case.id: skip.reason for skip in plan.skips}


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


def test_only_and_skip_choose_by_globs_over_case_ids() -> None:
    plan = planned(matrix(), HOST, PI, only=["*/xnnpack/*"], skip=["rpi5/*"])
    assert {case.id for case in plan.cases} == {
        f"host/net.{v}/xnnpack/t{n}" for v in ("float32", "int8") for n in (1, 2)
    }
    assert plan.skips == ()  # what was not selected is no row, but how it was selected is known
    assert (plan.only, plan.skip, plan.cells) == (("*/xnnpack/*",), ("rpi5/*",), 16)


def test_a_selection_chooses_devices_too() -> None:
    asked = matrix(skips=(SkipRule(device="pixel8"),))
    both = (HOST, PI, PHONE)
    assert devices_with_cases(asked, both) == (HOST, PI)
    assert devices_with_cases(asked, both, only=["rpi5/*"]) == (PI,)
    assert devices_with_cases(asked, both, skip=["rpi5/*"]) == (HOST,)
    with pytest.raises(NothingToDo, match=r"pixel8/net\.float32/cpu/t1: left out by the matrix"):
        devices_with_cases(asked, both, only=["pixel8/*"])


def test_what_the_matrix_leaves_out_is_told_from_what_cannot_run() -> None:
    asked = matrix(delegates=(Xnnpack(), Nnapi()), skips=(SkipRule(scheme="int8"),), threads=(1,))
    told = {skip.case.id: skip.deliberate for skip in planned(asked).skips}
    assert told == {
        "host/net.float32/nnapi/t1": False,
        "host/net.int8/xnnpack/t1": True,
        "host/net.int8/nnapi/t1": True,
    }


def test_only_what_there_is_not_is_nothing_to_do_and_shows_what_cases_look_like() -> None:
    with pytest.raises(NothingToDo, match=r"--only 'gpu' fits no case \(cases look like host/net\.float32/cpu/t1\)"):
        planned(matrix(), only=["gpu"])


def test_when_everything_is_left_out_the_first_reason_is_told() -> None:
    with pytest.raises(NothingToDo, match="nothing is left to run: --only and --skip leave no case"):
        planned(matrix(), skip=["*"])
    with pytest.raises(NothingToDo, match=r"nothing is left to run: host/net\.float32/cpu/t1: too slow"):
        planned(matrix(skips=(SkipRule(device="*", reason="too slow"),)))


def test_a_device_without_anything_to_measure_with_is_a_fault_of_the_tool() -> None:
    bare = Target(HOST, problem="nothing to measure with")
    with pytest.raises(ToolError, match="host: nothing to measure with"):
        make_plan(matrix(), [bare], seed=0)


def test_without_any_device_there_is_nothing_to_do() -> None:
    with pytest.raises(NothingToDo, match="no device"):
        make_plan(matrix(), [], seed=1, only=["*"])


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (SkipRule(delegate="cpu"), 4),
        (SkipRule(scheme="int*", threads=2), 6),
        (SkipRule(variant="net.int8", delegate="xnnpack"), 6),
        (SkipRule(variant="int8", device="ho*"), 4),
        (SkipRule(family="net", threads=1), 4),
    ],
)
def test_a_rule_leaves_out_the_cells_that_fit_all_its_fields(rule: SkipRule, left: int) -> None:
    plan = planned(matrix(skips=(rule,)))
    assert len(plan.cases) == left
    assert set(reasons(plan).values()) == {"left out by the matrix"}


def test_a_rule_that_fits_no_cell_is_a_mistake_and_shown_as_it_is_written() -> None:
    rules = (SkipRule(delegate="cpu"), SkipRule(delegate="gpu", scheme="int8"))
    with pytest.raises(InputError, match=r"matrix\.toml: \[\[skip\]\] scheme = 'int8', delegate = 'gpu' fits no case"):
        planned(matrix(skips=rules))


def test_the_edge_tpu_runs_its_own_variants_and_nothing_else_runs_them() -> None:
    asked = matrix(delegates=(Xnnpack(), EdgeTpu()), variants=(variant("int8"), variant("edgetpu")), threads=(1,))
    plan = planned(asked, PI)
    assert {case.id for case in plan.cases} == {"rpi5/net.int8/xnnpack/t1", "rpi5/net.edgetpu/edgetpu/t1"}
    assert "compiled for the Edge TPU" in reasons(plan)["rpi5/net.edgetpu/xnnpack/t1"]
    assert "edgetpu_compiler" in reasons(plan)["rpi5/net.int8/edgetpu/t1"]


def test_a_delegate_that_cannot_exist_on_a_system_is_left_out_with_its_reason() -> None:
    plan = planned(matrix(delegates=(Xnnpack(), Nnapi())), PI, PHONE)
    assert "rpi5/net.int8/nnapi/t1" in reasons(plan)
    assert "pixel8/net.int8/nnapi/t1" in {case.id for case in plan.cases}


def test_a_device_that_was_asked_is_planned_by_what_it_can() -> None:
    traits = Traits(os="linux", abi="aarch64", accelerators=())
    asked = matrix(delegates=(Cpu(), Gpu()))
    plan = make_plan(asked, [Target(PI, traits, {"tflite": "python"})], seed=1)
    assert "libvulkan1" in reasons(plan)["rpi5/net.int8/gpu/t1"]
    with_gpu = make_plan(
        asked, [Target(PI, traits.model_copy(update={"accelerators": ("gpu",)}), {"tflite": "python"})], seed=1
    )
    assert with_gpu.skips == ()


def test_a_device_without_a_runner_is_left_out_with_what_to_do() -> None:
    targets = [Target(HOST), Target(PI, problem="nothing to measure with: install")]
    plan = make_plan(matrix(), targets, seed=1)
    assert plan.devices == ("host",)
    assert reasons(plan)["rpi5/net.int8/cpu/t1"] == "nothing to measure with: install"


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
        assert canaries == asked.measure.rounds + 1


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
    assert [trial.purpose for trial in plan.trials] == ["canary", "latency", "latency", "canary"]


def test_a_device_without_a_canary_is_told_of_where_one_was_asked_for() -> None:
    plan = planned(matrix(measure=MeasurementSettings(rounds=1)), HOST, PI)
    assert canary_remarks(plan) == ()
    without = replace(plan, trials=tuple(t for t in plan.trials if t.of_matrix or t.case.device == "host"))
    (told,) = canary_remarks(without)
    assert told.startswith("rpi5: no canary")
    assert canary_remarks(planned(matrix(), HOST)) == ()


def test_this_machine_takes_its_time_after_all_the_others() -> None:
    both = matrix(measure=MeasurementSettings(rounds=1, canary=False), skips=(SkipRule(device="rpi5", threads=2),))
    plan = planned(both, HOST, PI, PHONE)
    host, pi, phone = (plan.seconds(name) for name in ("host", "rpi5", "pixel8"))
    assert 0 < pi < phone
    assert plan.all_seconds() == pytest.approx(phone + host)
    assert planned(both, PI, PHONE).all_seconds() == pytest.approx(phone)
    assert planned(matrix(measure=both.measure), HOST).all_seconds() == pytest.approx(host)


KINDS_OF_CORES = (Cluster(cores=(0, 1), max_mhz=1800.0), Cluster(cores=(2, 3), max_mhz=2850.0))


@pytest.mark.parametrize(
    ("clusters", "left_out"),
    [
        (KINDS_OF_CORES, set()),
        (KINDS_OF_CORES[:1], {"big", "little"}),
        ((Cluster(cores=(0, 1, 2, 3), max_mhz=None),), {"big", "little"}),
        ((), {"big", "little"}),
    ],
    ids=["two kinds", "one kind", "clocks untold", "cores untold"],
)
def test_cores_that_a_device_does_not_have_are_a_skip_and_never_all_cores(
    clusters: tuple[Cluster, ...], left_out: set[str]
) -> None:
    traits = Traits(os="linux", abi="aarch64", clusters=clusters)
    asked = matrix(affinity=("big", "little", "all", "3"), threads=(1,), delegates=(Cpu(),))
    plan = make_plan(asked, [Target(PI, traits, {"tflite": "python"})], seed=1)
    assert {skip.case.affinity for skip in plan.skips} == left_out
    assert {case.affinity for case in plan.cases} == {"big", "little", "all", "3"} - left_out
    assert all('use "all", or a mask' in reason for reason in reasons(plan).values())
