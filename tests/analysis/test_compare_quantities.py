"""Two runs beside their latency: what is better, worse, the same, or cannot be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.accuracy.metrics import packed
from benchbench.analysis.compare import compare
from benchbench.analysis.compare_quantities import QuantityChange, compare_quantities
from benchbench.analysis.comparison_text import in_short
from benchbench.analysis.frames import Run, load
from benchbench.values.outcome import Outcome
from tests.analysis.test_disturbances import canary
from tests.report.builder import conditions, launches, write_run

TIMES = [10.0, 10.1, 9.9, 10.05, 10.0, 9.95]
MEMORY = [20.0, 20.2, 19.9, 20.1, 20.0, 20.05]


def measured(*, init: float = 1.0, memory: float = 1.0, right: int | None = None) -> list[Outcome]:
    """Six launches, with initialisation and memory by a factor, and which of 1,000 samples were right."""
    found = []
    for outcome, added_mb in zip(launches(TIMES), MEMORY, strict=True):
        timings = outcome.measurement.timings
        kept = outcome.measurement.memory.model_copy(
            update={"rss_start_mb": 10.0, "rss_peak_mb": 10 + memory * added_mb}
        )
        update = {"timings": timings.model_copy(update={"init": init * (timings.init or 0)}), "memory": kept}
        found.append(outcome.model_copy(update={"measurement": outcome.measurement.model_copy(update=update)}))
    if right is not None:
        flags = np.arange(1000) < right
        scores: dict[str, Any] = {"n": 1000, "dataset": "ef" * 32, "top1": right / 1000, "correct": packed(flags)}
        scored = {"purpose": "accuracy", "trial": f"{found[0].case}/accuracy", "round": 0, "accuracy": scores}
        found.append(found[0].model_copy(update=scored))
    return found


def changes(
    folder: Path, base: list[Outcome], new: list[Outcome], *, size_mb: float = 14.0
) -> dict[str, QuantityChange]:
    """The changes by quantity; `size_mb` is that of the new run's file."""
    write_run(folder / "base", base)
    manifest = write_run(folder / "new", new) / "run.json"
    written = json.loads(manifest.read_text())
    written["variants"][0]["size_mb"] = size_mb
    manifest.write_text(json.dumps(written))
    found = compare_quantities([load(folder / "base")], load(folder / "new"))
    return {change.quantity.name: change for change in found}


def verdicts(found: dict[str, QuantityChange]) -> dict[str, str]:
    return {name: change.verdict for name, change in found.items()}


def test_an_unchanged_run_is_the_same_in_every_quantity(tmp_path: Path) -> None:
    found = verdicts(changes(tmp_path, measured(right=900), measured(right=900)))
    assert found == dict.fromkeys(("init_ms", "size_mb", "added_mb", "accuracy_top1"), "same")


def test_each_quantity_gets_better_or_worse_on_its_own(tmp_path: Path) -> None:
    found = changes(tmp_path, measured(right=900), measured(init=2.0, memory=0.5, right=850), size_mb=13.9)
    assert verdicts(found) == {"init_ms": "worse", "size_mb": "better", "added_mb": "better", "accuracy_top1": "worse"}
    assert (
        str(found["added_mb"])
        == "pixel8/mobilenet_v2.float32/xnnpack/t1: what the model adds 20.0 MB -> 10.0 MB (better)"
    )
    assert all(change.p is None or change.p <= 0.05 for change in found.values())


@pytest.mark.parametrize(("right", "verdict"), [(899, "cannot tell"), (880, "worse"), (950, "better")])
def test_accuracy_is_compared_sample_by_sample(tmp_path: Path, right: int, verdict: str) -> None:
    assert changes(tmp_path, measured(right=900), measured(right=right))["accuracy_top1"].verdict == verdict


def test_accuracy_on_other_samples_cannot_be_told(tmp_path: Path) -> None:
    other = measured(right=500)
    scored = other[-1]
    other[-1] = scored.model_copy(update={"accuracy": scored.accuracy | {"dataset": "00" * 32}})
    assert changes(tmp_path, measured(right=900), other)["accuracy_top1"].verdict == "cannot tell"


def test_memory_that_was_not_measurably_there_cannot_be_told(tmp_path: Path) -> None:
    assert changes(tmp_path, measured(memory=0.0), measured())["added_mb"].verdict == "cannot tell"


def while_hot(found: list[Outcome], rounds: int) -> list[Outcome]:
    """These launches, the first so many of them throttled."""
    seen = conditions(60, throttled=["throttled"])
    return [o.model_copy(update={"after": seen}) if o.round < rounds else o for o in found]


def test_launches_that_were_throttled_make_nothing_worse_and_that_is_said(tmp_path: Path) -> None:
    slow, usual = measured(init=3.0, memory=2.0), measured()
    hot = while_hot([*slow[:2], *usual[2:]], 2)
    found = changes(tmp_path / "hot", measured(), hot)
    assert verdicts(found)["init_ms"] == verdicts(found)["added_mb"] == "same"
    assert [found[name].left_out for name in ("init_ms", "added_mb", "size_mb")] == [2, 2, 0]
    assert found["init_ms"].new == pytest.approx(found["init_ms"].base, rel=0.01)
    assert str(found["init_ms"]).endswith("(same, without 2 disturbed launches)")
    cool = changes(tmp_path / "cool", measured(), [*slow[:2], *usual[2:]])
    assert (verdicts(cool)["init_ms"], cool["init_ms"].left_out) == ("cannot tell", 0)


