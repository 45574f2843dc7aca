"""Compile caches on a board over SSH, and on a phone over ADB: kept there, looked at there, and gone afterwards."""

from __future__ import annotations

from pathlib import Path

from benchbench.analysis.frames import load
from tests.end_to_end.conftest import FAMILY, Lab

MATRIX = f"""
name = "caches"
devices = ["board", "phone"]
delegates = ["xnnpack"]
cache = ["cold", "warm"]
[[model]]
family = "net"
variants = {{ float32 = "{FAMILY}/fashion_mnist_float32.tflite" }}
[measure]
rounds = 1
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
canary = false
"""


def test_caches_are_used_and_nothing_of_them_stays_on_board_and_phone(lab: Lab) -> None:
    trials = load(lab.run(MATRIX)).trials.set_index("case")
    assert len(trials) == 4
    assert set(trials["cache_used"]) == {"yes"}
    assert trials["runner"].to_dict() == {
        f"{device}/net.float32/xnnpack:{cache}/t1": runner
        for device, runner in (("board", "python"), ("phone", "benchmark_model"))
        for cache in ("cold", "warm")
    }
    for device in ("board", "phone"):
        assert trials["init_warm_ms"].isna()[f"{device}/net.float32/xnnpack:cold/t1"]
        warm = trials.loc[f"{device}/net.float32/xnnpack:warm/t1"]
        assert "unchanged by the measured one" in warm.cache_evidence
        assert min(warm.init_cold_ms, warm.init_warm_ms, warm.cache_mb) > 0
    places = (Path(f"{lab.board.workdir}/work"), lab.phone.path(f"{lab.phone.workdir}/benchbench"))
    for place in places:
        assert place.is_dir()
        assert [path for path in place.rglob("*") if path.name == "weights"] == []
