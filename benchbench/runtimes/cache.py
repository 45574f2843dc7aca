"""The folder of this host in which tools and packages are kept between runs."""

from __future__ import annotations

from os import environ
from pathlib import Path

import platformdirs

from benchbench.values.account import home
from benchbench.values.errors import ToolError


def cache_folder() -> Path:
    """The user's cache: `BENCHBENCH_CACHE`, else the platform's usual place; raises ToolError where there is none."""
    chosen = environ.get("BENCHBENCH_CACHE")
    if chosen:
        return Path(chosen)
    if home() is None:
        raise ToolError("this account has no home to keep tools in", remedy="set HOME, or BENCHBENCH_CACHE to a folder")
    return platformdirs.user_cache_path("benchbench")
