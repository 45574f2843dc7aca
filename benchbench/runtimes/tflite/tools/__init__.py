"""Where benchmark_model binaries come from: a path of the user's, the cache, or a download with a recorded sha256.

The cache holds `tools/GENERATION/VERSION/PLATFORM/benchmark_model`, and beside each binary a JSON with the sha256 it
had when it was first used. That record outlives the binary: whatever comes later must have the same digest.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from os import environ
from pathlib import Path

from benchbench.runtimes.binary import matches
from benchbench.runtimes.tflite.tools.download import download
from benchbench.runtimes.tool import Fetched, Tool
from benchbench.values.atomic import atomic, put_in_place
from benchbench.values.device import Capabilities
from benchbench.values.errors import InputError, ToolError, exhausted, file_error

__all__ = ["Build", "find", "known", "matches", "published"]

PUBLISHER = "https://storage.googleapis.com"
BINARY = "benchmark_model"

_LITERT = {
    ("android", "arm64"): "android_arm64",
    ("linux", "x86_64"): "linux_x86_64",
    ("linux", "arm64"): "linux_arm64",
    ("macos", "arm64"): "macos_arm64",
}
_TFLITE = {
    ("android", "arm64"): "android_aarch64",
    ("android", "arm"): "android_arm",
    ("linux", "x86_64"): "linux_x86-64",
    ("linux", "arm64"): "linux_aarch64",
    ("linux", "arm"): "linux_arm",
}


@dataclass(frozen=True, slots=True)
class Build:
    """Which benchmark_model: for which devices, of which generation and version."""

    os: str
    arch: str
    generation: Capabilities
    version: str

    @property
    def platform(self) -> str:
        return f"{self.os}_{self.arch}"


def published(build: Build, base_url: str | None = None) -> str | None:
    """The URL of Google's prebuilt binary, or None where none is published.

    `base_url` (else `BENCHBENCH_TOOLS_URL`) replaces https://storage.googleapis.com for a mirror. TFLite's tool is
    published as "latest" only. Patterns: LiteRT's and TensorFlow's documentation of the benchmark tools.
    """
    base = (base_url or environ.get("BENCHBENCH_TOOLS_URL") or PUBLISHER).rstrip("/")
    if build.generation == "litert":
        platform = _LITERT.get((build.os, build.arch))
        return f"{base}/litert/binaries/{build.version}/{platform}/{BINARY}" if platform else None
    platform = _TFLITE.get((build.os, build.arch)) if build.version == "latest" else None
    nightly = "tensorflow-nightly-public/prod/tensorflow/release/lite/tools/nightly/latest"
    return f"{base}/{nightly}/{platform}_{BINARY}" if platform else None


def find(
    build: Build,
    *,
    given: Path | None,
    cache: Path,
    allow_download: bool,
    progress: Fetched | None = None,
    base_url: str | None = None,
) -> Tool:
    """The benchmark_model for a device: the given path or folder, else the cache, else a download into the cache.

    Raises InputError for a path or version that cannot be one, ToolError when no binary can be had, when it is built
    for another device, or when its sha256 is not the recorded one. `progress` gets (bytes so far, bytes in all).
    """
    if given is not None:
        return _given(given, build)
    url = published(build, base_url)
    place = _place(cache, build)
    if not place.exists() and (url is None or not allow_download):
        raise _absent(place, url)
    try:
        with _locked(place.parent):
            if not place.exists() and url is not None:
                _bring(url, place, build, progress)
            return _from_cache(place, build)
    except OSError as error:
        what = f"the tool cache {place.parent} cannot be used"
        if exhausted(error):
            raise file_error(error, what) from error
        remedy = "set BENCHBENCH_CACHE to a folder that can be written"
        raise ToolError(f"{what}: {error.strerror or error}", remedy=remedy) from error


def known(cache: Path) -> tuple[Tool, ...]:
    """Every binary in the cache, by name and version; raises ToolError when one is not what was recorded."""
    places = sorted((cache / "tools").glob(f"*/*/*/{BINARY}"))
    return tuple(_verified(place) for place in places)


def _place(cache: Path, build: Build) -> Path:
    # the version comes from a matrix or device file, which may be a stranger's: it must not leave the cache
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", build.version):
        raise InputError(
            f"tool version {build.version!r} is no version",
            remedy='write a release such as "2.2.0", "latest" or "nightly"',
        )
    return cache / "tools" / build.generation / build.version / build.platform / BINARY


def _absent(place: Path, url: str | None) -> ToolError:
    generation, version, platform = place.parts[-4:-1]
    what = f"no {generation} benchmark_model {version} for {platform} is in the cache"
    if url is None:
        return ToolError(f"{what}, and none is published", remedy=f"build one and give its path, or put it at {place}")
    return ToolError(what, remedy=f"allow the download, or get {url} and put it at {place}")


def _given(given: Path, build: Build) -> Tool:
    """The user's own binary, or the one in the user's folder that fits the device."""
    tables = (_LITERT, _TFLITE)
    device = (build.os, build.arch)
    platforms = dict.fromkeys(table[device] for table in tables if device in table)
    names = [BINARY, *(f"{p}_{BINARY}" for p in platforms), *(f"{p}/{BINARY}" for p in platforms)]
    candidates = [given / name for name in names] if given.is_dir() else [given]
    present = [path for path in candidates if path.is_file()]
    if not present:
        looked = f"holds none of {', '.join(names)}" if given.is_dir() else "is not there"
        raise InputError(f"benchmark_model: {given} {looked}", remedy="give the path of the binary or of its folder")
    reasons = {path: matches(path, *device) for path in present}
    fitting = [path for path, reason in reasons.items() if reason is None]
    if not fitting:
        reason = "; ".join(f"{path} {reason}" for path, reason in reasons.items())
        raise ToolError(reason, remedy=f"give a benchmark_model built for {build.os} {build.arch}")
    path = fitting[0]
    # "latest" is what nobody chose, and a binary of the user's may be of any age.
    version = "given" if build.version == "latest" else build.version
    return Tool(f"{build.generation}/{build.platform}", path, _sha256(path), version, "given")


def _bring(url: str, place: Path, build: Build, progress: Fetched | None) -> None:
    """Download, check, and only then let the binary appear under its name."""
    arrived = place.with_suffix(".arrived")
    download(url, arrived, progress, remedy=f"get {url} elsewhere and put it at {place}")
    try:
        reason = matches(arrived, build.os, build.arch)
        if reason is not None:
            raise ToolError(f"what {url} sent {reason}", remedy=f"check the network, or put the right file at {place}")
        _check(arrived, place, what=f"what {url} sent now")
        _record(place, {"url": url, "sha256": _sha256(arrived)})
        arrived.chmod(0o755)
        put_in_place(arrived, place)
    finally:
        arrived.unlink(missing_ok=True)


def _from_cache(place: Path, build: Build) -> Tool:
    reason = matches(place, build.os, build.arch)
    if reason is not None:
        raise ToolError(
            f"{place} {reason}", remedy=f"replace it by a benchmark_model built for {build.os} {build.arch}"
        )
    tool = _verified(place)
    if not _read_record(place):
        _record(place, {"sha256": tool.sha256})
    return tool


def _verified(place: Path) -> Tool:
    """The binary as a tool, if it still is what it was."""
    digest = _check(place, place, what=str(place))
    generation, version, platform = place.parts[-4:-1]
    return Tool(f"{generation}/{platform}", place, digest, version, _read_record(place).get("url", "cache"))


def _check(path: Path, place: Path, *, what: str) -> str:
    """The sha256 of `path`; raises ToolError when another was recorded for its place."""
    digest = _sha256(path)
    recorded = _read_record(place).get("sha256", digest)
    if digest != recorded:
        raise ToolError(
            f"{what} has sha256 {digest}, but {recorded} was recorded on first use",
            remedy=f"pin a released version or restore the old file; to accept the new one delete {_record_of(place)}"
            + (f" and {place}" if path == place else ""),
        )
    return digest


def _record_of(place: Path) -> Path:
    return place.with_name(place.name + ".json")


def _read_record(place: Path) -> dict[str, str]:
    path = _record_of(place)
    try:
        record = json.loads(path.read_text("utf-8"))
        return {"sha256": str(record["sha256"])} | ({"url": str(record["url"])} if "url" in record else {})
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{path} is no record of a sha256", remedy=f"delete it and {place}") from error


def _record(place: Path, facts: dict[str, str]) -> None:
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    with atomic(_record_of(place)) as file:
        file.write((json.dumps({**facts, "first_used": stamp}, indent=2) + "\n").encode())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One download of a tool at a time; whoever waited finds it in the cache."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
