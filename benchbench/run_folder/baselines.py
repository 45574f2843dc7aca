"""Named baselines: which run folders a new run is compared with, by a name such as "main".

They are kept in one file beside the run folders, baselines.json: an object of names, each with a list of folders, the
oldest first, relative to it. Several of the same thing tell how runs differ, and not only how launches do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchbench.run_folder.manifest import NAME as MANIFEST
from benchbench.run_folder.manifest import read_manifest
from benchbench.run_folder.names import REPORTS
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError, file_error

FILE = "baselines.json"
MOST_RUNS = 10  # that are kept when one is added: more say hardly more of how runs differ, and are of another time
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@-]{0,99}")  # those of branches and tags


def baselines(reports: str | Path = REPORTS) -> Mapping[str, tuple[Path, ...]]:
    """Every baseline of a reports folder, by name. Raises InputError for a file that is none."""
    path = Path(reports) / FILE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise file_error(error, f"{path}: cannot be read") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: {error}", remedy="correct it, or remove it") from error
    if not _is_valid(said):
        raise InputError(f"{path}: is no object of names with lists of run folders", remedy="correct it, or remove it")
    return {name: tuple(Path(reports) / folder for folder in folders) for name, folders in said.items()}


def baseline(name: str, reports: str | Path = REPORTS) -> tuple[Path, ...]:
    """The run folders of a baseline, the oldest first, also those that are gone; InputError for an unknown name."""
    known = baselines(reports)
    if name not in known:
        names = ", ".join(known) or "none is set"
        raise InputError(f"there is no baseline {name!r} in {reports}: {names}", remedy=how_to_set(name))
    return known[name]


def is_run(folder: Path) -> bool:
    """Whether a folder of a baseline is there, and a run."""
    return (folder / MANIFEST).is_file()


def run_id(folder: Path) -> str:
    """Which run a folder holds, which is the same in a copy of it. Raises InputError where it cannot be read."""
    return read_manifest(folder).id or folder.name


def set_baseline(
    name: str, runs: Sequence[str | Path], reports: str | Path = REPORTS, *, add: bool = False
) -> tuple[Path, ...]:
    """Let a baseline be these run folders, or these beside those that it has; without any, it is no more.

    A run counts once, in whichever copy comes first. Where runs are added, the ten latest are kept, and what is gone is
    dropped: so a change of the past does not count for ever. Raises InputError for a name that could be mistaken, and
    what is no run folder.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for a baseline", remedy="letters, digits, '.', '_', '/', '@' and '-'")
    home = Path(reports).resolve()
    for run in runs:
        if not is_run(Path(run)):
            raise InputError(f"{run}: is no run folder: it has no {MANIFEST}")
    before = baselines(reports)
    earlier = [folder for folder in before.get(name, ()) if is_run(folder)] if add else []
    own: dict[str, str] = {}
    for run in (*earlier, *map(Path, runs)):
        own.setdefault(run_id(run), _as_kept(run, home))
    kept = {known: [_as_kept(folder, home) for folder in folders] for known, folders in before.items()}
    kept[name] = list(own.values())[-MOST_RUNS if add else 0 :]
    with atomic(Path(reports) / FILE) as file:
        told = {known: folders for known, folders in sorted(kept.items()) if folders}
        file.write((json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
    return baselines(reports).get(name, ())


def _as_kept(folder: Path, home: Path) -> str:
    """Relative to the reports folder, so that this can be moved, where the run is in it."""
    whole = folder.resolve()
    return str(whole.relative_to(home)) if whole.is_relative_to(home) else str(whole)


def _is_valid(said: Any) -> bool:
    return isinstance(said, dict) and all(
        isinstance(folders, list) and all(isinstance(folder, str) for folder in folders) for folders in said.values()
    )


def how_to_set(name: str) -> str:
    return f"benchbench baseline {name} RUN…"
