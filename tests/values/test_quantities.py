"""The table of quantities: one row is all that a quantity needs, and the documents and files say what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from benchbench.analysis.columns import CASES, CLASSES, CONFUSION, SCORED, TRIALS
from benchbench.analysis.frames import load
from benchbench.report.page import write_report
from benchbench.values.errors import InputError
from benchbench.values.outcome import Outcome
from benchbench.values.quantities import QUANTITIES, case_quantity, quantity
from benchbench.values.quantity import COUNT, MILLISECONDS, Quantity
from tests.report.builder import outcome, write_run

HERE = Path(__file__).parents[2]
TABLE = "QUANTITIES: tuple[Quantity, ...] = (\n"
ROW = """    Quantity("jitter_ms", MILLISECONDS, "phase", "jitter", "longest less shortest steady inference",
        lambda o: (o.measurement.timings.max - o.measurement.timings.min) / 1000, case="median", heading="Jitter"),
"""
USE = """
import json, sys
from pathlib import Path
from benchbench.analysis.dictionary import dictionary
from benchbench.analysis.frames import load
from benchbench.report.page import write_report
from tests.report.builder import launches, write_run

out = Path(sys.argv[1])
run = load(write_run(out, launches([10, 11, 12], delegate="gpu")))
page = write_report([run], out).read_text(encoding="utf-8")
print(json.dumps({
    "trials": run.trials["jitter_ms"].tolist(),
    "case": run.cases["jitter_ms"].tolist(),
    "types": [str(run.trials["jitter_ms"].dtype), str(run.cases["jitter_ms"].dtype)],
    "page": json.loads(page.split('<script type="application/json" id="data">')[1].split("</script>")[0]),
    "dictionary": dictionary(),
}))
"""


def test_one_row_makes_a_quantity_known_everywhere(tmp_path: Path) -> None:
    shutil.copytree(HERE / "benchbench", tmp_path / "benchbench", ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "benchbench" / "values" / "quantities.py"
    source = table.read_text(encoding="utf-8")
    assert source.count(TABLE) == 1
    table.write_text(source.replace(TABLE, TABLE + ROW), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", USE, tmp_path / "run"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["trials"] == pytest.approx([3.5, 3.85, 4.2])
    assert said["case"] == pytest.approx([3.85])
    assert said["types"] == ["float64", "float64"]
    shown = {one["column"]: one["title"] for one in said["page"]["quantities"]}
    assert shown["jitter_ms"] == "Jitter"
    assert said["page"]["tables"]["cases"]["columns"]["jitter_ms:text"] == ["3.85 ms"]
    phases = next(figure for figure in said["page"]["figures"] if figure["name"] == "phases")
    assert "jitter_ms" in json.dumps(phases)
    row = "| `jitter_ms` | results, cases | number | ms | longest less shortest steady inference |"
    assert row in said["dictionary"]
    for name in ("results.csv", "cases.csv"):
        assert "jitter_ms" in pd.read_csv(tmp_path / "run" / name).columns
    assert pyarrow.parquet.read_schema(tmp_path / "run" / "results.parquet").field("jitter_ms").type == "double"


def test_every_column_of_a_real_run_is_in_the_dictionary() -> None:
    run = load(HERE / "reports" / "sample")
    for frame, columns in ((run.trials, TRIALS), (run.cases, CASES)):
        assert list(frame.columns)[: len(columns)] == list(columns)
        scores = list(frame.columns)[len(columns) :]
        assert len(scores) > 10
        assert set(scores) <= set(SCORED)
    assert list(run.classes.columns) == list(CLASSES)
    assert list(run.confusion.columns) == list(CONFUSION)


def test_types_are_the_tables_own_whatever_a_run_holds(tmp_path: Path) -> None:
    scored = outcome().model_copy(update={"accuracy": {"n": 100, "top1": 1, "agreement": None, "flags": ""}})
    runs = {"empty": [], "scored": [scored, outcome(round=1)]}
    schemas = {}
    for name, outcomes in runs.items():
        write_report([load(write_run(tmp_path / name, outcomes))], tmp_path / name)
        schemas[name] = pyarrow.parquet.read_schema(tmp_path / name / "results.parquet")
    types = {"float64": "double", "Int64": "int64", "str": "large_string"}
    expected = {name: types[column.dtype] for name, column in TRIALS.items()}
    for schema in schemas.values():
        assert {name: str(schema.field(name).type) for name in TRIALS} == expected
    found = {name: str(schemas["scored"].field(f"accuracy_{name}").type) for name in scored.accuracy}
    assert found == {"n": "int64", "top1": "double", "agreement": "double", "flags": "large_string"}


def test_what_is_no_number_in_a_strangers_file_is_missing(tmp_path: Path) -> None:
    strange = outcome().model_copy(update={"accuracy": {"n": 10.5, "top1": "most", "cosine:y": "none", "else": "x"}})
    case = load(write_run(tmp_path, [strange, outcome(round=1)])).cases.iloc[0]
    assert case[["accuracy_n", "accuracy_top1", "accuracy_cosine:y"]].isna().all()
    assert case["accuracy_else"] == "x"


def test_the_latency_of_a_case_is_the_typical_time_of_its_launches() -> None:
    assert case_quantity("median_ms").name == "typical_ms"
    assert quantity("median_ms").case is None


def test_a_case_has_the_median_of_its_launches_or_what_the_last_one_says() -> None:
    found = [outcome(round=n) for n in range(3)]
    marked = [
        o.model_copy(update={"quantities": {"energy_mj": value}})
        for o, value in zip(found, (4.0, 2.0, 9.0), strict=True)
    ]
    energy = Quantity("energy_mj", MILLISECONDS, "energy", "energy", "", case="median")
    assert energy.samples([*marked, outcome()]) == [4.0, 2.0, 9.0]
    assert energy.of_case(marked) == 4.0
    assert Quantity("energy_mj", MILLISECONDS, "energy", "energy", "", case="last").of_case(marked) == 9.0
    assert energy.of_case(found) is None


@pytest.mark.parametrize(
    ("column", "value", "cell", "text"),
    [
        ("init_ms", 0.0764, "76.4 µs", "76.4 µs"),
        ("rss_peak_mb", 83.0, "83.0", "83.0 MB"),
        ("accuracy_top1", 0.918, "91.8 %", "91.8 %"),
        ("accuracy_sqnr_db", 31.24, "31.2", "31.2 dB"),
        ("accuracy_sqnr_db", 200.0, "identical", "identical"),  # outputs that are equal to the last bit
        ("nodes_total", 1065, "1,065", "1,065"),
        ("rss_peak_mb", None, "–", "–"),
        ("rss_peak_mb", float("nan"), "–", "–"),
    ],
)
def test_a_value_prints_with_its_unit_once(column: str, value: float | None, cell: str, text: str) -> None:
    assert (quantity(column).cell(value), quantity(column).text(value)) == (cell, text)


def test_titles_name_the_unit_where_the_cells_do_not() -> None:
    assert quantity("rss_peak_mb").column_title == "Peak RSS, MB"
    assert quantity("init_ms").column_title == "Init"
    assert quantity("temperature_before_c").title == "temperature before, °C"


def test_no_two_rows_share_a_column() -> None:
    names = [one.name for one in QUANTITIES]
    cases = [one.case_column for one in QUANTITIES if one.case]
    assert len(set(names)) == len(names)
    assert len(set(cases)) == len(cases)


def test_quantities_of_an_instrument_outlive_the_journal() -> None:
    written = outcome().model_copy(update={"quantities": {"energy_mj": 4.5}}).model_dump_json(exclude_defaults=True)
    assert Outcome.model_validate_json(written).quantities == {"energy_mj": 4.5}


def test_the_median_of_counts_is_a_count_that_was_seen() -> None:
    counted = Quantity("interrupts", COUNT, "during", "interrupts", "interrupts served", case="median")
    launches = [outcome(round=n).model_copy(update={"quantities": {"interrupts": n}}) for n in (2859, 2960)]
    assert counted.of_case(launches) == 2859
    timed = Quantity("jitter_ms", MILLISECONDS, "phase", "jitter", "jitter", case="median")
    assert timed.of_case([o.model_copy(update={"quantities": {"jitter_ms": o.round}}) for o in launches]) == 2909.5


def test_a_count_that_is_no_whole_number_is_named_with_its_trial() -> None:
    counted = Quantity("interrupts", COUNT, "during", "interrupts", "interrupts served", case="median")
    half = outcome(round=3).model_copy(update={"quantities": {"interrupts": 7.5}})
    assert counted.of(half.model_copy(update={"quantities": {"interrupts": 7.0}})) == 7
    with pytest.raises(InputError, match=rf"{half.trial}.*interrupts.*7\.5"):
        counted.of(half)
