"""What the launches of an evaluation left, kept on this host as soon as it is here, so that it is never made again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from benchbench.accuracy.outputs import Output, read_outputs, write_outputs
from benchbench.values.atomic import atomic
from benchbench.values.conditions import Conditions
from benchbench.values.device import Frozen
from benchbench.values.errors import InputError
from benchbench.values.outcome import LaunchResult


class Record(Frozen):
    """A launch, without its outputs."""

    reading: LaunchResult
    before: Conditions | None = None
    after: Conditions | None = None
    tool_s: float | None
    exit_code: int
    retries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A launch that went well."""

    outputs: tuple[Output, ...]
    record: Record


@dataclass(frozen=True, slots=True)
class Chunks:
    """The parts of one evaluation in a folder of their own, by name."""

    folder: Path

    def find(self, name: str) -> Chunk | None:
        """A part that was kept whole, by this controller or one before it; None = it is to be made."""
        try:
            record = Record.model_validate_json(self._record(name).read_bytes())
            return Chunk(read_outputs(self._outputs(name)), record)
        except (OSError, ValidationError, InputError):
            return None

    def keep(self, name: str, part: Chunk) -> None:
        """The record is written last, and appears whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_outputs(self._outputs(name), part.outputs)
        with atomic(self._record(name)) as file:
            file.write(part.record.model_dump_json(exclude_defaults=True).encode())

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _outputs(self, name: str) -> Path:
        return self.folder / f"{name}.npz"

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"
