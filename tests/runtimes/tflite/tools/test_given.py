"""A binary that the user gives: which one of a folder, and whether it is for such a device."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from benchbench.runtimes.tflite.tools import matches
from benchbench.values.errors import InputError, ToolError
from tests.runtimes.tflite.tools.shelf import elf, phone_tool


def test_a_given_binary_is_used_in_place(tmp_path: Path) -> None:
    mine = tmp_path / "my_benchmark"
    mine.write_bytes(elf())
    tool = phone_tool(tmp_path / "cache", given=mine)
    assert (tool.path, tool.source, tool.version) == (mine, "given", "2.2.0")
    assert phone_tool(tmp_path / "cache", given=mine, version="latest").version == "given"  # of any age
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "name", ["benchmark_model", "android_aarch64_benchmark_model", "android_arm64/benchmark_model"]
)
def test_a_given_folder_is_searched_for_the_one_that_fits(tmp_path: Path, name: str) -> None:
    right = tmp_path / name
    right.parent.mkdir(exist_ok=True)
    if name != "benchmark_model":
        (tmp_path / "benchmark_model").write_bytes(elf(machine=62, interpreter=b"/lib64/ld-linux-x86-64.so.2\0"))
    right.write_bytes(elf())
    assert phone_tool(tmp_path / "cache", given=tmp_path).path == right


def test_a_given_binary_for_another_device_says_for_which(tmp_path: Path) -> None:
    mine = tmp_path / "benchmark_model"
    mine.write_bytes(elf(machine=62))
    with pytest.raises(ToolError, match="built for android x86_64, the device is android arm64"):
        phone_tool(tmp_path, given=mine)


def test_a_given_path_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        phone_tool(tmp_path, given=tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds none of"):
        phone_tool(tmp_path, given=tmp_path)


@pytest.mark.parametrize(
    ("content", "os", "arch", "reason"),
    [
        (elf(), "android", "arm64", None),
        (elf(interpreter=b"/lib/ld-linux-aarch64.so.1\0"), "linux", "arm64", None),
        (elf(interpreter=b"/lib/ld-linux-aarch64.so.1\0"), "android", "arm64", "is built for linux arm64"),
        (elf(), "linux", "arm64", "is built for android arm64"),
        (elf(interpreter=b""), "android", "arm64", None),
        (elf(interpreter=b""), "linux", "arm64", None),
        (elf(machine=40), "android", "arm64", "is built for android arm,"),
        (elf(machine=9999), "android", "arm64", "machine 9999"),
        (elf()[:30], "android", "arm64", "cut off in its header"),
        (b"#!/bin/sh\necho hello\n", "android", "arm64", None),
        (b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C), "macos", "arm64", None),
        (b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C), "linux", "arm64", "is built for macos arm64"),
        (b"", "linux", "arm64", "is empty"),
        (b"MZ\x90", "linux", "x86_64", "is no program"),
    ],
)
def test_a_binary_is_held_against_the_device(
    tmp_path: Path, content: bytes, os: str, arch: str, reason: str | None
) -> None:
    path = tmp_path / "binary"
    path.write_bytes(content)
    found = matches(path, os, arch)
    assert found is None if reason is None else found is not None and reason in found


def test_a_real_program_fits_its_own_machine_and_no_half_of_it_does(tmp_path: Path) -> None:
    import platform
    import sys

    if not sys.platform.startswith("linux"):
        pytest.skip("looks at an ELF program of this machine")
    arch = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    program = Path(sys.executable).resolve()
    assert matches(program, "linux", arch) is None
    half = tmp_path / "half"
    half.write_bytes(program.read_bytes()[: program.stat().st_size // 2])
    assert "is cut off" in str(matches(half, "linux", arch))
