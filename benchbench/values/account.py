"""The account benchbench runs under: its name and its home; a container's may have neither."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from benchbench.values.errors import InputError


def user_name() -> str | None:
    """The account's name; None where its number has no passwd entry and the environment names nobody."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # which of them depends on Python's version
        return None


def home() -> Path | None:
    """The account's home; None where neither HOME nor a passwd entry names one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def expanded(path: str, what: str) -> Path:
    """A path of this host that may begin with `~`; raises InputError, naming `what` it is of, where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{what}: {path}: uid {os.getuid()} has no home here", remedy="set HOME, or write it out"
        ) from error
