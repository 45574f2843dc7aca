"""What the page says of canaries."""

from __future__ import annotations

from pathlib import Path

from benchbench.analysis.frames import load
from benchbench.report.page import render
from benchbench.report.results import Results
from benchbench.report.sections import canary as canary_section
from benchbench.values.outcome import Measurement, Outcome
from tests.analysis.test_disturbances import canary
from tests.report.builder import launches, write_run


def with_canaries(device: str, times_ms: list[float]) -> list[Outcome]:
    """Five launches, a canary before each and one at the end."""
    first, *rest = [canary(number, ms, device) for number, ms in enumerate(times_ms)]
    rounds = launches([10, 10.1, 9.9, 10, 10.2], device=device)
    return [first, *(one for pair in zip(rounds, rest, strict=True) for one in pair)]


def failed(device: str) -> Outcome:
    told = {"status": "failed", "error": "no room on the device", "measurement": Measurement()}
    return canary(0, 1.0, device).model_copy(update=told)


def test_the_page_says_which_canaries_were_off_and_what_ran_beside_them(tmp_path: Path) -> None:
    outcomes = [
        *with_canaries("pixel8", [1, 1, 1.31, 1, 1, 1]),
        *with_canaries("rpi5", [2, 2.01, 2, 1.99, 2, 2]),
        failed("host"),
        *launches([10, 10], device="host"),
    ]
    run = load(write_run(tmp_path, outcomes))
    made = canary_section.section(Results([run]))
    assert made is not None
    told = {row["place"]: row["told"] for row in made.content["rows"]}
    assert told == {
        "pixel8": "1 off (+31 %); 2 launches beside them",
        "rpi5": "the same speed all along",
        "host": "none ran: no room on the device",
    }
    assert [row["canaries"] for row in made.content["rows"]] == ["6", "6", "–"]
    page = render(Results([run]))
    assert "1 off (+31 %); 2 launches beside them" in page
    assert [case["launches"] for case in run.cases.to_dict("records")] == [3, 5, 2]


def test_a_run_without_canaries_has_no_such_section(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, launches([10, 10])))
    assert canary_section.section(Results([run])) is None
