"""What a plan leaves out and why: by choice, by rule, and what cannot run."""

from __future__ import annotations

import pytest

from benchbench.config.rules import SkipRule
from benchbench.plan import devices_with_cases, make_plan
from benchbench.runtimes.base import Target
from benchbench.runtimes.tflite.backends import Cpu, EdgeTpu, Gpu, Nnapi, Xnnpack
from benchbench.values.device import Cluster, Traits
from benchbench.values.errors import InputError, NothingToDo, ToolError
from tests.plans import HOST, PHONE, PI, matrix, planned, reasons, variant

KINDS_OF_CORES = (Cluster(cores=(0, 1), max_mhz=1800.0), Cluster(cores=(2, 3), max_mhz=2850.0))


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
