"""Google's binaries are downloaded whole, once, and from where they say."""

from __future__ import annotations

import hashlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchbench.runtimes.tflite.tools import Build, known, published
from benchbench.values.errors import ToolError
from tests.runtimes.tflite.tools.shelf import Shelf, phone_tool, place


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
