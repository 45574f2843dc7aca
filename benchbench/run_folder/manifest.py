"""run.json, as it is written and read: all that it takes to believe a run, to go on with it, and to do it again."""

from __future__ import annotations

import importlib.metadata
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from benchbench.values.atomic import atomic
from benchbench.values.case import LATENCY, OfMode, Variant
from benchbench.values.device import Device, Frozen, ToolChoice, Traits
from benchbench.values.errors import InputError, file_error
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.preprocessing import Preprocessing
from benchbench.values.stop import Stop

NAME = "run.json"
FORMAT: Literal[2] = 2  # in 1 times were in outcomes.jsonl, skips had no case of their own, and devices one tool each


class ToolRecord(Frozen):
    """What measured: the kind of its runner, the digest of its binary or script, and its version."""

    name: str | None = None
    sha256: str | None = None
    version: str | None = None


class DeviceRecord(Frozen):
    """A device as it was found, or `error`: why it was not. Values of `env` are in its file alone."""

    name: str
    reached: str | None = None
    spec: Device | None = None
    file: str | None = None
    traits: Traits | None = None
    tools: dict[str, ToolRecord] = Field(default_factory=dict)  # by the format of the models that they run
    libraries: dict[str, str] = Field(default_factory=dict)  # sha256 of those put there from this host, by delegate
    error: str | None = None
    pushed: tuple[str, ...] = ()  # names of the files that it was sent


class CaseRecord(Frozen):
    """A selected cell of the matrix; what is None nobody said (imported logs, runs of older versions)."""

    id: str
    device: str
    variant: str  # its id
    family: str | None = None
    name: str | None = None  # of the variant, in its family
    scheme: str | None = None
    delegate: str  # its label
    kind: str | None = None  # of the delegate
    options: dict[str, Any] = Field(default_factory=dict)  # of the delegate, as the matrix writes them
    threads: int | None = None
    affinity: str | None = None
    runner: str | None = None


class SkipRecord(Frozen):
    """A case without trials; `deliberate` = the matrix itself leaves it out."""

    case: CaseRecord
    reason: str
    deliberate: bool = False


class TrialRecord(OfMode, Frozen):
    """A trial of the plan, by the id of its case."""

    id: str
    case: str
    device: str
    round: int
    position: int
    purpose: str = LATENCY


class SelectionRecord(Frozen):
    """What was asked for of the matrix: globs over case ids, of so many cells as it has in all."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    of: int | None = None


class DatasetRecord(Frozen):
    """What a model family was fed with; without a digest and preprocessing its samples are seeded, or none fit."""

    family: str
    dataset: str
    samples: int | None = None
    seed: int = 0
    native_samples: int | None = None
    sha256: str | None = None
    preprocessing: Preprocessing | None = None


class Manifest(Frozen):
    """A run: what was asked for, what it was measured with and on, and the plan, trial by trial.

    A run that was imported has no more than what its logs say.
    """

    format: Literal[2] = FORMAT
    name: str = ""
    id: str = ""
    created: str | None = None  # UTC, ISO 8601
    benchbench: str | None = None  # its version
    imported: bool = False
    seed: int | None = None
    host: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    matrix: dict[str, Any] = Field(default_factory=dict)  # as it was written
    measure: MeasurementSettings | None = None
    devices: tuple[DeviceRecord, ...] = ()
    variants: tuple[Variant, ...] = ()  # all of the matrix, with a case or not
    cases: tuple[CaseRecord, ...] = ()
    canaries: tuple[CaseRecord, ...] = ()  # of devices, by a model of benchbench's own
    trials: tuple[TrialRecord, ...] = ()
    skips: tuple[SkipRecord, ...] = ()
    selection: SelectionRecord = SelectionRecord()
    tools: tuple[ToolRecord, ...] = ()
    tool_choice: ToolChoice | None = None
    datasets: tuple[DatasetRecord, ...] = ()
    stops: tuple[Stop, ...] = ()  # of cases whose rounds go on by need, those that have no further one
    notes: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _of_format_1(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("format") != 1:
            return data
        changed = {"skips": _with_its_case, "devices": _with_its_tools}
        listed = {key: data[key] for key in changed if isinstance(data.get(key), list)}
        return data | {"format": FORMAT} | {key: list(map(changed[key], items)) for key, items in listed.items()}


def new_manifest(name: str, **known: Any) -> Manifest:
    """The manifest of a run that is made now, by this benchbench."""
    return Manifest(name=name, **made_now(), **known)


def made_now() -> dict[str, str]:
    """What a manifest says of its making, and no other says."""
    return {
        "id": secrets.token_hex(8),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "benchbench": importlib.metadata.version("benchbench"),
    }


def _with_its_tools(device: Any) -> Any:
    """A device of format 1 had one tool at most, for the only format that there was."""
    keys = {"runner": "name", "tool_sha256": "sha256", "tool_version": "version"}
    if not isinstance(device, dict) or not keys.keys() & device.keys():
        return device
    tool = {keys[key]: device[key] for key in keys if device.get(key) is not None}
    return {key: device[key] for key in device if key not in keys} | {"tools": {"tflite": tool} if tool else {}}


def _with_its_case(skip: Any) -> Any:
    """A skip of format 1 had its case's parts beside the reason; in the oldest runs no more than the case's id."""
    if not isinstance(skip, dict) or not isinstance(skip.get("case"), str):
        return skip
    parts = dict(zip(("device", "variant", "delegate"), skip["case"].split("/"), strict=False))
    own = {key: value for key, value in skip.items() if key in SkipRecord.model_fields}
    case = {key: value for key, value in skip.items() if key not in SkipRecord.model_fields}
    return own | {"case": {"id": skip["case"]} | (case if "device" in case else parts)}


def read_manifest(folder: Path) -> Manifest:
    """run.json; raises InputError, naming file, key and remedy, where it is not what it should be."""
    path = folder / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{folder}: is no run folder: it has no {NAME}") from error
    except OSError as error:
        raise file_error(error, f"{path}: cannot be read") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("format") not in range(1, FORMAT + 1):
        raise InputError(f"{path}: is no run of a format up to {FORMAT}", remedy="written by a newer benchbench?")
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        unknown = first["type"] == "extra_forbidden"
        remedy = "read it with the benchbench that wrote it" if unknown else "restore the file as benchbench wrote it"
        raise InputError(f"{path}: {key}: {first['msg']}", remedy=remedy) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    with atomic(folder / NAME) as file:
        file.write((json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode())
