"""What is recommended, with which words, and which pitfalls are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.analysis.formatting import shorten
from benchbench.analysis.frames import load
from benchbench.analysis.recommend import recommend, unfit
from benchbench.values.outcome import Outcome
from tests.analysis.schemes import SCHEMES, WRONG, case, kin, likened, recommended, with_scores
from tests.report.builder import conditions, launches, write_run


def test_the_fastest_that_keeps_its_accuracy_is_recommended_in_plain_words(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("float16", 11, 915), case("int8", 4, 909))
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert found.claims[0] == "4.00 ms"
    assert found.claims[1].startswith("3.00× [2.97, 3.03] faster than float32 on the same delegate")
    assert found.claims[-2].startswith("−0.6 points [−")
    assert found.claims[-1] == "3.59× smaller"


def test_a_faster_one_that_loses_points_is_evidence_not_the_choice(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("int8", 4, 700))
    assert found.choice == "float32 on xnnpack, 1 thread"
    assert found.evidence[0].startswith(
        "int8 on xnnpack, 1 thread is faster (4.00 ms) but costs accuracy: −21.5 points [−"
    )


def test_what_loses_too_much_or_breaks_an_output_can_win_no_race(tmp_path: Path) -> None:
    broken = with_scores(case("dynamic-int8", 3), {"n": 1000, "dataset": "ab", "top1": 0.915, **WRONG})
    cases = [case("float32", 12, 915), case("float16", 11, 909), case("int8", 4, 700), broken, case("int16x8", 20)]
    run = load(write_run(tmp_path, [o for found in cases for o in found], variants=list(SCHEMES.values())))
    out = {name.split("/")[1].rpartition(".")[2]: why for name, why in unfit(run.cases, 0.01).items()}
    assert {scheme: why.partition(" ")[0] for scheme, why in out.items()} == {"int8": "−21.5", "dynamic-int8": "breaks"}
    assert len(unfit(run.cases, 0.001)) == 3  # float16 loses 0.6 points


def test_what_fell_back_is_never_recommended(tmp_path: Path) -> None:
    fallen = case("int8", 2, 915, delegate="gpu", verdict="none")
    found = recommended(tmp_path, case("float32", 12, 915), case("float16", 13, 915), fallen)
    assert found.choice == "float32 on xnnpack, 1 thread"
    assert any(trap.startswith("gpu was asked for, and took nothing") for trap in found.pitfalls)


def test_nothing_is_recommended_where_nothing_ran_as_asked(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("int8", 2, delegate="gpu", verdict="unavailable"))
    assert found.case is None
    assert found.sentence.startswith("Nothing can be recommended")


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ([case("float32", 12), case("int8", 4)], "outputs are known for 0 of 2"),
        ([case("float32", 12), likened("int8", 4), case("float16", 11)], "outputs are known for 1 of 3: int8 on xnn"),
        ([likened("int8", 4)], "no other variant or delegate has a number to compare int8 on xnnpack, 1 thread with"),
    ],
)
def test_where_the_outputs_of_none_or_one_are_known_nothing_can_be_recommended(
    tmp_path: Path, cases: list[list[Outcome]], words: str
) -> None:
    found = recommended(tmp_path, *cases)
    assert found.case is None
    assert found.sentence.startswith("Cannot recommend")
    assert words in found.sentence


def test_cases_of_unknown_outputs_are_named_beside_the_choice(tmp_path: Path) -> None:
    found = recommended(tmp_path, likened("float32", 12), likened("int8", 4), case("dynamic-int8", 2))
    assert found.choice == "int8 on xnnpack, 1 thread"
    told = "outputs are known for 2 of 3: float32 on xnnpack, 1 thread; int8 on xnnpack, 1 thread; not for dynamic-int8"
    assert any(doubt.startswith(told) for doubt in found.doubts)


def test_nothing_slower_than_the_best_float_case_is_recommended(tmp_path: Path) -> None:
    slow = [likened("int8", 200), likened("int16x8", 220)]
    found = recommended(tmp_path, case("float32", 10), *slow)
    assert found.case is None
    assert "slower than float32 on xnnpack, 1 thread (10.0 ms), the device's best float case" in found.sentence
    found = recommended(tmp_path / "known", likened("float32", 10), *slow)
    assert found.choice == "float32 on xnnpack, 1 thread"


def test_a_limit_that_rules_the_best_float_case_out_is_said_to_do_so(tmp_path: Path) -> None:
    on_gpu = case("float32", 4, 860, "gpu")
    found = recommended(tmp_path, case("float32", 12, 915, "cpu"), on_gpu, case("int16x8", 30, 914))
    assert found.choice == "float32 on cpu, 1 thread"
    assert any("slower than float32 on gpu" in claim and "loses more than a point" in claim for claim in found.claims)


def test_of_those_as_fast_the_more_faithful_wins(tmp_path: Path) -> None:
    near = likened("float16", 4.02, sqnr_db=71.0), likened("int8", 4.0, sqnr_db=31.0)
    found = recommended(tmp_path, likened("float32", 12), *near)
    assert found.choice == "float16 on xnnpack, 1 thread"
    assert any("int8 on xnnpack, 1 thread (4.00 ms)" in doubt for doubt in found.doubts)


def test_with_launches_too_few_for_an_interval_a_plain_difference_is_one(tmp_path: Path) -> None:
    few = [likened("float32", 12), likened("int8", 4, sqnr_db=31.0), likened("float16", 11)]
    found = recommended(tmp_path, *([o for o in one if o.purpose != "latency" or o.round < 2] for one in few))
    assert found.choice == "int8 on xnnpack, 1 thread"


def test_where_only_another_network_was_measured_it_is_said_to_be_one(tmp_path: Path) -> None:
    stranger = kin("float16", network="float16", because="another network than float32: outputs [6] instead of [4]")
    (found,) = recommend(load(write_run(tmp_path, case("float16", 1, 999), variants=[stranger])).cases)
    assert found.case is None
    assert "another network than float32" in found.sentence
    assert "no case has a number" not in found.sentence


def test_what_holds_for_every_measured_case_of_a_device_is_no_doubt_about_the_choice(tmp_path: Path) -> None:
    found = recommended(
        tmp_path,
        case("float32", 12, 915, after=conditions(None), before=conditions(None, load=20.0)),
        case("int8", 4, 915, after=conditions(None), before=conditions(None, load=21.0)),
        case("int16x8", 4, delegate="gpu", status="failed", error="boom"),
    )
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert any("no temperature sensor" in doubt for doubt in found.shared)
    assert any(doubt.startswith("e.g. load up to") for doubt in found.shared)
    assert not any("sensor" in doubt or "load" in doubt for doubt in found.doubts)


def test_many_times_faster_by_few_launches_is_not_called_alike(tmp_path: Path) -> None:
    one, two = SCHEMES["float32"], SCHEMES["int8"]
    found = [*launches([12.0, 12.1, 12.2], model=one), *launches([3.0, 3.1, 3.2], model=two)]
    scores: dict[str, Any] = {"n": 32, "dataset": "ab", "cosine": 0.9999, "sqnr_db": 40.0, "broken": 0, "flags": ""}
    found = [*with_scores(found[:3], scores), *with_scores(found[3:], scores)]
    (best,) = recommend(load(write_run(tmp_path, found, variants=[one, two])).cases)
    assert best.choice == "int8 on xnnpack, 1 thread"
    assert not any("not to be told apart" in claim for claim in best.claims)
    assert any("3.90× faster than float32" in claim and "too few" in claim for claim in best.claims)


def test_a_unit_is_said_once(tmp_path: Path) -> None:
    decibel: dict[str, Any] = {"agreement": None, "cosine": 1.0, "telling": "sqnr_db"}
    found = recommended(tmp_path, likened("float32", 12, **decibel), likened("int8", 4, **decibel, sqnr_db=32.0))
    assert found.evidence[-1].count("dB") == 2  # one for each of the two cases
    assert "in dB" not in found.evidence[-1]


def test_where_every_case_failed_that_is_said_and_why(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, status="failed", error="XNNPack failed to reshape."))
    assert found.case is None
    assert "every case failed: XNNPack failed to reshape" in found.sentence
    assert ".." not in found.sentence


def test_two_that_cannot_be_told_apart_are_named(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("int8", 4, 915), case("dynamic-int8", 4.01, 914))
    assert any("not to be told apart in speed from dynamic-int8" in doubt for doubt in found.doubts)


@pytest.mark.parametrize(
    ("cases", "trap"),
    [
        ([case("float32", 10), case("int8", 20)], "int8 on xnnpack, 1 thread is slower than float32 there: 2.00× ["),
        (
            [case("dynamic-int8", 20, delegate="cpu")],
            "dynamic-int8 without XNNPACK runs on the interpreter's",
        ),
        ([case("float32", 10, 915), case("int8", 4, 914)], ""),
        ([case("float32", 10, 915, "cpu"), case("float32", 4, 860, "gpu")], "gpu itself costs accuracy"),
        (
            [likened("float32", 10), likened("float32", 4, "gpu", **WRONG)],
            "gpu breaks an output of float32 that is sound on xnnpack (it may compute in float16): output 'y': every",
        ),
        ([likened("float32", 10), likened("int8", 4, **WRONG)], "int8 on xnnpack, 1 thread breaks an output: output"),
        (
            [case("float32", 10, delegate="gpu"), case("int8", 9, delegate="gpu", verdict="partial")],
            "int8 falls off gpu: gpu, rest on xnnpack ran it, 40 of 65 nodes",
        ),
        (
            [case("float32", 10, delegate="gpu"), case("int8", 9, delegate="gpu", status="failed", error="no CONV_2D")],
            "int8 does not run on gpu, where float does: no CONV_2D",
        ),
        (
            [case("float32", 9, delegate="gpu", verdict="none"), case("int8", 9, delegate="gpu", verdict="none")],
            "gpu was asked for, and took nothing: xnnpack (gpu took nothing) ran",
        ),
        (
            [case("float32", 10, 19, n=20), case("int8", 4, 19, n=20)],
            "20 samples: too few to tell whether a point of accuracy is lost by int8 on xnnpack, 1 thread",
        ),
        (
            [likened("float32", 10), likened("int8", 4)],
            "32 samples: too few to tell whether a point of fidelity is lost by int8",
        ),
        ([case("dynamic-int8", 20, delegate="cpu", status="failed", error="no memory")], ""),
    ],
)
def test_known_traps_are_named(tmp_path: Path, cases: list[list[Outcome]], trap: str) -> None:
    pitfalls = recommended(tmp_path, *cases).pitfalls
    assert any(found.startswith(trap) for found in pitfalls) if trap else not pitfalls


@pytest.mark.parametrize("base", [None, "float32"])
def test_a_broken_case_is_never_recommended_even_without_labels(tmp_path: Path, base: str | None) -> None:
    whole = [likened(base, 12)] if base else []
    flags = "output 'y': the reference times 8: a wrong scale"  # which leaves every top answer as it is
    found = recommended(tmp_path, *whole, likened("int8", 4, broken=1, flags=flags), likened("int16x8", 30))
    assert found.choice == f"{base or 'int16x8'} on xnnpack, 1 thread"
    assert found.evidence[0] == f"int8 on xnnpack, 1 thread is faster (4.00 ms) but breaks an output: {flags}"


def test_a_broken_case_is_not_recommended_where_nothing_else_is(tmp_path: Path) -> None:
    found = recommended(tmp_path, likened("int8", 4, **WRONG))
    assert found.case is None
    assert found.sentence == "Nothing can be recommended: every case that ran where it was asked to breaks an output."


def test_what_is_odd_but_not_broken_is_a_doubt_of_the_recommended(tmp_path: Path) -> None:
    flags = "output 'y': 12.0% of the values are cut off"
    found = recommended(tmp_path, likened("float32", 12), likened("int8", 4, flags=flags))
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert flags in found.doubts


def test_long_names_give_way_in_the_middle() -> None:
    assert shorten("a" * 30 + "_per_channel", 21) == "aaaaaaaaaa…er_channel"
    assert shorten("int8") == "int8"


def on_threads(times_ms: dict[int, list[float]], **more: Any) -> list[Outcome]:
    return [o for threads, times in times_ms.items() for o in launches(times, threads=threads, **more)]


ALIKE: dict[str, Any] = {
    "n": 32,
    "dataset": "ab",
    "agreement": 1.0,
    "cosine": 1.0,
    "sqnr_db": 90.0,
    "broken": 0,
    "flags": "",
}


@pytest.mark.parametrize(
    ("times_ms", "threads", "told"),
    [
        ({1: [0.441, 0.431], 2: [0.311, 0.473]}, 1, "2 threads (392 µs)"),
        ({1: [0.441, 0.431], 2: [0.311, 0.323]}, 1, "2 threads (317 µs)"),  # two launches tell little
        ({1: [0.441, 0.431, 0.436], 2: [0.311, 0.323, 0.315]}, 2, None),
        ({4: [4.0, 4.01, 3.99, 4.02, 3.98], 2: [4.05, 4.0, 4.03, 4.02, 4.01]}, 2, "4 threads (4.00 ms)"),
    ],
)
def test_fewer_threads_are_recommended_unless_more_are_faster_as_far_as_can_be_told(
    tmp_path: Path, times_ms: dict[int, list[float]], threads: int, told: str | None
) -> None:
    quick = on_threads(times_ms, model=SCHEMES["int8"])
    found = recommended(tmp_path, with_scores(quick, ALIKE), likened("float32", 12))
    assert found.choice == f"int8 on xnnpack, {threads} thread{'s' * (threads > 1)}"
    others = [doubt for doubt in found.doubts if "not to be told apart in speed" in doubt]
    assert (told in others[0]) if told else not others


def test_thread_counts_alone_are_not_called_the_only_case(tmp_path: Path) -> None:
    found = recommended(tmp_path, on_threads({1: [0.43, 0.44], 2: [0.3, 0.45]}, model=SCHEMES["int8"]))
    assert found.case is None
    assert "no other case" not in found.sentence
    assert "no other variant or delegate" in found.sentence
    assert "1 thread (435 µs)" in found.evidence[0]
    assert "2 threads (375 µs)" in found.evidence[1]


@pytest.mark.parametrize(
    ("float32", "float16", "choice"),
    [
        ({"sqnr_db": 134.8}, {"sqnr_db": 66.0}, "float16"),  # both are exact for all that matters: the smaller file
        ({"sqnr_db": 134.8}, {"sqnr_db": 41.0}, "float32"),
        ({"sqnr_db": 134.8, "cosine": 1.0}, {"sqnr_db": 66.0, "cosine": 0.99999999}, "float16"),
    ],
)
def test_differences_by_rounding_do_not_choose_between_cases_as_fast(
    tmp_path: Path, float32: dict[str, Any], float16: dict[str, Any], choice: str
) -> None:
    found = recommended(tmp_path, likened("float32", 4.0, **float32), likened("float16", 4.02, **float16))
    assert found.choice.startswith(choice)


def test_the_faster_of_files_alike_is_recommended(tmp_path: Path) -> None:
    one = SCHEMES["float32"]
    other = SCHEMES["float16"].model_copy(update={"size_mb": (one.size_mb or 0) * 0.995})
    cases = [likened("float32", 4.0, sqnr_db=133.4), likened("float16", 4.08, sqnr_db=134.8)]
    run = load(write_run(tmp_path, [o for found in cases for o in found], variants=[one, other]))
    assert recommend(run.cases)[0].choice.startswith("float32")


def test_without_labels_nothing_is_called_accurate(tmp_path: Path) -> None:
    found = recommended(tmp_path, likened("int16x8", 12, sqnr_db=50.0), likened("int8", 4, agreement=0.97))
    assert not any("accurate" in claim for claim in found.claims)
    assert any("int16x8" in claim and "faithful" in claim for claim in found.claims)
