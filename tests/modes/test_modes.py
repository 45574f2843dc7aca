"""Modes as the plan and the terminal see them; what they measure is tested where they are performed."""

import ast
from pathlib import Path

import pytest

import benchbench
from benchbench.modes import MODES, mode_of
from benchbench.modes.latency import with_tail
from benchbench.values.outcome import Measurement, Outcome, Timings
from benchbench.values.quantities import quantity

PACKAGE = Path(benchbench.__file__).parent
ROOM = PACKAGE / "modes"


def test_every_mode_is_found_by_the_name_that_its_outcomes_record() -> None:
    assert [mode.name for mode in MODES] == ["latency", "canary", "profile", "accuracy"]
    assert all(mode_of(mode.name) is mode for mode in MODES)
    with pytest.raises(KeyError):
        mode_of("")


def test_nothing_outside_the_room_compares_the_name_of_a_mode() -> None:
    """But for `timed` and `of_matrix`, by which values tell the rounds, and canaries, from all other launches."""
    names = {mode.name for mode in MODES}
    compared = []
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(ROOM):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and any(_is_purpose(part) for part in (node.left, *node.comparators)):
                told = {ast.unparse(part) for part in (node.left, *node.comparators)}
                if told & ({repr(name) for name in names} | {"LATENCY", "CANARY"}):
                    compared.append(f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}")
    assert sorted(compared) == [
        "values/case.py: self.purpose != CANARY",
        "values/case.py: self.purpose == LATENCY",
    ]


def _is_purpose(node: ast.expr) -> bool:
    return ast.unparse(node).rpartition(".")[2] in {"purpose", "mode"}


@pytest.mark.parametrize(
    ("purpose", "told"), [("latency", "1.50 ms"), ("profile", "profile"), ("accuracy", "outputs taken")]
)
def test_a_headline_has_a_time_only_where_time_was_measured(purpose: str, told: str) -> None:
    names = {"trial": "t", "case": "c", "device": "d", "variant": "v"}
    measured = Measurement(timings=Timings(median=1500.0, min=1400.0, max=1600.5))
    outcome = Outcome(**names, round=1, position=1, purpose=purpose, status="ok", measurement=measured)
    assert mode_of(purpose).headline(outcome).startswith(told)


def test_a_launch_whose_every_inference_is_known_has_bounds_of_its_tail() -> None:
    names = {"trial": "t", "case": "c", "device": "d", "variant": "v"}
    samples = tuple(float(us) for us in range(1000, 1100))
    measured = Measurement(timings=Timings(median=1050.0, samples=samples))
    outcome = with_tail(Outcome(**names, round=1, position=1, status="ok", measurement=measured))
    assert outcome.quantities == {"p90_ms": pytest.approx(1.097)}  # two of 100 are discarded; p99 needs 662
    assert quantity("p90_ms").of(outcome) == pytest.approx(1.097)
    assert quantity("p99_ms").of(outcome) is None
    untold = outcome.model_copy(update={"measurement": Measurement(), "quantities": {}})
    assert with_tail(untold).quantities == {}
