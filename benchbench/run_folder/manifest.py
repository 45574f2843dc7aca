"""What run.json must look like to be read: shapes are checked here, so that nobody else has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchbench.run_folder.journal import read_manifest
from benchbench.values.errors import InputError


class _Record(BaseModel):
    """A part of run.json as far as it is read here: what is known has its shape checked, newer fields pass."""

    model_config = ConfigDict(extra="allow")


class _Cluster(_Record):
    cores: list[int] = Field(default_factory=list)
    max_mhz: float | None = None


class _Traits(_Record):
    clusters: list[_Cluster] = Field(default_factory=list)
    memory_mb: float | None = None
    accelerators: list[str] = Field(default_factory=list)


class _Device(_Record):
    name: str
    traits: _Traits | None = None
    tool_sha256: str | None = None
    tool_version: str | None = None
    error: str | None = None


class Kin(_Record):
    network: str = ""
    relation: str = "same"
    because: str = ""


class _Variant(_Record):
    family: str
    name: str
    scheme: str | None = None
    size_mb: float | None = None
    sha256: str | None = None
    kin: Kin = Field(default_factory=Kin)
    open_inputs: list[str] = Field(default_factory=list)


class _Preprocessing(_Record):
    scale: float = 1.0
    mean: list[float] = Field(default=[0.0])
    std: list[float] = Field(default=[1.0])


class _Dataset(_Record):
    family: str
    dataset: str
    sha256: str | None = None
    samples: int | None = None
    preprocessing: _Preprocessing | None = None


class _Case(_Record):
    id: str
    device: str
    variant: str
    delegate: str
    family: str | None = None
    scheme: str | None = None
    name: str | None = None
    kind: str | None = None
    threads: int | None = None
    affinity: str | None = None


class _Skip(_Record):
    case: str
    reason: str
    device: str
    variant: str
    delegate: str
    deliberate: bool = False  # the matrix itself leaves it out
    family: str | None = None
    scheme: str | None = None
    name: str | None = None
    kind: str | None = None
    threads: int | None = None
    affinity: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_its_id(cls, data: Any) -> Any:
        """In older folders a skip has its case's id alone, device/variant/delegate/threads."""
        if not isinstance(data, dict) or "device" in data:
            return data
        parts = str(data.get("case", "")).split("/")
        return dict(zip(("device", "variant", "delegate"), parts, strict=False)) | data


class _Selection(_Record):
    only: list[str] = Field(default_factory=list)  # globs over case ids
    skip: list[str] = Field(default_factory=list)
    of: int | None = None  # cells of the whole matrix, selected or not


class _Cooldown(_Record):
    below_c: float


class _Measure(_Record):
    cooldown: _Cooldown | None = None


class _Manifest(_Record):
    name: str = ""
    id: str = ""
    created: str | None = None
    benchbench: str | None = None
    seed: int | None = None
    host: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, Any] = Field(default_factory=dict)
    matrix: dict[str, Any] = Field(default_factory=dict)
    measure: _Measure = Field(default_factory=_Measure)
    devices: list[_Device] = Field(default_factory=list)
    variants: list[_Variant] = Field(default_factory=list)
    cases: list[_Case] = Field(default_factory=list)
    trials: list[dict[str, Any]] = Field(default_factory=list)
    skips: list[_Skip] = Field(default_factory=list)
    selection: _Selection = Field(default_factory=_Selection)
    tools: list[dict[str, Any]] = Field(default_factory=list)
    datasets: list[_Dataset] = Field(default_factory=list)
    notes: list[Any] = Field(default_factory=list)


def checked_manifest(folder: Path) -> dict[str, Any]:
    """run.json, its shape checked as far as it is read here. Raises InputError, naming file and key."""
    try:
        return _Manifest.model_validate(read_manifest(folder)).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f"{folder / 'run.json'}: {key}: {first['msg']}"
        raise InputError(where, remedy="restore the file as benchbench wrote it") from error
