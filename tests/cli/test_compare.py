"""`compare` as a gate: what it ends with, and that nothing which judged nothing looks like a pass."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from benchbench.values.outcome import Outcome
from tests.cli.conftest import Said
from tests.report.builder import launches, write_run

TIMES = (9.9, 10.0, 10.1, 9.95, 10.05, 10.0)


def run(name: str, factor: float = 1.0, *, tool: str = "ai-edge-litert 2.3.0", rounds: int = 6) -> str:
    made = [of_tool(o, tool) for o in launches([factor * ms for ms in TIMES[:rounds]])]
    return str(write_run(Path("reports") / name, made, id=name))


def of_tool(o: Outcome, tool: str) -> Outcome:
    return o.model_copy(update={"measurement": o.measurement.model_copy(update={"tool": tool})})


@pytest.mark.parametrize("how", [{"tool": "ai-edge-litert 2.4.0"}, {"rounds": 3}], ids=["tool", "few launches"])
def test_a_gate_that_could_judge_nothing_is_no_pass(said: Said, how: dict[str, object]) -> None:
    base, new = run("base"), run("new", 1.5, **how)  # type: ignore[arg-type]
    if "rounds" in how:
        base = run("three", rounds=3)
    code, stdout, _ = said("compare", base, new)
    assert (code, "nothing could be judged" in stdout.splitlines()[-1]) == (3, True)
    code, stdout, _ = said("compare", base, new, "--json")
    assert (code, json.loads(stdout)["verdict"]) == (3, "nothing judged")
    _, stdout, _ = said("compare", base, new, "--markdown")
    assert stdout.startswith("**benchbench: nothing could be judged")
    assert "without a change" not in stdout


def test_a_run_is_no_regression_of_itself_however_short_it_is(said: Said) -> None:
    short = run("short", rounds=3)
    assert said("compare", short, f"{short}/../short")[0] == 0


def test_a_run_and_its_copy_are_said_to_be_one(said: Said) -> None:
    """A gate that was given the same run twice looks like no pass."""
    base = run("base")
    copy = str(shutil.copytree(base, "reports/copy"))
    for new in (base, copy):
        code, stdout, _ = said("compare", base, new)
        assert (code, "base and new are one run" in stdout.splitlines()[-1]) == (0, True)
        assert "no regression" not in stdout
    assert "are one run" not in said("compare", base, run("other"))[1]


def test_what_a_gate_lets_pass_is_counted_and_no_case_is_told_to_fail(said: Said) -> None:
    base, new = run("base"), run("new", 1.5)
    assert said("compare", base, new)[0] == 1
    for gates in (("--fail-on", "size_mb"), ("--fail-on", "slower:90%")):
        code, stdout, _ = said("compare", base, new, *gates)
        assert (code, "1 slower, which --fail-on lets pass" in stdout.splitlines()[-1]) == (0, True)
        told = json.loads(said("compare", base, new, *gates, "--json")[1])
        assert [case["regressed"] for case in told["cases"]] == [False]
    told = json.loads(said("compare", base, new, "--fail-on", "init_ms", "--json")[1])
    assert ([case["regressed"] for case in told["cases"]], len(told["failing"])) == ([True], 1)


def test_the_row_of_what_fails_says_why_it_fails(said: Said) -> None:
    """Its latency cannot be told; what fails is its initialisation."""
    base = run("base")
    outcomes = [slow_to_begin(o, ms) for o, ms in zip(launches(TIMES), (9, 11, 10, 9.5, 10.6, 10.2), strict=True)]
    new = str(write_run(Path("reports") / "new", outcomes, id="new"))
    code, stdout, _ = said("compare", base, new, "--fail-on", "init_ms")
    (row,) = (line for line in stdout.splitlines() if "(regression)" in line)
    assert (code, "cannot tell (regression)" in row, "initialisation" in row) == (1, True, True)
    assert "spread" not in row


def slow_to_begin(o: Outcome, ms: float) -> Outcome:
    """A launch of another latency, that took twice as long to initialise."""
    timings = o.measurement.timings
    changed = timings.model_copy(update={"init": 2 * (timings.init or 0), "median": ms * 1000})
    return o.model_copy(update={"measurement": o.measurement.model_copy(update={"timings": changed})})


def test_a_test_report_that_cannot_be_written_costs_no_comparison(said: Said) -> None:
    base, new = run("base"), run("new", 1.5)
    code, stdout, stderr = said("compare", base, new, "--junit", "nowhere/compare.xml")
    assert (code, "1 regression" in stdout, "--junit nowhere/compare.xml" in stderr) == (2, True, True)
    assert said("compare", base, new, "--junit", "reports")[0] == 2
    assert said("compare", base, new, "--junit", "compare.xml")[0] == 1
    (failure,) = Xml.parse("compare.xml").getroot().iter("failure")
    for part in ("10.0 ms", "15.0 ms", "95 % interval of new / base: 1."):
        assert part in str(failure.get("message"))


@pytest.mark.parametrize("wrong", ["nan", "-0.1", "2", "inf"])
def test_what_counts_as_the_same_is_a_share(said: Said, wrong: str) -> None:
    base = run("base")
    assert said("compare", base, base, f"--same-within={wrong}")[0] == 2


@pytest.mark.parametrize("what", ["slower", "init_ms", "added_mb"])
def test_a_gate_that_could_never_fail_is_refused(said: Said, what: str) -> None:
    """Within --same-within nothing is slower, however sure it is."""
    base, new = run("base"), run("new", 1.02)
    code, _, stderr = said("compare", base, new, "--fail-on", f"{what}:1%")
    assert (code, f"{what}:1.0 % is less than the 3.0 %" in stderr, "--same-within 0.01" in stderr) == (2, True, True)
    for gates in (("--fail-on", f"{what}:3%"), ("--fail-on", what), ("--fail-on", "size_mb:1%")):
        assert said("compare", base, new, *gates)[0] == 0
    fails = said("compare", base, new, "--fail-on", f"{what}:0.5%", "--same-within", "0.005")[0]
    assert fails == (0 if what == "added_mb" else 1)


def test_nan_is_no_number_of_any_option(said: Said) -> None:
    base = run("base")
    assert said("run", "--again", base, "--wait=nan")[0] == 2
    for option in ("--mean", "--std"):
        code, _, stderr = said("quantize", "a.tflite", "--out", "b", option, "nan")
        assert (code, "is no number" in stderr) == (2, True)
    assert said("plan", "m.toml", "--noise", "nan")[0] == 2
