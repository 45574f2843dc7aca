"""The files that the tool writes, and its op profile in every form."""

# ruff: noqa: E101, E501  (lines of the tool, as it prints them)
from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.runtimes.tflite.backends.owners import kernel_owner
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch
from benchbench.runtimes.tflite.benchmark_model.profile import of_csv
from benchbench.runtimes.tflite.benchmark_model.result_files import read_profile, read_result, read_runtime_info
from tests.runtimes.tflite.benchmark_model import run_of, written


def test_a_result_file_says_what_the_text_says_with_more_digits() -> None:
    result, text = read_result(written("result.pb")), read_launch(run_of("73").text)
    assert result.timings.mean == pytest.approx(1125.615, abs=0.001)
    for name in ("init", "first", "min", "max", "std", "p5", "median", "p95"):
        assert getattr(result.timings, name) == getattr(text.timings, name)
    assert (result.runs, result.warmup_runs, result.model_mb) == (text.runs, text.warmup_runs, text.model_mb)
    assert result.memory.init_delta_mb == pytest.approx(text.memory.init_delta_mb, rel=1e-5)
    assert result.memory.peak_polled_mb == pytest.approx(text.memory.peak_polled_mb, rel=1e-5)


def test_a_result_file_of_a_run_without_a_warm_up_has_no_times_of_one() -> None:
    """Fields by the tool's proto: latency 2 (mean 1, first 9, warm-up 10), misc 4 (runs 2, warm-up runs 3)."""
    floats = {1: 0.5, 8: 3.0, 9: 0.0, 10: 0.0}
    latency = b"".join(bytes([tag << 3 | 5]) + struct.pack("<f", value) for tag, value in floats.items())
    for warmups, times in ((0, (None, None)), (1, (0, 0))):
        misc = bytes([2 << 3, 7, 3 << 3, warmups])
        found = read_result(bytes([2 << 3 | 2, len(latency)]) + latency + bytes([4 << 3 | 2, len(misc)]) + misc)
        assert (found.timings.first, found.timings.warmup_mean) == times
        assert (found.timings.mean, found.runs, found.warmup_runs) == (500, 7, warmups)


def test_a_number_that_is_none_is_left_out_of_a_result_file() -> None:
    floats = {1: 0.5, 4: math.nan, 3: math.inf}
    latency = b"".join(bytes([tag << 3 | 5]) + struct.pack("<f", value) for tag, value in floats.items())
    timings = read_result(bytes([2 << 3 | 2, len(latency)]) + latency).timings
    assert (timings.mean, timings.std, timings.max) == (500, None, None)


def test_runtime_info_lists_the_partitions_of_each_delegate() -> None:
    info = read_runtime_info(written("rinfo.pb"))
    assert info.nodes == 8
    assert [part.nodes for part in info.partitions] == [(0, 1), (3, 4), (6, 7)]
    assert info.taken_by("xnnpack") == (6, 3)
    assert info.taken_by("gpu") == (0, 0)


def test_an_op_profile_is_the_same_from_its_file_and_from_the_csv_of_another_run() -> None:
    binary, csv = read_profile(written("prof.pb")), of_csv(written("prof.csv").decode())
    assert binary is not None
    assert csv is not None
    assert {(row.name, row.type) for row in binary.by_op} == {
        (row.name.replace("\t", ","), row.type) for row in csv.by_op
    }


@pytest.mark.parametrize("number", ["26", "28", "29"])
def test_a_profile_has_every_row_and_shares_that_add_up(number: str) -> None:
    run = run_of(number)
    profile = read_launch(run.text).profile
    assert profile is not None
    regular = run.stdout[run.stdout.index("Operator-wise") :]
    said = int(regular[regular.index("Number of nodes executed: ") :].split()[4])
    assert len(profile.by_op) == said
    for rows in (profile.by_op, profile.by_type):
        assert sum(row.percent for row in rows) == pytest.approx(100)
        assert [row.mean_us for row in rows] == sorted((row.mean_us for row in rows), reverse=True)


def test_a_row_says_which_delegate_ran_it() -> None:
    delegated, own = read_launch(run_of("26").text).profile, read_launch(run_of("28").text).profile
    assert delegated is not None
    assert own is not None
    assert {row.executor for row in delegated.by_op} == {"xnnpack"}
    assert {row.executor for row in own.by_op} == {None}


@pytest.mark.parametrize(
    ("kernel", "owner"),
    [
        ("TfLiteXNNPackDelegate", "xnnpack"),
        ("TfLiteGpuDelegateV2", "gpu"),
        ("LITERT_CL", "gpu"),
        ("TfLiteNnapiDelegate", "nnapi"),
        ("Vx Delegate", "external"),
        ("CONV_2D", None),
    ],
)
def test_a_kernels_name_tells_its_delegate(kernel: str, owner: str | None) -> None:
    assert kernel_owner(kernel) == owner


OLDEST = """\
============================== Run Order ==============================
	             [node type]	  [start]	  [first]	 [avg ms]	     [%]	  [cdf%]	  [mem KB]	[times called]	[Name]
	                 CONV_2D	    0.000	    4.000	    4.000	  0.080%	  0.080%	     0.000	        0	[a/Relu6]
	       DEPTHWISE_CONV_2D	    4.270	    1.000	    1.000	  0.020%	  0.100%	     0.000	        0	[b/Relu6]

Number of nodes executed: 2
============================== Summary by node type ==============================
	             [Node type]	  [count]	  [avg ms]	    [avg %]	    [cdf %]	  [mem KB]	[times called]
	                 CONV_2D	        1	     0.080	    80.000%	    80.000%	     0.000	        0
	       DEPTHWISE_CONV_2D	        1	     0.020	    20.000%	   100.000%	     0.000	        0
"""


def test_the_shares_of_the_oldest_tables_are_recomputed_from_the_times() -> None:
    profile = read_launch(OLDEST).profile
    assert profile is not None
    assert [(row.mean_us, row.percent) for row in profile.by_op] == [(4000, 80), (1000, 20)]
    assert [(row.mean_us, row.percent) for row in profile.by_type] == [(4000, 80), (1000, 20)]


def test_a_table_that_a_logger_turned_into_blanks_is_read() -> None:
    tag = "05-30 13:04:39.021 25935 25935 I tflite  : "
    lines = [line.replace("\t", "    ") for line in OLDEST.splitlines()]
    assert read_launch("\n".join(tag + line for line in lines)).profile == read_launch(OLDEST).profile


def test_an_op_that_is_called_twice_counts_twice() -> None:
    head = "node type, first, avg_ms, %, cdf%, mem KB, times called, name\n"
    rows = "Softmax (NC, F32), 0.003, 0.001, 50%, 50%, 0, 2, Delegate/Softmax (NC\t F32):1\nADD, 0, 0.002, -nan%, 100%, 0, 1, [a]:0\n"
    profile = of_csv(f"====== Run Order ======\n{head}{rows}")
    assert profile is not None
    assert [(row.type, row.mean_us, row.percent) for row in profile.by_op] == [
        ("Softmax (NC, F32)", 2, 50),
        ("ADD", 2, 50),
    ]


@given(st.sampled_from(["result.pb", "rinfo.pb", "prof.pb"]), st.integers(0, 2000), st.binary(max_size=20))
def test_a_file_that_was_cut_or_spoilt_is_refused_and_never_a_crash(name: str, cut: int, tail: bytes) -> None:
    data = written(name)
    for read in (read_result, read_runtime_info, read_profile):
        try:
            read(data[: cut % len(data)] + tail)
        except ValueError:
            continue
