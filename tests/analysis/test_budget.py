"""Budgets: which cases do not keep to them, and what a matrix may write."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchbench.analysis.budget import Breach, breaches
from benchbench.analysis.frames import load
from benchbench.config.rules import BudgetRule
from benchbench.report import write_report
from benchbench.runtimes.tflite.backends import Xnnpack
from benchbench.values.errors import InputError
from benchbench.values.measurement_settings import MeasurementSettings
from tests.plans import matrix, planned
from tests.report.builder import conditions, launches, outcome, write_run
from tests.workbench import Workbench


def told(folder: Path, *rules: BudgetRule) -> list[str]:
    """What is told of two cases, 10 ms on the CPU and 20 ms on the GPU, of which another launch failed."""
    found = [*launches([10.0] * 5), *launches([20.0] * 5, delegate="gpu")]
    return [str(breach) for breach in breaches(load(write_run(folder, found)).cases, rules)]


def test_a_case_above_a_limit_is_told_with_its_value_and_the_limit(tmp_path: Path) -> None:
    case = "pixel8/mobilenet_v2.float32/gpu/t1"
    assert told(tmp_path, BudgetRule(max={"median_ms": 15})) == [f"{case}: latency: 20.0 ms; budget: at most 15.0 ms"]
    assert told(tmp_path, BudgetRule(max={"median_ms": 20})) == []


@pytest.mark.parametrize(
    ("where", "cases"),
    [
        ({}, 2),
        ({"delegate": "gpu"}, 1),
        ({"family": "mobile*", "device": "pixel8"}, 2),
        ({"variant": "mobilenet_v2.float32", "scheme": "float32", "threads": 1}, 2),
        ({"device": "pi"}, 0),
        ({"affinity": "big"}, 0),
    ],
)
def test_a_rule_is_about_the_cells_that_fit_all_its_fields(tmp_path: Path, where: dict[str, str], cases: int) -> None:
    assert len(told(tmp_path, BudgetRule.model_validate(where | {"max": {"median_ms": 1}}))) == cases


def test_what_is_not_known_keeps_no_limit(tmp_path: Path) -> None:
    (gpu, cpu) = sorted(told(tmp_path, BudgetRule(min={"accuracy_top1": 0.9})))
    assert gpu.endswith("top-1 accuracy: not known; budget: at least 90.0 %")
    assert "/gpu/" in gpu
    assert "/gpu/" not in cpu


def test_a_case_that_failed_keeps_no_limit(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, [outcome(status="failed")]))
    (breach,) = breaches(run.cases, [BudgetRule(max={"median_ms": 15})])
    assert breach.value is None


def test_what_ran_elsewhere_or_was_disturbed_keeps_no_limit_of_its_launches(tmp_path: Path) -> None:
    """Its file is what it is, and a throttled launch has the right answers all the same."""
    hot = conditions(60, throttled=["throttled"])
    scores: dict[str, Any] = {"accuracy": {"top1": 0.95}}
    fell_back = launches([10.0] * 5, delegate="gpu", verdict="unavailable", **scores)
    throttled = [o.model_copy(update={"after": hot}) for o in launches([10.0] * 5, **scores)]
    run = load(write_run(tmp_path, [*fell_back, *throttled]))
    rule = BudgetRule(max={"median_ms": 15, "rss_peak_mb": 100, "size_mb": 20}, min={"accuracy_top1": 0.9})
    found = {(breach.case.split("/")[2], breach.column): breach for breach in breaches(run.cases, [rule])}
    assert set(found) == {
        *(("gpu", column) for column in ("median_ms", "rss_peak_mb", "accuracy_top1")),
        *(("xnnpack", column) for column in ("median_ms", "rss_peak_mb")),
    }
    assert all(breach.value is None and breach.why for breach in found.values())


def test_a_percentile_that_is_not_known_is_told_as_a_sentence(tmp_path: Path) -> None:
    breach = Breach("pixel8/m/gpu/t1", "p99_ms", None, 1.0, upper=True)
    assert str(breach).endswith("at most: not known; budget: at most 1.00 ms")


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ({"min": {"accuracy_top1": 0.9}}, {}),
        ({"min": {"accuracy_top1": 0.9}}, {"datasets": {"net": "random"}}),
        ({"max": {"p99_ms": 9}}, {"measure": MeasurementSettings(runs=661, min_seconds=0, canary=False)}),
        ({"max": {"init_warm_ms": 9}}, {}),
        ({"max": {"init_warm_ms": 9}}, {"delegates": (Xnnpack(cache="cold"),)}),
    ],
)
def test_a_limit_of_what_nobody_will_know_is_refused_when_it_is_planned(
    rule: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"budget 1: \w+ of host/net\.\w+/[\w:-]+/t1 will not be known"):
        planned(matrix(budget=(BudgetRule.model_validate(rule),), **changes))


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ({"min": {"accuracy_top1": 0.9}}, {"datasets": {"net": "/photos"}}),
        ({"min": {"accuracy_agreement": 0.9}}, {"datasets": {"net": "random"}}),
        ({"max": {"p99_ms": 9}}, {"measure": MeasurementSettings(runs=662, min_seconds=0, canary=False)}),
        ({"max": {"p99_ms": 9}}, {}),  # its launches go on for a second, at least
        ({"max": {"init_warm_ms": 9}}, {"delegates": (Xnnpack(cache="warm"),)}),
    ],
)
def test_a_limit_of_what_somebody_may_know_is_planned(rule: dict[str, Any], changes: dict[str, Any]) -> None:
    assert planned(matrix(budget=(BudgetRule.model_validate(rule),), **changes)).cases


@pytest.mark.parametrize(
    "wrong", [{}, {"device": "pi"}, {"max": {"accuracy_top1": 0.9}}, {"min": {"median_ms": 1}}, {"max": {"speed": 1}}]
)
def test_a_rule_has_limits_of_known_columns_that_lie_on_their_good_side(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BudgetRule.model_validate(wrong)


def test_a_run_beyond_its_budget_ends_with_1_and_rules_must_fit_a_case(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    matrix = bench.matrix("float32", "int8", rounds=1)
    text = matrix.read_text()
    matrix.write_text(text + "[[budget]]\nmax = { size_mb = 0.2 }\n")
    done = bench.benchbench("run", str(matrix), expect=1)
    assert [line for line in done.stderr.splitlines() if line.startswith("budget: ")] == [
        "budget: host/fashion_mnist.float32/xnnpack/t1: file: 0.550 MB; budget: at most 0.200 MB"
    ]
    told = [line for line in done.stderr.splitlines() if line.startswith("budget: ")]
    again = bench.benchbench("run", "--resume", str(bench.latest()), expect=1)  # judged again, as often as asked
    assert again.stderr.splitlines() == told
    matrix.write_text(text + '[[budget]]\ndelegate = "gpu"\nmax = { size_mb = 0.2 }\n')
    refused = bench.benchbench("run", str(matrix), expect=2)
    assert "[[budget]] delegate = 'gpu' fits no case" in refused.stderr


def test_the_texts_of_a_report_name_what_is_over_its_budget_near_their_top(tmp_path: Path) -> None:
    rules = [{"max": {"median_ms": 15}}]
    found = [*launches([10.0] * 5), *launches([20.0] * 5, delegate="gpu")]
    write_run(tmp_path, found, matrix={"name": "limits", "budget": rules})
    write_report([load(tmp_path)], tmp_path)
    limit = "pixel8/mobilenet_v2.float32/gpu/t1: latency: 20.0 ms; budget: at most 15.0 ms"
    head = (tmp_path / "report.md").read_text().partition("###")[0]
    assert limit in head.replace("\\", "")
    page = (tmp_path / "index.html").read_text()
    assert limit in page.partition("<main")[0]
    assert json.loads((tmp_path / "report.json").read_text())["runs"][0]["over_budget"] == [limit]


def test_a_rule_of_a_stranger_is_input_that_is_wrong_with_its_file_and_key(tmp_path: Path) -> None:
    for rules, key in (([{"max": {"median_ms": math.nan}}], "budget 1: max.median_ms"), (5, "budget")):
        write_run(tmp_path, launches([10.0]), matrix={"budget": rules})
        with pytest.raises(InputError, match=rf"run\.json: {key}"):
            _ = load(tmp_path).budget
