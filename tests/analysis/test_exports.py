"""What others read: Bencher, github-action-benchmark, Prometheus, spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from benchbench.analysis.exports import FORMATS, export, left_out
from benchbench.analysis.frames import Run, load
from benchbench.cli.main import cli
from benchbench.cli.results import EXPORTS
from tests.report.builder import conditions, launches, outcome, write_run

CPU, GPU = (f"pixel8/mobilenet_v2.float32/{delegate}/t1" for delegate in ("xnnpack", "gpu"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A case of 11 ms, and one that failed."""
    broken = outcome(delegate="gpu", status="failed", ms=None, error="driver crashed")
    return load(write_run(tmp_path, [*launches([10, 11, 12, 10.5, 30], delegate="xnnpack"), broken]))


def metric_families(run: Run) -> dict[str, Any]:
    """As Prometheus' own parser reads them."""
    parsed = text_string_to_metric_families(export(run, "openmetrics"))  # type: ignore[no-untyped-call]
    return {family.name: family for family in parsed}


def test_bencher_gets_nanoseconds_with_their_interval(run: Run) -> None:
    told = json.loads(export(run, "bmf"))
    assert list(told) == [CPU]
    assert told[CPU]["latency"] == {
        "value": pytest.approx(11e6),
        "lower_value": pytest.approx(10e6),
        "upper_value": pytest.approx(30e6),
    }
    assert told[CPU]["rss_peak_mb"] == {"value": 83.0}


def test_github_action_benchmark_gets_what_is_better_when_smaller(run: Run) -> None:
    told = {row["name"]: row for row in json.loads(export(run, "github-action-benchmark"))}
    assert told[f"{CPU} latency"] == {
        "name": f"{CPU} latency",
        "unit": "ms",
        "value": pytest.approx(11),
        "range": "10 to 30",
        "extra": f"run {run.id}, ran on xnnpack",
    }
    assert not any(GPU in name for name in told)


def test_prometheus_reads_gauges_in_base_units(run: Run) -> None:
    families = metric_families(run)
    (latency,) = families["benchbench_latency_seconds"].samples
    assert latency.value == pytest.approx(0.011)
    assert latency.labels["case"] == CPU
    assert latency.labels["threads"] == "1"
    assert families["benchbench_latency_seconds"].unit == "seconds"
    (peak,) = families["benchbench_rss_peak_bytes"].samples
    assert peak.value == pytest.approx(83e6)


def test_a_spreadsheet_gets_every_case(run: Run) -> None:
    rows = {row["case"]: row for row in csv.DictReader(io.StringIO(export(run, "csv")))}
    assert float(rows[CPU]["median_ms"]) == 11
    assert rows[GPU]["status"] == "failed"


def test_no_name_of_a_device_breaks_a_format(tmp_path: Path) -> None:
    names = {"device": 'a"b\\c', "case": f'a"b\\c/{CPU}'}
    odd = [one.model_copy(update=names) for one in launches([10, 11, 12, 10, 9])]
    run = load(write_run(tmp_path, odd))
    families = metric_families(run)
    assert families["benchbench_latency_seconds"].samples[0].labels["device"] == 'a"b\\c'


def test_the_command_offers_every_format_and_prints_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for form in FORMATS:
        cli(["export", str(run.folder), "--format", form], standalone_mode=False)
        assert capsys.readouterr().out == export(run, form)
    assert EXPORTS == FORMATS


def test_series_have_headline_numbers_alone_and_a_spreadsheet_all(tmp_path: Path) -> None:
    """A delegate that took nothing ran on the CPU, and throttled launches say nothing of the case."""
    hot = conditions(60, throttled=["throttled"])
    throttled = [o.model_copy(update={"after": hot}) for o in launches([30.0] * 6, threads=4)]
    fell_back = launches([10.0] * 6, delegate="gpu", verdict="unavailable")
    mixed = load(write_run(tmp_path, [*launches([10.0] * 6), *throttled, *fell_back]))
    families = metric_families(mixed)
    told = {
        "bmf": set(json.loads(export(mixed, "bmf"))),
        "github-action-benchmark": {
            row["name"].split()[0] for row in json.loads(export(mixed, "github-action-benchmark"))
        },
        "openmetrics": {sample.labels["case"] for family in families.values() for sample in family.samples},
    }
    assert all(cases == {CPU} for cases in told.values())
    assert len(list(csv.DictReader(io.StringIO(export(mixed, "csv"))))) == 3
    assert left_out(mixed, "csv") == ""
    assert all(left_out(mixed, form).startswith("2 of 3 cases") for form in told)  # type: ignore[arg-type]


def test_a_number_beyond_all_units_is_left_out_of_series(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, launches([1e302])))
    assert "latency" not in json.loads(export(run, "bmf"))[CPU]
