"""Published packages as a source of models and photos: downloaded by pip, checked, never installed."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchbench.runtimes.cache import cache_folder
from benchbench.values.atomic import put_in_place
from benchbench.values.errors import ToolError

# One platform for all machines: only data is read from the wheels, and so it is the same file everywhere.
ANY_MACHINE = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--implementation", "cp"]


class Package(NamedTuple):
    """A release of a package: one wheel, known by its sha256."""

    requirement: str  # name==version
    file: str
    sha256: str
    size_mb: float


def wheel(package: Package, progress: Callable[[str], None]) -> Path:
    """The package's wheel in the cache, downloaded when it is not there yet.

    Raises ToolError when pip cannot have it, saying what to put where, and when it is not the file that was published.
    """
    folder = cache_folder() / "packages"
    kept = folder / package.file
    if not kept.is_file():
        progress(f"downloading {package.requirement} ({package.size_mb:.0f} MB)")
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".download-", dir=folder) as beside:
            _download(package, Path(beside), kept)
            _check(package, Path(beside) / package.file, "something on the way gives out another file under its name")
            put_in_place(Path(beside) / package.file, kept)
    _check(package, kept, "remove it, and it is downloaded again")
    return kept


def _download(package: Package, folder: Path, kept: Path) -> None:
    fetch = ["download", "--no-deps", "--only-binary=:all:", *ANY_MACHINE, package.requirement]
    quietly = ["--no-input", "--disable-pip-version-check", "--retries", "1", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", *fetch, *quietly]
    child = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL
    )
    if child.returncode or not (folder / package.file).is_file():
        said = [line.strip() for line in child.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        reason = said[-1].removeprefix("ERROR: ") if said else f"pip ended with code {child.returncode}"
        elsewhere = shlex.join(["pip", *fetch])
        raise ToolError(
            f"{package.requirement} cannot be downloaded: {reason}",
            remedy=f"without a network put {package.file} into {kept.parent}; elsewhere `{elsewhere}` fetches it",
        )


def _check(package: Package, path: Path, remedy: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        message = f"{path} is not {package.requirement} as published: its sha256 is {found}, not {package.sha256}"
        raise ToolError(message, remedy=remedy)
