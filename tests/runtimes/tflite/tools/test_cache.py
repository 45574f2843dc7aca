"""The cache of tools: each is what it was when it was first used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from benchbench.runtimes.cache import cache_folder
from benchbench.runtimes.tflite.tools import known
from benchbench.values.errors import InputError, ToolError
from tests.runtimes.tflite.tools.shelf import Shelf, elf, phone_tool, place


def test_the_second_use_comes_from_the_cache_and_asks_no_server(tmp_path: Path, shelf: Shelf) -> None:
    first = phone_tool(tmp_path, shelf.url)
    assert phone_tool(tmp_path, shelf.url, allow_download=False) == first
    assert len(shelf.asked) == 1
    assert known(tmp_path) == (first,)


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


def test_without_leave_to_download_nothing_is_asked_and_nothing_made(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(ToolError, match="in the cache") as caught:
        phone_tool(tmp_path, shelf.url, allow_download=False)
    assert shelf.url in caught.value.remedy
    assert str(place(tmp_path)) in caught.value.remedy
    assert not shelf.asked
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("version", ["../../../etc", "a/b", "", ".."])
def test_a_version_cannot_leave_the_cache(tmp_path: Path, version: str) -> None:
    with pytest.raises(InputError, match="tool version"):
        phone_tool(tmp_path, version=version)


def test_a_cache_that_cannot_be_made_says_so(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "tools").write_text("a file where a folder should be")
    with pytest.raises(ToolError, match=r"tool cache .* cannot be used") as caught:
        phone_tool(tmp_path, shelf.url)
    assert "BENCHBENCH_CACHE" in caught.value.remedy


def test_the_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("BENCHBENCH_CACHE")
    assert cache_folder().name == "benchbench"