def test_launches_beside_a_canary_that_was_off_are_left_out_too(tmp_path: Path) -> None:
    slow, usual = measured(init=3.0), measured()
    canaries = [canary(number, 13.0 if number == 1 else 10.0) for number in range(4)]
    device = {"device": "pixel8"}
    off = [canaries[0], slow[0], canaries[1], slow[1], canaries[2], *usual[2:], canaries[3]]
    found = changes(tmp_path, measured(), [o.model_copy(update=device) for o in off])
    assert (found["init_ms"].verdict, found["init_ms"].left_out) == ("same", 2)


def test_where_every_launch_was_disturbed_nothing_is_told(tmp_path: Path) -> None:
    found = changes(tmp_path, measured(), while_hot(measured(init=3.0), 6))
    assert (found["init_ms"].verdict, found["init_ms"].p, found["init_ms"].left_out) == ("cannot tell", None, 6)


def drifting(folder: Path, inits: list[float], **how: Any) -> Run:
    """A run whose initialisation is so many times the usual one, case by case."""
    outcomes = [
        o.model_copy(
            update={"case": o.case.replace("/t1", f"/t{k + 1}"), "trial": o.trial.replace("/t1", f"/t{k + 1}")}
        )
        for k, init in enumerate(inits)
        for o in measured(init=init, **how)
    ]
    return load(write_run(folder, outcomes, id=folder.name))


def test_initialisation_is_held_against_how_several_base_runs_differ(tmp_path: Path) -> None:
    """A last base that was quick by chance makes nothing worse, and a change beyond what runs differ by does."""
    levels = [1.0, 1.06, 0.95, 1.03, 0.94]
    bases = [drifting(tmp_path / f"b{k}", [level, level]) for k, level in enumerate(levels)]
    new = drifting(tmp_path / "n", [1.05, 2.0])
    found = {(c.case[-2:], c.quantity.name): c for c in compare_quantities(bases, new)}
    assert {where: found[where].verdict for where in (("t1", "init_ms"), ("t2", "init_ms"))} == {
        ("t1", "init_ms"): "cannot tell",
        ("t2", "init_ms"): "worse",
    }
    usual = float(np.exp(np.log(levels).mean()))
    assert found["t1", "init_ms"].new / found["t1", "init_ms"].base == pytest.approx(1.05 / usual, rel=1e-6)
    assert {c.quantity.name: c.bases for c in found.values()} == {"init_ms": 5, "added_mb": 5, "size_mb": 1}
    alone = {c.case[-2:]: c.verdict for c in compare_quantities(bases[-1:], new) if c.quantity.name == "init_ms"}
    assert alone == {"t1": "worse", "t2": "worse"}
    told = in_short(compare(bases, new), tuple(found.values()), {})
    assert told.endswith("held against the last base run alone: file")


def test_what_too_few_base_runs_measured_alike_is_held_against_the_last_and_said(tmp_path: Path) -> None:
    bases = [drifting(tmp_path / f"b{k}", [1.0] * (1 if k < 2 else 2)) for k in range(4)]
    new = drifting(tmp_path / "n", [1.0, 1.0])
    changes = compare_quantities(bases, new)
    assert [c.bases for c in changes if c.quantity.name == "init_ms"] == [4, 1]
    assert "alone: initialisation of 1 case, file, what the model adds of 1 case" in in_short(
        compare(bases, new), changes, {}
    )


def by(tool: str, found: list[Outcome]) -> list[Outcome]:
    return [o.model_copy(update={"measurement": o.measurement.model_copy(update={"tool": tool})}) for o in found]


def test_what_another_tool_changes_is_told_of_no_launch(tmp_path: Path) -> None:
    """As of latency: a newer runtime may take twice the memory for the very same model."""
    found = changes(tmp_path / "a", by("one 1.0", measured()), by("one 2.0", measured(init=2.0, memory=2.0)))
    assert [(found[name].verdict, found[name].p) for name in ("init_ms", "added_mb")] == [("cannot tell", None)] * 2
    unchanged = changes(tmp_path / "b", by("one 1.0", measured()), by("one 2.0", measured()))
    assert [unchanged[name].verdict for name in ("init_ms", "added_mb")] == ["same"] * 2


def test_times_of_a_device_that_was_slower_itself_are_not_told_and_memory_is(tmp_path: Path) -> None:
    def with_canaries(found: list[Outcome], ms: float) -> list[Outcome]:
        return [*found, *(canary(number, ms) for number in range(6))]

    base, slower = with_canaries(measured(), 10.0), measured(init=1.5, memory=1.5)
    for name, ms, verdict in (("same", 10.0, "worse"), ("slower", 13.0, "cannot tell"), ("faster", 8.0, "cannot tell")):
        found = changes(tmp_path / name, base, with_canaries(slower, ms))
        assert (name, found["init_ms"].verdict, found["added_mb"].verdict) == (name, verdict, "worse")
