"""The run folder: what was planned (run.json), what came out (outcomes.jsonl, series/), what tools said (logs/)."""

from __future__ import annotations

import fcntl
import gc
import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from benchbench.run_folder.conditions import write_conditions
from benchbench.run_folder.manifest import Manifest, read_manifest, write_manifest
from benchbench.run_folder.names import file_name, slug
from benchbench.run_folder.series import series_of, write_series
from benchbench.run_folder.series_files import compact_all
from benchbench.values.atomic import PARTS
from benchbench.values.errors import InputError, file_error
from benchbench.values.formatting import counted
from benchbench.values.outcome import Outcome
from benchbench.values.stop import Stop

_IN_SERIES: Any = {"measurement": {"timings": {"samples"}}, "during": {"series"}}  # in files of their own
DAMAGE_REMEDY = "`benchbench run --resume` does its trial again; delete the line to be told no more"


@dataclass(frozen=True, slots=True)
class Records:
    """What a run's outcomes.jsonl holds: the outcomes in the order they were written, and what is wrong with others."""

    outcomes: tuple[Outcome, ...]
    damage: tuple[str, ...]  # one line each: file, line, what is wrong, what to do


def read_records(folder: Path) -> Records:
    """Every line that is an outcome; any other costs that line and no more.

    A last line that was torn by a crash is passed over: nothing is wrong with that. Raises InputError for a file that
    cannot be read.
    """
    path = folder / "outcomes.jsonl"
    outcomes, damage, blank = list[Outcome](), list[str](), list[int]()
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file, _without_cycles():
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    break
                try:
                    outcomes.append(Outcome.model_validate_json(line))
                except ValidationError as error:
                    if line.strip("\0 \t\r\n"):
                        damage.append(f"{path}:{number}: {_what_is_wrong(error)}; passed over ({DAMAGE_REMEDY})")
                    else:
                        blank.append(number)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise file_error(error, f"{path}: cannot be read") from error
    if blank:
        what = "is blank" if len(blank) == 1 else f"and {counted(len(blank) - 1, 'other line')} are blank"
        damage.append(f"{path}:{blank[0]}: {what}; passed over ({DAMAGE_REMEDY})")
    return Records(tuple(outcomes), tuple(damage))


@contextmanager
def _without_cycles() -> Iterator[None]:
    """No search for cycles while values are made that have none: of a million it takes twice as long as making them."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"is no outcome: {where + ': ' if where else ''}{first['msg'][:200]}"


def read_outcomes(folder: Path) -> tuple[Outcome, ...]:
    """The outcomes in the order they were written; see `read_records` for what is passed over."""
    return read_records(folder).outcomes


@dataclass(slots=True)
class Journal:
    """A run folder open for writing; held by one controller at a time."""

    folder: Path
    manifest: Manifest
    _lines: IO[str] = field(repr=False)

    def append(self, outcome: Outcome) -> None:
        """Its series, and then one line: on the disk before anything else happens. Raises HostError where that is full.

        A series without its line belongs to no outcome, and the trial is done again.
        """
        try:
            if times := outcome.measurement.timings.samples:
                write_series(self.folder, series_of(outcome.trial, times))
            if outcome.during and outcome.during.series:
                write_conditions(self.folder, outcome.trial, outcome.during)
            self._lines.write(outcome.model_dump_json(exclude_defaults=True, exclude=_IN_SERIES) + "\n")
            self._lines.flush()
            os.fsync(self._lines.fileno())
        except OSError as error:
            raise file_error(error, f"{self.folder}: an outcome cannot be written") from error

    def write_log(self, trial: str, text: bytes) -> str:
        """A tool's whole output; its path below the run folder."""
        path = self.folder / "logs" / file_name(trial, ".txt")
        path.write_bytes(text)
        return f"logs/{path.name}"

    def latest(self) -> dict[str, Outcome]:
        """The last outcome of every trial, in the order in which they were written."""
        found: dict[str, Outcome] = {}
        for outcome in read_outcomes(self.folder):
            found.pop(outcome.trial, None)
            found[outcome.trial] = outcome
        return found

    def done(self) -> set[str]:
        """Trials that need no repetition: all but those that failed for a reason that may pass."""
        return {trial for trial, outcome in self.latest().items() if not outcome.transient}

    def note(self, text: str) -> None:
        """Something that happened to the run as a whole; kept in run.json."""
        self.record(self.manifest.model_copy(update={"notes": (*self.manifest.notes, text)}))

    def stop(self, stops: Sequence[Stop]) -> None:
        """Cases have no further round; what a run that is gone on with says of one counts."""
        now = {stop.case: stop for stop in (*self.manifest.stops, *stops)}
        if tuple(now.values()) != self.manifest.stops:
            self.record(self.manifest.model_copy(update={"stops": tuple(now.values())}))

    def record(self, manifest: Manifest) -> None:
        """More is known of the run than when it began."""
        self.manifest = manifest
        write_manifest(self.folder, manifest)

    def end(self) -> None:
        """The run is done: its series become one file of each kind."""
        try:
            compact_all(self.folder)
        except OSError as error:
            raise file_error(error, f"{self.folder}: its series cannot be written") from error

    def close(self) -> None:
        self._lines.close()


def new_folder(reports: Path, name: str) -> Path:
    """A folder of its own for a run: time and name, and a number where that is taken. Raises InputError."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    try:
        reports.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = reports / (f"{stamp}-{slug(name)}" + (f"-{number}" if number > 1 else ""))
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            (folder / "logs").mkdir()
            return folder
    except OSError as error:
        raise file_error(error, f"{reports}: cannot be written", remedy="give another --reports") from error
    raise InputError(f"{reports}: has a thousand runs of this second and name")


def create(folder: Path, manifest: Manifest) -> Journal:
    write_manifest(folder, manifest)
    return _open(folder, manifest)


def reopen(folder: Path) -> Journal:
    """Go on with a run, without what was half written when it ended.

    Raises InputError when it is no run or another controller is writing it.
    """
    journal = _open(folder, read_manifest(folder))
    for part in folder.rglob(PARTS):
        part.unlink(missing_ok=True)
    return journal


def _open(folder: Path, manifest: Manifest) -> Journal:
    for library in ("pandas", "pyarrow.parquet"):  # to write a series: loaded now, as it would disturb a trial
        importlib.import_module(library)
    path = folder / "outcomes.jsonl"
    try:
        (folder / "logs").mkdir(exist_ok=True)
        lines = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise file_error(error, f"{path}: cannot be written") from error
    try:
        fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lines.close()
        raise InputError(f"{folder}: another controller is writing this run", remedy="wait for it to end") from error
    # What a crash tore off the last line would otherwise be glued to the next one.
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        lines.truncate(data.rfind(b"\n") + 1)
    return Journal(folder, manifest, lines)
