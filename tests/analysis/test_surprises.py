"""What nobody would expect of a run: told with its figures where an interval says so, and not otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from benchbench.analysis.intervals import compare
from benchbench.analysis.surprises import Surprise
from benchbench.report.results import Results
from benchbench.values.case import Variant
from benchbench.values.formatting import ratio, ratio_number
from benchbench.values.outcome import Outcome
from tests.analysis.schemes import SCHEMES, WRONG, case, likened, with_scores
from tests.report.builder import launches, measurement, outcome, variant, write_run

STEADY = (1, 1.01, 0.99, 1.005, 0.995, 1.002)


def found(folder: Path, *cases: list[Outcome], variants: list[Variant] | None = None) -> tuple[Surprise, ...]:
    outcomes = [one for launched in cases for one in launched]
    run = load(write_run(folder, outcomes, variants=variants or list(SCHEMES.values())))
    return Results((run,)).surprises


def steady(ms: float, **same: object) -> list[Outcome]:
    return launches([ms * factor for factor in STEADY], **same)


def heavy(init_ms: float, added_mb: float) -> list[Outcome]:
    """Launches of a delegate that takes long to come up, and much memory."""
    made = []
    for n, factor in enumerate(STEADY):
        plain = measurement(10_000 * factor)
        timings = plain.timings.model_copy(update={"init": 1000 * init_ms * factor})
        memory = plain.memory.model_copy(update={"rss_peak_mb": 61.0 + added_mb * factor})
        measured = plain.model_copy(update={"timings": timings, "memory": memory})
        made.append(outcome(delegate="gpu", round=n, position=n).model_copy(update={"measurement": measured}))
    return made


def test_a_delegate_that_is_slower_than_the_cpu_is_told_with_its_ratio_and_interval(tmp_path: Path) -> None:
    told = found(tmp_path, steady(5), steady(9, delegate="gpu"), steady(30, delegate="cpu"))
    (one,) = told
    against = compare([5 * factor for factor in STEADY], [9 * factor for factor in STEADY])
    assert against.interval is not None
    ends = ", ".join(map(ratio_number, against.interval))
    assert str(one) == f"float32 on gpu, 1 thread is slower than on xnnpack, 1 thread: {ratio(against.value)} [{ends}]"
    assert one.size == against.interval.low
    assert one.case == "pixel8/mobilenet_v2.float32/gpu/t1"


def test_the_cpus_own_delegate_is_held_against_plain_kernels(tmp_path: Path) -> None:
    (one,) = found(tmp_path, steady(9), steady(5, delegate="cpu"))
    assert one.what == "float32 on xnnpack, 1 thread is slower than on cpu, 1 thread"


@pytest.mark.parametrize("gpu", [[9.0, 9.1], [5.0, 5.1, 9.0, 4.9, 5.2, 5.0], [5.05 * factor for factor in STEADY]])
def test_what_no_interval_says_is_not_told(tmp_path: Path, gpu: list[float]) -> None:
    """Too few launches, launches that scatter, and a difference of one percent."""
    assert found(tmp_path, steady(5), launches(gpu, delegate="gpu")) == ()


def test_more_threads_that_are_slower_are_told_once_at_their_worst(tmp_path: Path) -> None:
    (one,) = found(tmp_path, *(steady(ms, threads=threads) for threads, ms in ((1, 10), (2, 6), (4, 8), (8, 19))))
    assert one.what == "float32 on xnnpack is slower with 8 threads than with 2"
    assert one.figure.startswith("3.17× [")


def test_a_quantized_variant_that_is_slower_no_smaller_and_worse_is_three_surprises(tmp_path: Path) -> None:
    large = variant(scheme="int8").model_copy(update={"size_mb": 14.5})
    told = found(tmp_path, case("float32", 10, 915), case("int8", 20, 600), variants=[SCHEMES["float32"], large])
    assert [one.what for one in told] == [
        "int8 on xnnpack, 1 thread loses accuracy",  # by thirty points, which stands beside a factor of four
        "int8 on xnnpack, 1 thread is slower than float32 there",
        "int8 is no smaller than float32",
    ]
    assert told[0].figure.startswith("−31.5 points [−34.")
    assert told[2].figure == "14.5 MB against 14.0 MB"


def test_a_part_of_a_graph_and_none_of_it_are_told_apart(tmp_path: Path) -> None:
    half = found(tmp_path / "a", steady(9), steady(8, delegate="gpu", verdict="partial"))
    assert [str(one) for one in half] == ["float32 falls off gpu: gpu, rest on xnnpack ran it, 40 of 65 nodes"]
    assert half[0].size == 65 / 40
    none = found(
        tmp_path / "b", steady(9), *(steady(9, model=m, delegate="gpu", verdict="none") for m in SCHEMES.values())
    )
    assert [str(one) for one in none] == ["gpu was asked for, and took nothing: xnnpack (gpu took nothing) ran float32"]


def test_a_long_initialisation_and_much_memory_are_told_by_their_intervals(tmp_path: Path) -> None:
    init, memory = found(tmp_path, heavy(2300, 180))
    assert init.what == "gpu initialises for longer than a second"
    assert init.figure == "2.30 s [2.28 – 2.32 s] for float32"
    assert memory.what == "gpu adds more than 100 MB to its process"
    assert memory.figure == "180 MB [179, 181] for float32, a file of 14.0 MB"
    assert found(tmp_path / "short", heavy(990, 99)) == ()  # though single launches are beyond


def test_broken_outputs_come_before_all_that_only_takes_longer(tmp_path: Path) -> None:
    told = found(tmp_path, likened("float32", 5), likened("float32", 90, "gpu"), likened("int8", 1, **WRONG))
    assert [one.what for one in told] == [
        "int8 on xnnpack, 1 thread breaks an output",
        "float32 on gpu, 1 thread is slower than on xnnpack, 1 thread",
    ]


def test_a_run_as_one_would_expect_it_has_no_surprise(tmp_path: Path) -> None:
    assert found(tmp_path, case("float32", 10, 915), case("int8", 4, 914), case("float32", 4, 915, "gpu")) == ()


def test_a_disturbed_launch_makes_no_surprise(tmp_path: Path) -> None:
    hot = heavy(5000, 500)
    flagged = [
        one.model_copy(update={"after": one.after and one.after.model_copy(update={"throttled": ("hot",)})})
        for one in hot
    ]
    assert found(tmp_path, steady(5), flagged) == ()


def test_with_scores_of_too_few_samples_no_loss_is_told(tmp_path: Path) -> None:
    few = {"n": 20, "dataset": "ab", "top1": 0.9, "correct": None}
    assert (
        found(tmp_path, with_scores(case("float32", 9), few), with_scores(case("int8", 4), few | {"top1": 0.7})) == ()
    )
