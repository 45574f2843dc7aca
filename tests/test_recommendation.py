"""What is recommended, with which words, and which traps are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.accuracy.metrics import packed
from benchbench.frames import load
from benchbench.outcome import Outcome
from benchbench.recommendation import Recommendation, milliseconds, recommend, shorten, tradeoffs
from tests.report.builder import launches, variant, write_run

SCHEMES = {scheme: variant(scheme=scheme) for scheme in ("float32", "float16", "int8", "dynamic-int8", "int16x8")}


def case(scheme: str, ms: float, right: int | None = None, delegate: str = "xnnpack", **more: Any) -> list[Outcome]:
    """Five launches of a scheme; `right` of 1000 samples found."""
    found = launches([ms * f for f in (1, 1.01, 0.99, 1.005, 0.995)], model=SCHEMES[scheme], delegate=delegate, **more)
    if right is None:
        return found
    correct = np.arange(1000) < right
    scores = {"n": 1000, "dataset": "ab", "top1": right / 1000, "correct": packed(correct)}
    scored = {"purpose": "accuracy", "trial": f"{found[0].case}/accuracy", "accuracy": scores}
    return [*found, found[0].model_copy(update=scored)]


def recommended(folder: Path, *cases: list[Outcome]) -> Recommendation:
    run = load(write_run(folder, [o for found in cases for o in found], variants=list(SCHEMES.values())))
    (found,) = recommend(run.cases)
    return found


def test_the_fastest_that_keeps_its_accuracy_is_recommended_in_plain_words(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("float16", 11, 915), case("int8", 4, 909))
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert found.claims[0] == "4.00 ms"
    assert found.claims[1].startswith("3.0× [3.0, 3.0] faster than float32 on the same delegate")
    assert found.claims[-2].startswith("−0.6 points [−")
    assert found.claims[-1] == "3.6× smaller"


def test_a_faster_one_that_loses_points_is_evidence_not_the_choice(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("int8", 4, 700))
    assert found.choice == "float32 on xnnpack, 1 thread"
    assert found.evidence[0].startswith("int8 on xnnpack, 1 thread is faster (4.00 ms) but changes accuracy by −21.5")


def test_what_fell_back_is_never_recommended(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12), case("int8", 2, delegate="gpu", verdict="none"))
    assert found.choice == "float32 on xnnpack, 1 thread"
    assert any(trap.startswith("int8 falls off gpu") for trap in found.traps)


def test_nothing_is_recommended_where_nothing_ran_as_asked(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("int8", 2, delegate="gpu", verdict="unavailable"))
    assert found.case is None
    assert found.sentence.startswith("Nothing can be recommended")


def test_speed_without_accuracy_is_doubted(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12), case("int8", 4))
    assert "accuracy was not measured: this is about speed and size alone" in found.doubts


def test_two_that_cannot_be_told_apart_are_named(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12), case("int8", 4), case("dynamic-int8", 4.01))
    assert any("not to be told apart in speed from dynamic-int8" in doubt for doubt in found.doubts)


@pytest.mark.parametrize(
    ("cases", "trap"),
    [
        ([case("float32", 10), case("int8", 20)], "int8 on xnnpack, 1 thread is slower than float32 there (2×)"),
        ([case("dynamic-int8", 20, delegate="cpu")], "dynamic-int8 without XNNPACK runs on reference kernels"),
        ([case("float32", 10, 915), case("int8", 4, 914)], ""),
        ([case("float32", 10, 915, "cpu"), case("float32", 4, 860, "gpu")], "gpu itself costs accuracy"),
    ],
)
def test_known_traps_are_named(tmp_path: Path, cases: list[list[Outcome]], trap: str) -> None:
    traps = recommended(tmp_path, *cases).traps
    assert any(found.startswith(trap) for found in traps) if trap else not traps


def test_the_pareto_front_leaves_out_what_another_beats_in_everything(tmp_path: Path) -> None:
    found = [case("float32", 12, 915), case("float16", 13, 910), case("int8", 4, 909), case("int16x8", 30, 908)]
    run = load(write_run(tmp_path, [o for one in found for o in one], variants=list(SCHEMES.values())))
    table = tradeoffs(run.cases).set_index("scheme")
    assert table["pareto"].to_dict() == {"float32": True, "float16": True, "int8": True, "int16x8": False}
    assert table["speedup"]["int8"] == pytest.approx(3.0)
    assert table["over_best"]["int8"] == pytest.approx(3.0)


def test_digits_that_no_benchbench_wrote_cost_the_interval_and_nothing_else(tmp_path: Path) -> None:
    found = [*case("float32", 12, 915), *case("int8", 4, 909)]
    spoilt = [o.model_copy(update={"accuracy": o.accuracy | {"correct": "zz"}}) if o.accuracy else o for o in found]
    table = tradeoffs(load(write_run(tmp_path, spoilt, variants=list(SCHEMES.values()))).cases).set_index("scheme")
    assert table["accuracy_change"]["int8"] == pytest.approx(-0.006)
    assert np.isnan(table["accuracy_change_low"]["int8"])


def test_long_names_give_way_in_the_middle() -> None:
    assert shorten("a" * 30 + "_per_channel", 21) == "aaaaaaaaaa…er_channel"
    assert shorten("int8") == "int8"


@pytest.mark.parametrize(
    ("ms", "words"), [(4.0, "4.00 ms"), (2950.34, "2950 ms"), (0.0640, "0.0640 ms"), (250, "250 ms")]
)
def test_times_have_three_digits_and_no_exponent(ms: float, words: str) -> None:
    assert milliseconds(ms) == words
