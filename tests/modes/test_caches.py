"""Launches with compile caches: LiteRT's own weight cache on this machine, and the native tool's by its stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.analysis.frames import load
from benchbench.device.temporary import FileState, read_files
from benchbench.modes.caches import _cold_use, _warm_use
from benchbench.pipeline import run
from benchbench.values.outcome import CacheLine
from tests.beds.benchmark_model import install
from tests.beds.models import conv_model
from tests.beds.namespaces import CACHES_READ_ONLY, can_mount
from tests.workbench import Workbench, outcomes

CACHED = '[{ kind = "xnnpack", cache = "cold" }, { kind = "xnnpack", cache = "warm" }]'


def by_kind(bench: Workbench) -> dict[str, Any]:
    return {str(case["delegate"]): case for _, case in load(bench.latest()).cases.iterrows()}


def test_cold_and_warm_initialisation_are_told_apart_where_weights_are_many(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    (tmp_path / "large.tflite").write_bytes(conv_model(size=4, channels=512, layers=6))
    matrix = bench.matrix(delegates='["xnnpack"]', rounds=3, top='cache = ["off", "cold", "warm"]')
    text = matrix.read_text()
    start, end = text.index("[[model]]"), text.index("[measure]")
    matrix.write_text(f'{text[:start]}[[model]]\nfamily = "net"\nvariants = "large.tflite"\n{text[end:]}')

    run(matrix, inventory=bench.inventory, reports=bench.reports)

    cases = by_kind(bench)
    assert {name: case.verdict for name, case in cases.items()} == dict.fromkeys(cases, "full")
    cold, warm = cases["xnnpack:cold"], cases["xnnpack:warm"]
    assert warm.init_warm_ms == warm.init_ms
    assert cold.init_cold_ms == cold.init_ms
    timed = [outcome.quantities for outcome in outcomes(bench.latest()) if outcome.timed and outcome.cache]
    least = {name: min(told[name] for told in timed if name in told) for name in ("init_cold_ms", "init_warm_ms")}
    assert least["init_cold_ms"] > 1.5 * least["init_warm_ms"]  # some 20 times here: nothing is packed again
    assert len([told for told in timed if "init_cold_ms" in told]) == 6  # those of priming launches, too
    assert (cold.cache_mb, warm.cache_mb) == (pytest.approx(47.3, abs=0.2),) * 2
    assert cases["xnnpack:no-cache"][["init_cold_ms", "init_warm_ms", "cache_mb"]].isna().all()
    used = {outcome.case.split("/")[2]: outcome.cache for outcome in outcomes(bench.latest())}
    assert used["xnnpack:no-cache"] is None
    for asked in ("cold", "warm"):
        use = used[f"xnnpack:{asked}"]
        assert use is not None
        assert (use.asked, use.used) == (asked, True)
    assert not [doubt for case in cases.values() for doubt in case.doubts if doubt.kind == "cache"]
    assert not list(bench.work.rglob("weights"))  # nothing of them stays on the device


@pytest.mark.skipif(not can_mount(), reason="needs root, to make a folder read-only for a process")
@pytest.mark.parametrize("tool", ["python", "benchmark_model"])
def test_a_cache_in_a_read_only_folder_is_said_not_to_be_used(tmp_path: Path, tool: str) -> None:
    bench = Workbench(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(CACHES_READ_ONLY)
    chosen = "" if tool == "python" else f'binary = "{install(tmp_path / "benchmark_model")}"\n'
    more = f'runner = "{tool}"\nenv = {{ PYTHONPATH = "{tmp_path}" }}\n'
    bench.device("host", f'address = {{ transport = "local" }}\nworkdir = "{tmp_path}/work"\n{chosen}{more}')

    matrix = bench.matrix("float32", delegates=CACHED, rounds=1)
    run(matrix, inventory=bench.inventory, reports=bench.reports)

    for case in by_kind(bench).values():
        (doubt,) = (doubt for doubt in case.doubts if doubt.kind == "cache")
        assert doubt.text.startswith("cache asked for, not used: ")
        assert case["init_cold_ms":"cache_mb"].isna().all()
        assert case.median_ms > 0  # it ran all the same, and its latency is no other
    evidence = {outcome.cache.evidence for outcome in outcomes(bench.latest()) if outcome.cache}
    assert all("could neither be loaded from or saved to" in line for line in evidence)


def test_the_native_tool_is_given_its_own_flag_and_primed_before_it_is_measured(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    native = install(tmp_path / "benchmark_model")
    address = 'address = { transport = "local" }'
    bench.device("host", f'{address}\nworkdir = "{tmp_path}/work"\nrunner = "benchmark_model"\nbinary = "{native}"\n')

    matrix = bench.matrix("float32", delegates=CACHED, rounds=1, model='dataset = "random"\nsamples = 2')
    run(matrix, inventory=bench.inventory, reports=bench.reports)

    told = {outcome.case.split("/")[2]: outcome for outcome in outcomes(bench.latest()) if outcome.timed}
    warm, cold = told["xnnpack:warm"], told["xnnpack:cold"]
    assert warm.cache is not None
    assert cold.cache is not None
    assert (warm.cache.used, cold.cache.used) == (True, True)
    assert "unchanged by the measured one" in warm.cache.evidence
    assert {"init_cold_ms", "init_warm_ms", "cache_mb"} <= set(warm.quantities)
    assert {"init_cold_ms", "cache_mb"} <= set(cold.quantities)
    assert "init_warm_ms" not in cold.quantities
    flag = "--xnnpack_weight_cache_file_path="
    assert all(flag in str(outcome.command) for outcome in told.values())
    (priming,) = (bench.latest() / "logs").glob("*warm*r1-priming*")
    assert flag in priming.read_text()
    assert "--num_runs=1 " in priming.read_text()
    outputs = [outcome for outcome in load(bench.latest()).outcomes if outcome.purpose == "accuracy"]
    assert [outcome.status for outcome in outputs] == ["ok", "ok"]  # on the same path


FILES = {"weights": FileState(8, "17 2026-11-28 10:00:00.5 +0000")}
REWRITTEN = {"weights": FileState(8, "17 2026-11-28 10:00:01.5 +0000")}
MISSED = CacheLine(event="missed", line="couldn't be opened for reading")
REFUSED = CacheLine(event="refused", line="could neither be loaded from or saved to")
READ = CacheLine(event="read", line="API from serialized data")


@pytest.mark.parametrize(
    ("before", "after", "said", "used"),
    [
        (FILES, FILES, None, True),
        ({}, {}, None, False),
        ({}, FILES, None, False),  # the measured launch was the first that wrote
        (FILES, REWRITTEN, None, False),
        (FILES, {}, None, False),
        (FILES, FILES, MISSED, False),
        (FILES, FILES, REFUSED, False),
        (FILES, REWRITTEN, READ, True),  # a tool may mark what it has read
        (None, None, None, None),
        (None, None, READ, True),
    ],
)
def test_a_warm_cache_was_used_when_the_tool_says_so_or_its_files_are_as_they_were(
    before: Any, after: Any, said: CacheLine | None, used: bool | None
) -> None:
    use = _warm_use(before, after, said)
    assert (use.asked, use.used) == ("warm", used)
    assert use.evidence


@pytest.mark.parametrize(
    ("after", "said", "used"),
    [
        (FILES, None, True),
        (FILES, MISSED, True),  # that it was empty
        ({}, None, False),
        ({}, MISSED, False),
        (FILES, REFUSED, False),
        (FILES, READ, None),  # from a folder that was empty: nothing explains that
        (None, None, None),
    ],
)
def test_a_cold_cache_was_used_when_something_is_in_it_after_the_launch(
    after: Any, said: CacheLine | None, used: bool | None
) -> None:
    use = _cold_use(after, said)
    assert (use.asked, use.used) == ("cold", used)
    assert use.evidence


def test_files_of_a_device_are_told_apart_by_what_changes_when_they_are_written() -> None:
    """As coreutils (the first), busybox and toybox print it; a name may have blanks, and a count ends it."""
    text = (
        "546024 1441806 2026-11-28 13:42:32.413270649 +0000 /d/c/weights\n"
        "3 7 2026-11-28 13:42:32.413270649 /d/c/a b.bin\n"
    )
    assert read_files("0\n", "/d/c") == {}
    assert read_files("       0\n", "/d/c") == {}  # as some wc pad it
    assert read_files("1\n", "/d/c") is None  # no stat there, or one that does not know -c
    assert read_files(text + "3\n", "/d/c") is None
    assert read_files("", "/d/c") is None
    assert read_files(text + "2\n", "/d/c") == {
        "weights": FileState(546024, "1441806 2026-11-28 13:42:32.413270649 +0000"),
        "a b.bin": FileState(3, "7 2026-11-28 13:42:32.413270649"),
    }
