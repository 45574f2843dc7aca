"""What others measured with ONNX Runtime: the three forms of its tool's output, and the files of its profiler."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.importing.logs import outcomes, read_log, read_logs
from benchbench.runtimes.base import RecordedLaunch
from benchbench.runtimes.onnxruntime.recorded import read_text
from benchbench.values.errors import InputError
from tests.workbench import FAMILY

# As performance_runner of 1.20 prints them; the numbers are ours.
TODAY = """\
$ ./onnxruntime_perf_test -e xnnpack -x 4 -r 50 -I /data/local/tmp/nets/net.onnx
Setting intra_op_num_threads to 4
 Node(s) placed on [XnnpackExecutionProvider]. Number of nodes: 11
 Node(s) placed on [CPUExecutionProvider]. Number of nodes: 3
Session creation time cost: 0.125 s
First inference time cost: 31 ms
Total inference time cost: 0.9 s
Total inference requests: 50
Average inference time cost: 18 ms
Total inference run time: 0.9002 s
Number of inferences per second: 55.5
Avg CPU usage: 62 %
Peak working set size: 104857600 bytes
Avg CPU usage:62
Peak working set size:104857600
Runs:50
Min Latency: 0.0171 s
Max Latency: 0.0199 s
P50 Latency: 0.0179 s
P90 Latency: 0.0185 s
P95 Latency: 0.0188 s
P99 Latency: 0.0199 s
P999 Latency: 0.0199 s
"""
SPLIT = TODAY.replace("Average inference time cost:", "Average inference time cost total:")
OF_2019 = """\
Total time cost: 1.25
Total iterations: 100
Average time cost: 12.5 ms
Total run time: 1.2504 s
Min Latency is 0.0121 sec
Max Latency is 0.0140 sec
P50 Latency is 0.0125 sec
P95 Latency is 0.0131 sec
"""


def only(text: str) -> RecordedLaunch:
    (launch,) = read_text(text)
    return launch


@pytest.mark.parametrize("text", [TODAY, SPLIT])
def test_times_come_in_microseconds_and_counts_as_they_are(text: str) -> None:
    launch = only(text)
    measured = launch.result.measurement
    times = measured.timings
    told = (times.init, times.first, times.mean, times.min, times.max, times.median, times.p95)
    assert told == pytest.approx((125_000, 31_000, 18_000, 17_100, 19_900, 17_900, 18_800))
    assert (measured.runs, measured.threads, measured.memory.rss_peak_mb) == (50, 4, 100)
    assert (launch.result.status, launch.graph) == ("ok", "/data/local/tmp/nets/net.onnx")


def test_the_verdict_is_that_of_the_placement_of_nodes() -> None:
    found = only(TODAY).result.delegation
    assert (found.asked, found.verdict, found.nodes_delegated, found.nodes_total) == ("ort-xnnpack", "partial", 11, 14)
    alone = TODAY.replace(" Node(s) placed on [CPUExecutionProvider]. Number of nodes: 3\n", "")
    assert only(alone).result.delegation.verdict == "full"
    without = TODAY.replace(" Node(s) placed on [XnnpackExecutionProvider]. Number of nodes: 11\n", "")
    assert only(without).result.delegation.verdict == "none"
    quiet = "".join(line for line in TODAY.splitlines(keepends=True) if "placed on" not in line)
    assert only(quiet).result.delegation.verdict == "unknown"


def test_the_form_of_before_2020_says_neither_session_nor_command() -> None:
    launch = only(OF_2019)
    times = launch.result.measurement.timings
    assert (times.init, times.mean, times.median, times.min) == pytest.approx((None, 12_500, 12_500, 12_100))
    assert (launch.result.measurement.runs, launch.graph) == (100, None)
    assert (launch.result.delegation.asked, launch.result.delegation.verdict) == (None, "unknown")


def test_launches_of_one_text_are_told_apart_with_and_without_their_commands() -> None:
    bare = TODAY.partition("\n")[2]
    for text in (TODAY + TODAY, bare + bare, OF_2019 + OF_2019, bare.partition("\n")[2] * 2):
        assert [launch.result.status for launch in read_text(text)] == ["ok", "ok"]
    second = TODAY.replace("-x 4", "-x 2").replace("to 4", "to 2").replace("0.0179", "0.0300")
    found = read_text(TODAY + second)
    assert [one.result.measurement.threads for one in found] == [4, 2]
    assert [one.result.measurement.timings.median for one in found] == pytest.approx([17_900, 30_000])


def test_a_launch_that_stops_is_incomplete_and_one_that_fails_says_why() -> None:
    begun = TODAY.partition("First inference")[0]
    assert only(begun).result.status == "incomplete"
    said = "[E:onnxruntime:, main.cc:12 main] Load model from net.onnx failed: no such file"
    failed = only(f"{TODAY.splitlines()[0]}\n{said}\n").result
    assert (failed.status, failed.error) == ("failed", said)


@pytest.mark.parametrize("absurd", ["1e999", "9" * 400, "1.2.3", "NaN"])
def test_what_is_no_number_of_a_float_is_not_said(absurd: str) -> None:
    (launch,) = read_text(TODAY.replace("0.0199", absurd).replace("104857600", absurd))
    measured = launch.result.measurement
    assert (measured.timings.max, measured.memory.rss_peak_mb) == (None, None)
    assert measured.timings.mean == 18_000
    profile = f'[{{"cat": "Session", "name": "model_run", "dur": {absurd if absurd == "NaN" else 1e400}, "ts": 0}}]'
    assert not read_text(profile.replace("inf", "Infinity"))


def test_a_text_of_another_kind_holds_no_launch() -> None:
    for text in ("", "onnxruntime_perf_test is slow\n", "[1, 2]", '[{"cat": "Node"}]', "[not json"):
        assert not read_text(text), text
    with pytest.raises(InputError, match="onnxruntime_perf_test"):
        read_log("notes.txt", "nothing to see\n")


def test_launches_become_cases_of_a_run() -> None:
    (outcome,) = outcomes(read_logs([("phone.txt", TODAY)]))
    assert outcome.trial == "phone/net.onnx/ort-xnnpack/t4/r0"
    assert outcome.runner == "onnxruntime_perf_test"


def test_a_genuine_profile_gives_phases_runs_and_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime: Any = pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    monkeypatch.chdir(tmp_path)
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = "of"
    model = FAMILY / "fashion_mnist_float32.onnx"
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    for _ in range(5):
        session.run(None, {"image": np.zeros((1, 28, 28, 1), np.float32)})
    text = Path(os.fspath(session.end_profiling())).read_text(encoding="utf-8")
    result = only(text).result
    times = result.measurement.timings
    assert (result.status, result.measurement.runs, len(times.samples)) == ("ok", 4, 4)
    assert times.init is not None
    assert times.first is not None
    assert "profiler" in result.measurement.warnings[0]
    profile = result.measurement.profile
    assert profile is not None
    assert {"Conv", "Gemm", "Softmax"} <= {row.type for row in profile.by_type}
    assert sum(row.percent for row in profile.by_type) == pytest.approx(100)
    assert sum(row.mean_us for row in profile.by_op) < (times.mean or 0) * 1.5
    assert (result.delegation.verdict, result.delegation.asked) == ("unknown", None)
    other = text.replace("CPUExecutionProvider", "XnnpackExecutionProvider")
    assert (only(other).result.delegation.asked, only(other).result.delegation.verdict) == ("ort-xnnpack", "full")
