"""The report of a lab, as `make bench` has it: its page stays small, and its costs are those of the command itself."""

from __future__ import annotations

from pathlib import Path

from benchbench.analysis.frames import load
from benchbench.report.page import render
from benchbench.report.results import Results
from tests.bench_report import PHONES, ROUNDS, lab, the_report


def test_a_page_of_two_thousand_cases_is_below_three_megabytes(tmp_path: Path) -> None:
    """By what each further phone adds."""
    few, more = (len(render(Results((load(lab(tmp_path / str(n), phones=n)),))).encode()) for n in (7, 9))
    phone = (more - few) / 2
    assert phone > 10_000, "its cases are not there"
    assert more + (PHONES - 9) * phone < 2_900_000


def test_the_bench_times_the_command_and_the_same_page_alone(tmp_path: Path) -> None:
    folder = lab(tmp_path / "lab", phones=1, rounds=ROUNDS // 5)
    the_report(folder)
    assert (folder / "alone.html").read_text(encoding="utf-8") == (folder / "index.html").read_text(encoding="utf-8")
    assert (folder / "figures" / "latency.png").is_file()
