"""Compile testdelegate.c, an external delegate that really computes, into a shared library."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("testdelegate.c")


def compiler() -> str | None:
    """A C compiler of this machine, or None."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build_delegate(folder: Path) -> Path:
    """The library's path; raises CalledProcessError when it does not compile without a warning."""
    library = folder / "libtestdelegate.so"
    command = [
        compiler() or "cc",
        "-O2",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        str(library),
        str(SOURCE),
        "-lm",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return library


def build_stranger(folder: Path) -> Path:
    """A library that is no delegate."""
    source, library = folder / "stranger.c", folder / "libstranger.so"
    source.write_text("int answer(void) { return 42; }\n")
    command = [compiler() or "cc", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return library
