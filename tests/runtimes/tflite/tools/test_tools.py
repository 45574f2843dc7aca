"""Binaries of the measuring tool, from a real HTTP server on loopback."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchbench.runtimes.cache import cache_folder
from benchbench.runtimes.tflite.tools import Build, find, known, matches, published
from benchbench.runtimes.tool import Tool
from benchbench.values.errors import InputError, ToolError


def elf(machine: int = 183, interpreter: bytes = b"/system/bin/linker64\0", size: int = 300_000) -> bytes:
    """A 64-bit little-endian ELF file with one program header that names its interpreter."""
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    if not interpreter:
        head = head[:56] + struct.pack("<H", 0) + head[58:]
    program = struct.pack("<IIQQQQQQ", 3, 4, 64 + 56, 0, 0, len(interpreter), len(interpreter), 1)
    body = head + program + interpreter
    noise = hashlib.shake_128(b"code").digest(size - len(body))
    return body + noise


@dataclass
class Shelf:
    """A server's one file, how it behaves, and what it was asked."""

    content: bytes = field(default_factory=elf)
    ranges: bool = True
    honours_if_range: bool = True
    etag: str | None = '"one"'
    cut_after: list[int] = field(default_factory=list)  # bytes sent before the connection is cut, per request
    status: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        shelf, asked = self.shelf, self.headers.get("Range")
        shelf.asked.append((self.path, asked))
        if shelf.status is not None:
            self.send_error(shelf.status)
            return
        same = not shelf.honours_if_range or self.headers.get("If-Range") == shelf.etag
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and shelf.ranges and same else 0
        if start > len(shelf.content):
            self.send_error(416)
            return
        rest = shelf.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(shelf.content) - 1}/{len(shelf.content)}")
        if shelf.etag:
            self.send_header("ETag", shelf.etag)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: shelf.cut_after.pop(0)] if shelf.cut_after else rest)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at what was asked, not at stderr."""


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"shelf": shelf}))
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("BENCHBENCH_TOOLS_URL", raising=False)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving(Shelf()) as shelf:
        yield shelf


def phone_tool(cache: Path, url: str | None = None, version: str = "2.2.0", **more: Any) -> Tool:
    settings: dict[str, Any] = {"given": None, "allow_download": True, "base_url": url} | more
    return find(Build("android", "arm64", "litert", version), cache=cache, **settings)


def place(cache: Path, version: str = "2.2.0") -> Path:
    return cache / "tools" / "litert" / version / "android_arm64" / "benchmark_model"


def leave_part(cache: Path, data: bytes, version: str) -> None:
    part = place(cache).with_name("benchmark_model.arrived.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(data)
    part.with_name(part.name + ".version").write_text(version)


def test_a_tool_is_downloaded_whole_made_executable_and_recorded(tmp_path: Path, shelf: Shelf) -> None:
    seen: list[tuple[int, int | None]] = []
    tool = phone_tool(tmp_path, shelf.url, progress=lambda done, total: seen.append((done, total)))

    assert tool.path.read_bytes() == shelf.content
    assert tool.path.stat().st_mode & 0o111
    assert tool.sha256 == hashlib.sha256(shelf.content).hexdigest()
    assert tool.source == f"{shelf.url}/litert/binaries/2.2.0/android_arm64/benchmark_model"
    assert json.loads(tool.path.with_name("benchmark_model.json").read_text())["sha256"] == tool.sha256
    assert seen[-1] == (len(shelf.content), len(shelf.content))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert sorted(path.name for path in tool.path.parent.iterdir()) == [
        ".lock",
        "benchmark_model",
        "benchmark_model.json",
    ]


def test_the_second_use_comes_from_the_cache_and_asks_no_server(tmp_path: Path, shelf: Shelf) -> None:
    first = phone_tool(tmp_path, shelf.url)
    assert phone_tool(tmp_path, shelf.url, allow_download=False) == first
    assert len(shelf.asked) == 1
    assert known(tmp_path) == (first,)


def test_a_cut_download_goes_on_where_it_stopped(tmp_path: Path, shelf: Shelf) -> None:
    shelf.cut_after = [131_072, 65_536]
    assert phone_tool(tmp_path, shelf.url).path.read_bytes() == shelf.content
    assert [asked for _, asked in shelf.asked] == [None, "bytes=131072-", "bytes=196608-"]


def test_a_download_that_is_cut_for_good_is_resumed_by_the_next_call(tmp_path: Path, shelf: Shelf) -> None:
    shelf.cut_after = [131_072, 0]
    with pytest.raises(ToolError, match="cannot be had") as caught:
        phone_tool(tmp_path, shelf.url)
    assert str(place(tmp_path)) in caught.value.remedy
    assert not place(tmp_path).exists()

    assert phone_tool(tmp_path, shelf.url).path.read_bytes() == shelf.content
    assert shelf.asked[-1][1] == "bytes=131072-"


def test_a_server_without_ranges_starts_again_from_the_beginning(tmp_path: Path, shelf: Shelf) -> None:
    shelf.ranges, shelf.cut_after = False, [100_000]
    assert phone_tool(tmp_path, shelf.url).path.read_bytes() == shelf.content


def test_a_server_without_ranges_that_always_cuts_is_given_up(tmp_path: Path, shelf: Shelf) -> None:
    shelf.ranges, shelf.cut_after = False, [100_000] * 9
    with pytest.raises(ToolError, match="cannot be had"):
        phone_tool(tmp_path, shelf.url)
    assert len(shelf.asked) == 2


@pytest.mark.parametrize("honours_if_range", [True, False])
def test_a_file_that_changed_since_the_cut_is_not_glued_to_the_old_part(
    tmp_path: Path, shelf: Shelf, honours_if_range: bool
) -> None:
    leave_part(tmp_path, b"\x7fELF of yesterday", '"yesterday"')
    shelf.honours_if_range = honours_if_range
    assert phone_tool(tmp_path, shelf.url).path.read_bytes() == shelf.content


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path, shelf: Shelf) -> None:
    leave_part(tmp_path, shelf.content * 2, '"one"')
    assert phone_tool(tmp_path, shelf.url).path.read_bytes() == shelf.content


def test_a_part_without_a_version_of_the_server_is_not_continued(tmp_path: Path, shelf: Shelf) -> None:
    shelf.etag, shelf.cut_after = None, [100_000]
    with pytest.raises(ToolError, match="cannot be had"):
        phone_tool(tmp_path, shelf.url)
    assert phone_tool(tmp_path, shelf.url).path.read_bytes() == shelf.content
    assert shelf.asked[-1][1] is None


def test_a_server_that_is_down_does_not_cost_the_part_that_arrived(tmp_path: Path, shelf: Shelf) -> None:
    leave_part(tmp_path, shelf.content[:1000], '"one"')
    shelf.status = 503
    with pytest.raises(ToolError, match="503"):
        phone_tool(tmp_path, shelf.url)
    shelf.status = None
    phone_tool(tmp_path, shelf.url)
    assert shelf.asked[-1][1] == "bytes=1000-"


def test_another_binary_under_the_same_version_is_refused_with_both_digests(tmp_path: Path, shelf: Shelf) -> None:
    first = phone_tool(tmp_path, shelf.url, version="latest")
    first.path.unlink()
    shelf.content, shelf.etag = elf(size=200_000), '"two"'

    with pytest.raises(ToolError) as caught:
        phone_tool(tmp_path, shelf.url, version="latest")

    assert first.sha256 in caught.value.message
    assert hashlib.sha256(shelf.content).hexdigest() in caught.value.message
    record = first.path.with_name("benchmark_model.json")
    assert str(record) in caught.value.remedy
    assert not first.path.exists()

    record.unlink()
    assert phone_tool(tmp_path, shelf.url, version="latest").path.read_bytes() == shelf.content


def test_a_cached_binary_that_was_tampered_with_is_refused(tmp_path: Path, shelf: Shelf) -> None:
    tool = phone_tool(tmp_path, shelf.url)
    tool.path.write_bytes(elf(size=250_000))
    with pytest.raises(ToolError, match=f"{tool.sha256} was recorded on first use"):
        phone_tool(tmp_path, shelf.url)
    with pytest.raises(ToolError, match="recorded on first use"):
        known(tmp_path)


def test_a_binary_put_into_the_cache_by_hand_is_recorded_and_enforced(tmp_path: Path) -> None:
    place(tmp_path).parent.mkdir(parents=True)
    place(tmp_path).write_bytes(elf())
    assert phone_tool(tmp_path, allow_download=False).source == "cache"
    place(tmp_path).write_bytes(elf(size=250_000))
    with pytest.raises(ToolError, match="recorded on first use"):
        phone_tool(tmp_path, allow_download=False)


def test_a_version_that_is_not_published_names_the_url_and_where_to_put_the_file(tmp_path: Path, shelf: Shelf) -> None:
    shelf.status = 404
    with pytest.raises(ToolError, match="404") as caught:
        phone_tool(tmp_path, shelf.url, version="9.9.9")
    assert f"{shelf.url}/litert/binaries/9.9.9/android_arm64/benchmark_model" in str(caught.value)
    assert str(place(tmp_path, "9.9.9")) in caught.value.remedy


def test_no_network_and_nothing_in_the_cache_is_one_line_with_the_url_and_the_place(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(ToolError) as caught:
            phone_tool(tmp_path, url)
    assert url in str(caught.value)
    assert "refused" in str(caught.value)
    assert str(place(tmp_path)) in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_without_leave_to_download_nothing_is_asked_and_nothing_made(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(ToolError, match="in the cache") as caught:
        phone_tool(tmp_path, shelf.url, allow_download=False)
    assert shelf.url in caught.value.remedy
    assert str(place(tmp_path)) in caught.value.remedy
    assert not shelf.asked
    assert not list(tmp_path.iterdir())


def test_a_login_page_instead_of_the_binary_is_no_tool(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content = b"<!doctype html><title>Sign in</title>"
    with pytest.raises(ToolError, match="is no program for android arm64"):
        phone_tool(tmp_path, shelf.url)
    assert not known(tmp_path)


def test_concurrent_calls_download_a_tool_once(tmp_path: Path, shelf: Shelf) -> None:
    with ThreadPoolExecutor(6) as pool:
        tools = list(pool.map(lambda _: phone_tool(tmp_path, shelf.url), range(6)))
    assert len(set(tools)) == 1
    assert len(shelf.asked) == 1


@pytest.mark.parametrize("version", ["../../../etc", "a/b", "", ".."])
def test_a_version_cannot_leave_the_cache(tmp_path: Path, version: str) -> None:
    with pytest.raises(InputError, match="tool version"):
        phone_tool(tmp_path, version=version)


def test_a_cache_that_cannot_be_made_says_so(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "tools").write_text("a file where a folder should be")
    with pytest.raises(ToolError, match=r"tool cache .* cannot be used") as caught:
        phone_tool(tmp_path, shelf.url)
    assert "BENCHBENCH_CACHE" in caught.value.remedy


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


def test_the_published_addresses_are_googles_documented_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    google = "https://storage.googleapis.com"
    nightly = f"{google}/tensorflow-nightly-public/prod/tensorflow/release/lite/tools/nightly/latest"
    assert (
        published(Build("android", "arm64", "litert", "2.2.0"))
        == f"{google}/litert/binaries/2.2.0/android_arm64/benchmark_model"
    )
    assert published(Build("linux", "x86_64", "tflite", "latest")) == f"{nightly}/linux_x86-64_benchmark_model"
    assert published(Build("android", "arm", "litert", "2.2.0")) is None
    assert published(Build("android", "arm64", "tflite", "2.16")) is None
    monkeypatch.setenv("BENCHBENCH_TOOLS_URL", "http://mirror.example/")
    assert str(published(Build("linux", "arm64", "litert", "latest"))).startswith("http://mirror.example/litert/")


def test_the_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("BENCHBENCH_CACHE")
    assert cache_folder().name == "benchbench"
