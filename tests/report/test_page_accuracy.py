"""What a page says of accuracy: gains and costs, classes, outputs that are broken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchbench.analysis.frames import load
from benchbench.report import write_report
from benchbench.report.classes import class_tables
from benchbench.report.page import render
from benchbench.report.results import Results
from benchbench.values.errors import InputError
from tests.beds.browser import Page
from tests.report.believable import full_matrix
from tests.report.builder import launches, variant, write_run


def test_each_device_has_its_table_of_gains_and_costs_with_their_intervals(page: Page) -> None:
    tables = page.run("[...document.querySelectorAll('#tradeoffs table')].map(t => t.innerText)")
    assert len(tables) == 2
    for words in ("× float32, same delegate", "× best float of the device", "Agreement", "SQNR, dB", "Model adds, MB"):
        assert all(words in table for table in tables)
    about = page.run("document.getElementById('tradeoffs').innerText")
    assert "Top-1 accuracy over 2,000 samples. Changes are against float32 on cpu, 4 threads." in about
    assert "what the model adds" in about
    row = page.run(
        "[...document.querySelectorAll('#tradeoffs tbody tr')]"
        ".find(r => r.cells[0].innerText.startsWith('int8\\n')).innerText"
    )
    assert re.search(r"\d\.\d\d×\s+\[\d\.\d\d, \d\.\d\d\]", row)
    assert re.search(r"9\d\.\d %\s+\[8\d\.\d, 9\d\.\d\]", row)
    assert re.search(r"−0\.\d\s+\[−\d\.\d, [−+]0\.\d\]", row)
    assert "98.7 %" in row


def test_recall_and_confusions_say_what_they_are(page: Page) -> None:
    found = page.run(
        "(s => [s.querySelectorAll('.confusions').length, s.querySelectorAll('.matrix').length, s.textContent])"
        "(document.getElementById('classes'))"
    )
    assert found[:2] == [2, 6]  # a device each, with the base, the recommended, the one that loses most
    for role in ("baseline", "recommended", "loses most"):
        assert page.run(f"[...document.querySelectorAll('#classes .muted')].some(e => e.textContent === {role!r})")
    assert "<script>alert(2)</script>" in found[2]  # the name of a class


def test_a_row_of_recall_names_what_ran_and_not_what_was_asked_for(page: Page) -> None:
    heads = page.run("[...document.querySelectorAll('#classes .grid:not(.matrix) tbody th')].map(h => h.textContent)")
    assert "int16x8 xnnpack (gpu took nothing)" in heads
    assert not any(head.startswith("int16x8 gpu") for head in heads)


def test_classes_lie_beside_the_page(report: Path) -> None:
    classes, confusion = pd.read_csv(report / "classes.csv"), pd.read_csv(report / "confusion.csv")
    assert {"device", "variant", "class", "name", "support", "recall", "recall_low"} <= set(classes.columns)
    assert confusion["count"].sum() == classes["support"].sum()
    assert "classes.csv" in (report / "index.html").read_text(encoding="utf-8")


def test_a_thousand_classes_leave_a_small_page_with_the_worst_and_the_most_changed(tmp_path: Path) -> None:
    names = [f"class name {n}" for n in range(1000)]
    full_matrix(tmp_path, devices=("pixel8",), rounds=1, classes=names)
    results = Results((load(tmp_path),))
    tables = class_tables(results)
    (panel,) = tables.panels
    assert panel["total"] == 1000
    assert 0 < len(panel["classes"]) <= 12
    assert len(tables.names["mobilenet_v2"]) < 80
    assert [len(one["mistakes"]) for one in panel["confusions"]] == [12, 12, 12]
    assert all(one["cells"] is None for one in panel["confusions"])
    assert len(render(results)) < 1_500_000


def broken_run(folder: Path) -> Path:
    """int8 is fast and wrong; nothing has labels."""
    scored: list[Any] = []
    for scheme, times, scores in (
        ("float32", [10.0, 10.1, 9.9, 10.05, 9.95], {"broken": 0, "flags": "", "agreement": 1.0}),
        ("float16", [9.0, 9.1, 9.2, 9.05, 9.15], {"broken": 0, "flags": "output 'y': 12.0% of the values are cut off"}),
        (
            "int8",
            [2.0, 2.1, 1.9, 2.05, 1.95],
            {"broken": 1, "flags": "output 'y': every value is zero", "agreement": 0.1},
        ),
    ):
        found = launches(times, model=variant(scheme=scheme))
        trial = {"purpose": "accuracy", "trial": f"{found[0].case}/accuracy"}
        scored += [*found, found[0].model_copy(update=trial | {"accuracy": {"n": 32, "agreement": 0.99} | scores})]
    models = [variant(scheme=scheme) for scheme in ("float32", "float16", "int8")]
    return write_run(folder, scored, variants=models)


def test_a_broken_or_odd_output_is_unmistakable_wherever_its_time_stands(tmp_path: Path, chromium: Page) -> None:
    chromium.said.clear()
    chromium.open(write_report([load(broken_run(tmp_path))], tmp_path))
    said = {
        name: chromium.run(f"document.getElementById('{name}').textContent")
        for name in ("summary", "cases", "accuracy")
    }
    assert chromium.run("document.querySelector('.choice').textContent") == "float16 on xnnpack, 1 thread"
    assert "int8 on xnnpack, 1 thread is faster (2.00 ms) but breaks an output: " in said["summary"]
    assert said["cases"].count("✕ output broken") == 1
    assert chromium.run("document.getElementById('tradeoffs').textContent").count("✕ output broken") == 1
    assert "every value is zero" in said["accuracy"]
    assert "broken output" in said["cases"]
    assert "12.0% of the values are cut off" in said["summary"]
    assert "odd output" in said["cases"]
    for name in ("latency", "phases", "memory"):
        assert "Pale: an output is broken" in chromium.run(f"document.getElementById('{name}').textContent")
    assert "OUTPUT BROKEN" in chromium.run("document.querySelector('#latency svg').textContent")  # at its bar
    assert "✕ output broken: int8" in chromium.run("document.querySelector('#accuracy svg').textContent")
    assert chromium.said == []


def test_gains_are_shown_without_accuracy_too(tmp_path: Path, chromium: Page) -> None:
    found = [
        *launches([9.0, 9.1, 9.2], model=variant(scheme="float32")),
        *launches([3.0, 3.1, 3.2], model=variant(scheme="int8")),
    ]
    models = [variant(scheme=scheme) for scheme in ("float32", "int8")]
    chromium.open(write_report([load(write_run(tmp_path, found, variants=models))], tmp_path))
    table = chromium.run("document.getElementById('accuracy').textContent")
    assert "No outputs were compared: give the model a dataset in the matrix." in table
    assert "3.59× smaller" in table
    assert "Change, points" not in table
    answer = chromium.run("document.querySelector('#answers .card').textContent")
    assert "The fastest case is int8 on xnnpack, 1 thread (3.10 ms)." in answer


def test_a_spoilt_class_table_is_named_before_anything_is_written(tmp_path: Path) -> None:
    full_matrix(tmp_path, devices=("pixel8",), rounds=1)
    spoilt = next((tmp_path / "outputs").glob("*/confusion.csv"))
    spoilt.write_text("label,answer,count\n0,0,zero\n")
    with pytest.raises(InputError, match=r"confusion\.csv: is no table of classes"):
        write_report([load(tmp_path)], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.html"))
