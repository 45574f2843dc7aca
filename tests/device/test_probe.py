from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.device.probe import clusters, mask, online_cores, read_probe
from benchbench.values.device import Cluster

BIG_LITTLE = (
    Cluster(cores=(0, 1, 2, 3), max_mhz=1803),
    Cluster(cores=(4, 5), max_mhz=2350),
    Cluster(cores=(6,), max_mhz=2850),
)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("0", (0,)),
        ("0-1,4,6-7", (0, 1, 4, 6, 7)),
        ("", ()),
        ("x-3", ()),
        ("3-", (3,)),
        ("²", ()),
    ],
)
def test_the_kernels_list_of_cores_is_read(text: str, cores: tuple[int, ...]) -> None:
    assert online_cores(text) == cores


def test_cores_are_grouped_by_their_fastest_clock_slowest_first() -> None:
    values = {"online": "0-3", "max_khz.0": "2850000", "max_khz.1": "1803000", "max_khz.2": "1803000"}
    values["max_khz.3"] = "2850000"
    little, big = clusters(values)
    assert (little.cores, little.max_mhz) == ((1, 2), 1803)
    assert (big.cores, big.max_mhz) == ((0, 3), 2850)


def test_a_device_that_does_not_tell_its_clocks_is_one_cluster() -> None:
    assert clusters({"online": "0-1"}) == (Cluster(cores=(0, 1), max_mhz=None),)


def test_a_core_that_is_off_belongs_to_no_cluster() -> None:
    assert clusters({"online": "0", "max_khz.0": "1000000", "max_khz.1": "2000000"})[-1].cores == (0,)


@pytest.mark.parametrize(
    ("affinity", "expected"), [("big", "40"), ("little", "f"), ("all", None), ("3c", "3c"), ("70", "70")]
)
def test_an_affinity_becomes_a_mask_of_cores(affinity: str, expected: str | None) -> None:
    assert mask(BIG_LITTLE, affinity) == expected


def test_where_all_cores_are_alike_nothing_is_pinned() -> None:
    assert mask(BIG_LITTLE[:1], "big") is None


def test_a_phone_is_android_with_its_sdk_and_a_board_linux_with_its_release() -> None:
    phone = read_probe({"kernel": "Linux", "sdk": "34", "android": "14", "abi": "arm64-v8a", "opencl": "/v/l.so"})
    assert (phone.os, phone.sdk, phone.os_version, phone.arch) == ("android", 34, "Android 14", "arm64")
    assert phone.accelerators == ("opencl",)
    board = read_probe({"kernel": "Linux", "machine": "aarch64", "os_release": "Debian 12", "memory_kb": "2048"})
    assert (board.os, board.os_version, board.arch, board.memory_mb) == ("linux", "Debian 12", "arm64", 2)


KEYS = st.sampled_from(["kernel", "machine", "sdk", "memory_kb", "online", "max_khz.0", "model", "soc", "boot_id"])


@given(st.dictionaries(KEYS, st.one_of(st.text(max_size=9), st.floats().map(str))))
def test_whatever_a_device_says_of_itself_is_taken_or_passed_over(values: dict[str, str]) -> None:
    assert read_probe(values).os in {"android", "linux", "macos"}
