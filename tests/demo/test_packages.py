"""Packages are downloaded once, and are those that were published."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbench.demo.packages import Package, wheel
from benchbench.values.errors import ToolError

Offer = Callable[[], Package]


def quiet(_: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """A package index that is a folder, and an empty cache; returns how to publish a small package there."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("BENCHBENCH_CACHE", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": str(shelf)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)

    def publish() -> Package:
        path = shelf / "some_photos-1.0-py3-none-any.whl"
        info = "some_photos-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: some-photos\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return Package("some-photos==1.0", path.name, hashlib.sha256(path.read_bytes()).hexdigest(), 0.1)

    return publish


def test_a_package_is_downloaded_once_and_then_read_from_the_cache(offered: Offer, tmp_path: Path) -> None:
    package, said = offered(), list[str]()
    path = wheel(package, said.append)
    assert path == tmp_path / "cache" / "packages" / package.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256
    shutil.rmtree(tmp_path / "shelf")
    assert wheel(package, said.append) == path
    assert said == ["downloading some-photos==1.0 (0 MB)"]
    assert [file.name for file in path.parent.iterdir()] == [package.file]


def test_offline_the_error_says_which_file_to_put_where(offered: Offer, tmp_path: Path) -> None:
    package = offered()
    (tmp_path / "shelf" / package.file).unlink()
    with pytest.raises(ToolError) as caught:
        wheel(package, quiet)
    said = str(caught.value)
    assert "some-photos==1.0 cannot be downloaded" in said
    assert f"put {package.file} into {tmp_path / 'cache' / 'packages'}" in said
    assert said.endswith("--implementation cp some-photos==1.0` fetches it)")  # with the platform: not another wheel
    assert "\n" not in said


def test_a_package_that_is_not_as_published_does_not_enter_the_cache(offered: Offer, tmp_path: Path) -> None:
    package = offered()._replace(sha256="0" * 64)
    with pytest.raises(ToolError, match=r"is not some-photos==1\.0 as published: its sha256 is [0-9a-f]{64}"):
        wheel(package, quiet)
    assert not list((tmp_path / "cache" / "packages").iterdir())


def test_a_package_that_was_changed_in_the_cache_is_refused(offered: Offer) -> None:
    package = offered()
    wheel(package, quiet).write_bytes(b"changed")
    with pytest.raises(ToolError, match="remove it, and it is downloaded again"):
        wheel(package, quiet)
