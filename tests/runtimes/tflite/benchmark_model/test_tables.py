"""Tables of an op profile, behind whatever a log puts before each line, and where they were cut."""

# ruff: noqa: E501  (lines of the tool, as it prints them)
from __future__ import annotations

import pytest

from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch, read_text
from tests.runtimes.tflite.benchmark_model import RESULT

HEAD = "\t[node type]\t[first]\t[avg ms]\t[%]\t[cdf%]\t[mem KB]\t[times called]\t[Name]"
CONV = "\t                 CONV_2D\t    1.0\t    3.0\t 30.000%\t 30.000%\t     0.000\t        1\t[b]:8"
GEMM = "\t Fully Connected (NC, F32) GEMM\t    1.0\t    1.0\t 10.000%\t 40.000%\t     0.000\t        1\tDelegate/Fully Connected (NC, F32) GEMM:2"
TYPES = "\t[Node type]\t[count]\t[avg ms]\t[avg %]\t[cdf %]\t[mem KB]\t[times called]"
TABLE = [
    "============================== Top by Computation Time ==============================",
    HEAD,
    CONV,
    GEMM,
    "",
    "Number of nodes executed: 9",
    "============================== Summary by node type ==============================",
    TYPES,
    "\t                 CONV_2D\t      5\t    6.0\t 60.000%\t 60.000%\t     0.000\t        5",
    "\t Fully Connected (NC, F32) GEMM\t      4\t    4.0\t 40.000%\t100.000%\t     0.000\t        4",
    "",
    "Timings (microseconds): count=50 first=10001 curr=10000 min=9000 max=11000 avg=10002 std=5",
]


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "12:34:56 ",
        "12:34:56.789 ",
        "[12:34:56.789] ",
        "[   12.345678] ",
        "1795825545.273109 ",
        "1795825545 ",
        "1795825545.273  2638  2638 I tflite  : ",
        "   123.456  2638  2638 I tflite  : ",
        "12:00:00.123 12345 12345 I tflite  : ",
        "10:04:10.319  2638-2638  tflite          org.tensorflow.lite.benchmark  I  ",
        "22-05-13 15:32:40.818 14465-14526/org.tensorflow.lite.benchmark I/tflite: ",
        "2026-11-27 23:37:06 ",
        "2026-11-27 23:37:06,123 ",
        "2026-11-27T23:37:06+0100 ",
        "2026-11-27T23:37:06.123456+01:00 board benchmark_model[123]: ",
        "Nov 27 23:37:06 board benchmark_model[123]: ",
        "Nov  7 23:37:06.123456 board sh[123]: ",
        "1795825545.273109 board benchmark_model[123]: ",
        "[2026-11-27T23:37:06.123Z] ",
        "Nov 27 23:37:06 ",
    ],
)
def test_a_table_is_read_behind_any_prefix_and_a_part_of_it_against_the_whole(prefix: str) -> None:
    lines = ["STARTING!", "Num threads: [4]", *RESULT.splitlines(), *TABLE]
    (launch,) = read_text("\n".join(prefix + line for line in lines))
    profile = launch.profile
    assert (launch.status, launch.threads, launch.timings.mean) == ("ok", 4, 190400)
    assert profile is not None
    assert [(row.type, row.mean_us, row.percent) for row in profile.by_op] == [
        ("CONV_2D", 3000, 30),
        ("Fully Connected (NC, F32) GEMM", 1000, 10),
    ]
    assert [(row.type, row.calls, row.mean_us, row.executor) for row in profile.by_type] == [
        ("CONV_2D", 5, 6000, None),
        ("Fully Connected (NC, F32) GEMM", 4, 4000, "xnnpack"),
    ]


def test_a_summary_that_was_cut_is_made_of_the_rows_that_are_all_there() -> None:
    run_order = ["====== Run Order ======", HEAD, CONV, GEMM, CONV.replace("[b]:8", "[c]:9"), ""]
    cut = ["====== Summary by node type ======", TYPES, "\t CONV_2D\t 2\t 6.0\t 60.000%\t 60.000%\t 0.000\t 2"]
    profile = read_launch("\n".join([RESULT, *run_order, *cut])).profile
    assert profile is not None
    assert [(row.type, row.mean_us) for row in profile.by_type] == [
        ("CONV_2D", 6000),
        ("Fully Connected (NC, F32) GEMM", 1000),
    ]
    assert sum(row.percent for row in profile.by_op) == pytest.approx(100)


def test_rows_without_a_summary_are_a_part_of_what_the_tool_says_it_executed() -> None:
    profile = read_launch("\n".join([RESULT, *TABLE[:6], TABLE[-1]])).profile
    assert profile is not None
    assert [row.percent for row in profile.by_op] == [30, 10]
