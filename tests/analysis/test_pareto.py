"""What each case gains and costs, and which no other beats in speed and accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchbench.analysis.frames import load
from benchbench.analysis.recommend import recommend
from benchbench.analysis.tradeoffs import tradeoffs
from tests.analysis.schemes import SCHEMES, WRONG, case, kin, likened, recommended, with_scores
from tests.report.builder import launches, variant, write_run


def test_another_network_is_no_base_no_choice_and_not_on_the_front(tmp_path: Path) -> None:
    stranger = kin("float16", network="float16", because="another network than float32: outputs [6] instead of [4]")
    others = [v for v in SCHEMES.values() if v.scheme != "float16"]
    outcomes = [*case("float32", 12, 915), *case("float16", 1, 999), *case("int8", 4, 914)]
    run = load(write_run(tmp_path, outcomes, variants=[*others, stranger]))
    table = tradeoffs(run.cases).set_index("scheme")
    assert table["pareto"].to_dict() == {"float32": True, "float16": False, "int8": True}
    assert set(table["best_float"].dropna()) == {"pixel8/mobilenet_v2.float32/xnnpack/t1"}
    assert np.isnan(table["speedup"]["float16"])
    assert np.isnan(table["accuracy_change"]["float16"])
    (found,) = recommend(run.cases)
    assert found.choice == "int8 on xnnpack, 1 thread"


def test_a_broken_case_is_no_base_and_not_on_the_front(tmp_path: Path) -> None:
    found = [*likened("float32", 12), *likened("float16", 2, **WRONG), *likened("int8", 4), *likened("int16x8", 3)]
    found += likened("float32", 1, "gpu", **WRONG) + likened("int8", 0.5, "gpu")
    table = tradeoffs(load(write_run(tmp_path, found, variants=list(SCHEMES.values()))).cases)
    on_cpu = table[table["delegate"] == "xnnpack"].set_index("scheme")
    assert set(on_cpu["best_float"]) == {"pixel8/mobilenet_v2.float32/xnnpack/t1"}
    assert on_cpu["broken"].to_dict() == {"float32": False, "float16": True, "int8": False, "int16x8": False}
    assert not on_cpu["pareto"]["float16"]
    on_gpu = table[table["delegate"] == "gpu"].set_index("scheme")
    assert pd.isna(on_gpu["float32"]["int8"])  # float32 there is no measure of anything


def test_families_are_measured_by_what_each_has(tmp_path: Path) -> None:
    other = variant(family="edsr", scheme="float32")
    found = [*case("float32", 12, 915), *launches([5.0] * 3, model=other)]
    found[-3:] = with_scores(found[-3:], {"n": 32, "dataset": "cd", "cosine": 0.999})
    table = tradeoffs(load(write_run(tmp_path, found, variants=[*SCHEMES.values(), other])).cases)
    assert dict(zip(table["family"], table["metric"], strict=True)) == {
        "mobilenet_v2": "accuracy_top1",
        "edsr": "accuracy_cosine",
    }


def test_scores_of_the_wrong_kind_in_a_stranger_s_run_are_no_scores(tmp_path: Path) -> None:
    odd = with_scores(case("int8", 4), {"n": "many", "top1": "high", "correct": "ff", "flags": 3, "broken": "no"})
    found = recommended(tmp_path, case("float32", 12, 915), case("float16", 13, 915), odd)
    assert found.choice == "float32 on xnnpack, 1 thread"


def test_the_pareto_front_leaves_out_what_another_beats_in_time_and_accuracy(tmp_path: Path) -> None:
    found = [case("float32", 12, 915), case("float16", 13, 910), case("int8", 4, 909), case("int16x8", 30, 908)]
    run = load(write_run(tmp_path, [o for one in found for o in one], variants=list(SCHEMES.values())))
    table = tradeoffs(run.cases).set_index("scheme")
    assert table["pareto"].to_dict() == {"float32": True, "float16": False, "int8": True, "int16x8": False}
    assert table["speedup"]["int8"] == pytest.approx(3.0)
    assert table["over_best"]["int8"] == pytest.approx(3.0)


def test_of_two_exact_paths_the_slower_is_not_on_the_front(tmp_path: Path) -> None:
    """Their cosines to the reference differ in the ninth digit."""
    slow, quick = (
        likened(s, ms, cosine=c, agreement=None) for s, ms, c in (("float32", 12, 1), ("float16", 3, 1 - 1e-9))
    )
    table = tradeoffs(load(write_run(tmp_path, [*slow, *quick], variants=list(SCHEMES.values()))).cases)
    assert table.set_index("scheme")["pareto"].to_dict() == {"float32": False, "float16": True}


def test_digits_that_no_benchbench_wrote_cost_the_interval_and_nothing_else(tmp_path: Path) -> None:
    found = [*case("float32", 12, 915), *case("int8", 4, 909)]
    spoilt = [o.model_copy(update={"accuracy": o.accuracy | {"correct": "zz"}}) if o.accuracy else o for o in found]
    table = tradeoffs(load(write_run(tmp_path, spoilt, variants=list(SCHEMES.values()))).cases).set_index("scheme")
    assert table["accuracy_change"]["int8"] == pytest.approx(-0.006)
    assert np.isnan(table["accuracy_change_low"]["int8"])
