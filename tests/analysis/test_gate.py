"""What fails a build, and how CI is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from benchbench.analysis.compare import compare
from benchbench.analysis.compare_quantities import compare_quantities
from benchbench.analysis.comparison_text import as_json, as_junit, as_markdown
from benchbench.analysis.frames import Run, load
from benchbench.analysis.gate import DEFAULT, Gate, failing
from benchbench.values.errors import InputError
from benchbench.values.outcome import Outcome
from tests.report.builder import launches, outcome, write_run

TIMES = [10.0, 10.1, 9.9, 10.05, 10.0]
GPU = "pixel8/mobilenet_v2.float32/gpu/t1"


def runs(folder: Path, base: list[Outcome], new: list[Outcome]) -> tuple[Run, Run]:
    return load(write_run(folder / "base", base)), load(write_run(folder / "new", new))


def slower(folder: Path, factor: float) -> tuple[Run, Run]:
    """The GPU by a factor, initialisation with it; the CPU as it was."""
    cpu = launches(TIMES, delegate="xnnpack")
    return runs(folder, [*cpu, *gpu(1.0)], [*cpu, *gpu(factor)])


def gpu(factor: float) -> list[Outcome]:
    return launches([factor * time for time in TIMES], delegate="gpu")


def fails(pair: tuple[Run, Run], *gates: str) -> dict[str, tuple[str, ...]]:
    wanted = tuple(map(Gate.parse, gates)) or DEFAULT
    return failing(compare(*pair), compare_quantities(pair[:1], pair[1]), wanted)


@pytest.mark.parametrize(
    ("gates", "fail"),
    [
        ((), True),
        (("slower",), True),
        (("slower:5%",), True),
        (("slower:30",), False),  # 20 % is not surely more than 30 %
        (("size_mb:1%",), False),
        (("slower:30%", "init_ms"), True),  # each launch of the builder takes 2.5 times its latency to initialise
    ],
)
def test_a_case_fails_when_it_is_surely_worse_by_more_than_a_gate_lets_pass(
    tmp_path: Path, gates: tuple[str, ...], fail: bool
) -> None:
    assert set(fails(slower(tmp_path, 1.2), *gates)) == ({GPU} if fail else set())


def test_what_is_gone_or_fails_passes_no_gate(tmp_path: Path) -> None:
    broken = [outcome(delegate="gpu", status="failed", ms=None, error="driver crashed")]
    assert fails(runs(tmp_path, gpu(1.0), broken), "size_mb") == {GPU: ("lost: fails now: driver crashed",)}


@pytest.mark.parametrize("wrong", ["faster", "slower:much", "slower:-1%", "latency:5%", ""])
def test_a_gate_that_means_nothing_is_told_with_what_could_be_meant(wrong: str) -> None:
    with pytest.raises(InputError, match="--fail-on"):
        Gate.parse(wrong)


def test_a_pull_request_is_told_what_changed_and_the_rest_is_folded(tmp_path: Path) -> None:
    pair = slower(tmp_path, 1.2)
    frame, changes = compare(*pair), compare_quantities(pair[:1], pair[1])
    text = as_markdown(frame, changes, failing(frame, changes, DEFAULT))
    assert text.startswith("**benchbench: 1 regression.** 2 cases: 1 slower, 1 same")
    told, _, folded = text.partition("<details>")
    assert f"| {GPU} | 10.0 ms | 12.0 ms | 1.200 [" in told
    assert "**slower**" in told
    assert "Beside latency:" in told
    assert "xnnpack" in folded
    assert "xnnpack" not in told.replace("rest on xnnpack", "")
    assert as_markdown(frame, (), {}).startswith("**benchbench: no regressions.**")


def test_many_cases_of_every_kind_fit_a_comment_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    """Gone, the same and not to be told, a hundred and more of each, and more files that are larger."""
    names = [
        f"a-device-with-a-name-as-long-as-a-lab-of-many-shelves-and-floors-gives-{number:03}" for number in range(330)
    ]
    wide = [8.0, 10.0, 12.0, 9.0, 11.0]
    of_each = [launches(wide if k % 3 == 1 else TIMES, device=name) for k, name in enumerate(names)]
    base, new = runs(
        tmp_path,
        [one for of_case in of_each for one in of_case],
        [one for k, of_case in enumerate(of_each) for one in of_case if k % 3],
    )
    larger = base.manifest.variants[0].model_copy(update={"size_mb": 15.0})
    new = replace(new, manifest=new.manifest.model_copy(update={"variants": (larger,)}))
    frame, changes = compare(base, new), compare_quantities([base], new)
    assert set(frame["verdict"]) == {"gone", "same", "cannot tell"}
    text = as_markdown(frame, changes, failing(frame, changes, DEFAULT))
    assert len(text.encode()) < 65_536
    head, _, folded = text.partition("<details>")
    assert (head.count("| **gone**"), head.count("10 more: see"), head.count("120 more: see")) == (100, 1, 1)
    assert folded.count("more: see") == 2


def test_no_text_of_a_device_is_markup_in_a_pull_request(tmp_path: Path) -> None:
    broken = [outcome(delegate="gpu", status="failed", ms=None, error="a|b <img src=x> `c`\nd")]
    pair = runs(tmp_path, gpu(1.0), broken)
    frame = compare(*pair)
    text = as_markdown(frame, (), failing(frame, (), DEFAULT))
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {GPU}"))
    assert "a\\|b \\<img src=x> \\`c\\` d" in row
    assert row.replace("\\|", "").count("|") == 6


def test_a_test_report_has_a_test_a_case_with_its_failure(tmp_path: Path) -> None:
    pair = slower(tmp_path, 1.2)
    frame = compare(*pair)
    suite = Xml.fromstring(as_junit(frame, failing(frame, (), DEFAULT)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "0")
    tests = {test.get("name"): test for test in suite}
    failure = tests[GPU].find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("slower: new / base 1.2")
    assert tests[GPU].get("time") == "0.012000000"
    assert tests[GPU].get("classname") == "pixel8"


def test_json_says_what_fails_and_has_every_quantity(tmp_path: Path) -> None:
    pair = slower(tmp_path, 1.2)
    frame, changes = compare(*pair), compare_quantities(pair[:1], pair[1])
    told = json.loads(json.dumps(as_json(frame, changes, failing(frame, changes, DEFAULT))))
    assert (told["verdict"], told["regressions"], list(told["failing"])) == ("regression", 1, [GPU])
    assert {(one["quantity"], one["verdict"]) for one in told["quantities"] if one["case"] == GPU} == {
        ("init_ms", "worse"),
        ("size_mb", "same"),
        ("added_mb", "same"),
    }
