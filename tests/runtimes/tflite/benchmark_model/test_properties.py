"""Whatever surrounds, precedes or cuts the tool's lines: no crash, no empty success, no invented number."""

# ruff: noqa: E501  (lines of the tool and of drivers, as they print them)
from __future__ import annotations

import math
import re
import time
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from benchbench.runtimes.tflite.benchmark_model.launch import Launch
from benchbench.runtimes.tflite.benchmark_model.log_events import events
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_launch, read_text
from benchbench.runtimes.tflite.benchmark_model.log_prefixes import to_lines
from benchbench.values.outcome import Outcome
from tests.runtimes.tflite.benchmark_model import recorded, run_of

TEXTS = st.sampled_from([run.text for run in recorded().values()])
NOISE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "08-17 21:47:50.319   928  1099 E QnnDsp  :  <E> CDSP crashed",
            "type 54 str SoftmaxAxis0",
            "vendor/qcom/adsprpc/src/fastrpc_apps_user.c:1096: remote_handle64_invoke, method 4 on domain 3 (sc 0x4030300)",
            "INFO: Vx delegate: allowed_cache_mode set to 0.",
            "loaded libcdsprpc.so",
            "count=7",
            "",
        ]
    ),
).filter(lambda line: not events(to_lines(line)))


def numbers_of(launch: Launch) -> list[float]:
    """Every number that a launch claims, profiles (which are recomputed) apart."""
    measured = [*launch.timings.model_dump(exclude={"samples", "percentile_method"}).values()]
    memory = [*launch.memory.model_dump().values()]
    delegation = launch.delegation
    counted = [launch.runs, launch.runs_asked, launch.warmup_runs, launch.threads, launch.model_mb]
    nodes = [delegation.nodes_delegated, delegation.nodes_total, delegation.partitions, delegation.kernels]
    return [float(value) for value in [*measured, *memory, *counted, *nodes] if value is not None]


def numbers_in(text: str) -> set[float]:
    """Every number in a text; milliseconds as microseconds, too."""
    said = [Decimal(number) for number in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", text)]
    return {float(number * scale) for number in said for scale in (1, 1000) if number < Decimal("1e300")}


def hold(text: str) -> None:
    """What must hold of every reading of every text."""
    for launch in [*read_text(text), read_launch(text)]:
        assert launch.status != "ok" or (launch.timings.mean is not None and launch.runs != 0)
        assert launch.status != "failed" or launch.error
        assert set(numbers_of(launch)) <= numbers_in(text)
        assert launch.reading.status == launch.status


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(0, 10_000))
def test_a_text_may_be_cut_anywhere(text: str, cut: int) -> None:
    hold(text[: cut % (len(text) + 1)])
    hold(text[cut % (len(text) + 1) :])


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.lists(st.tuples(st.integers(0, 500), NOISE), max_size=30))
def test_noise_between_the_lines_changes_nothing(text: str, noise: list[tuple[int, str]]) -> None:
    lines = text.split("\n")
    tables = next((at for at, line in enumerate(lines) if line.startswith("===")), len(lines))
    plain = read_launch("\n".join(lines[:tables]))
    noisy = lines[:tables]
    for at, line in noise:
        noisy.insert(at % (len(noisy) + 1), line)
    found = read_launch("\n".join(noisy))
    hold("\n".join(noisy))
    assert (found.status, found.error, found.timings, found.runs) == (
        plain.status,
        plain.error,
        plain.timings,
        plain.runs,
    )
    assert found.delegation.verdict == plain.delegation.verdict


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
def test_any_prefix_may_stand_before_every_line(text: str, prefix: str) -> None:
    hold("\n".join(prefix + line for line in text.split("\n")))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([line for run in recorded().values() for line in run.text.split("\n")]), max_size=40))
def test_lines_of_different_runs_may_be_shuffled_together(lines: list[str]) -> None:
    hold("\n".join(lines))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_text_are_no_launch_with_a_result(data: bytes) -> None:
    assert all(launch.status != "ok" for launch in read_text(data))


def test_thirty_four_thousand_lines_of_a_drivers_noise_cost_half_a_second_at_most() -> None:
    tag = "08-17 21:47:49.163 29423 29423 I ExecutionPlan: ModelBuilder::findBestDeviceForEachOperation(CONV_2D) = 0 (qti-dsp)"
    noise = [f"{tag} {number}" for number in range(34_000)]
    text = "\n".join([*noise[:17_000], run_of("50").text, *noise[17_000:]])
    spent = []
    for _ in range(3):
        start = time.process_time()
        launches = read_text(text)
        spent.append(time.process_time() - start)
        assert [launch.timings for launch in launches] == [read_launch(run_of("50").text).timings]
    assert min(spent) < 0.5


def test_the_cost_grows_with_the_length_and_no_faster() -> None:
    hostile = "[vx] failed: benchmark_model ERROR: Replacing count=3 node(s) with delegate =====: [x] " + "(" * 50
    costs = []
    for lines in (2_000, 8_000):
        start = time.process_time()
        read_text("\n".join([hostile] * lines))
        costs.append(time.process_time() - start)
    assert costs[1] < 12 * costs[0]


def test_one_line_of_a_megabyte_is_passed_over() -> None:
    start = time.process_time()
    read_text("ERROR: benchmark_model --" + "x: [" * 300_000)
    assert time.process_time() - start < 2


def test_a_reading_fits_into_an_outcome() -> None:
    reading = read_launch(run_of("50").text).reading
    outcome = Outcome(
        trial="t", case="c", device="d", variant="v", round=0, position=0,
        status=reading.status, measurement=reading.measurement, delegation=reading.delegation,
    )  # fmt: skip
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome


@given(text=TEXTS, absurd=st.sampled_from(["1e999", "-1e999", "9" * 25, "9" * 400, "0." + "9" * 400]))
@settings(max_examples=30, deadline=None)
def test_numbers_beyond_all_measure_are_never_a_crash_and_never_infinite(text: str, absurd: str) -> None:
    spoilt = re.sub(r"(?<![\w.])\d+(\.\d+)?(e[+-]?\d+)?", absurd, text)
    for launch in read_text(spoilt):
        said = launch.reading.measurement
        times = said.timings.model_dump(exclude={"samples", "percentile_method"}).values()
        counts = (said.runs, said.runs_asked, said.warmup_runs, said.threads, launch.reading.delegation.nodes_total)
        assert all(math.isfinite(number) for number in (*times, *counts) if number is not None)
