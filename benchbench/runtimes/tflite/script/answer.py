"""What the script leaves in answer.json, as values."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from benchbench.values.outcome import Verdict


class Chunk(BaseModel):
    """A part of an answer; the script travels with this file, so an unknown key is a mistake, not a newer version."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Failure(Chunk):
    stage: str
    type: str
    message: str

    @property
    def line(self) -> str:
        said = " ".join(self.message.split()) or "no reason given"
        return f"{self.stage}: {said}" if self.type == "Unusable" else f"{self.stage}: {self.type}: {said}"


class Share(Chunk):
    delegate: str | None
    nodes: tuple[int, ...]


class Took(Chunk):
    verdict: Verdict
    asked: str | None = None
    evidence: str | None = None
    nodes_delegated: int | None = None
    nodes_total: int | None = None
    partitions: int | None = None
    remainder: str | None = None
    shares: tuple[Share, ...] = ()
    left: tuple[int, ...] = ()


class Memory(Chunk):
    peak_since: Literal["load", "process start"]
    rss_start_mb: float | None = None
    rss_loaded_mb: float | None = None
    rss_end_mb: float | None = None
    rss_peak_mb: float | None = None
    pss_end_mb: float | None = None


class Fidelity(Chunk):
    reference: str | None
    why: str | None = None
    relative_l2: dict[str, float | None] = Field(default_factory=dict)


class Answer(Chunk):
    format: Literal[1]
    status: Literal["ok", "failed"]
    error: Failure | None = None
    runtime: str | None = None
    api: str | None = None
    timed: Literal["invoke", "run+read"] | None = None
    python: str | None = None
    numpy: str | None = None
    threads: int | None = None
    cpus: tuple[int, ...] = ()
    phases_ns: dict[str, int] = Field(default_factory=dict)
    first_ns: int | None = None
    warmup_ns: tuple[int, ...] = ()
    steady_ns: tuple[int, ...] = ()
    stopped_by: str | None = None
    evaluated: int | None = None
    memory: Memory | None = None
    delegation: Took
    ops: dict[str, int] = Field(default_factory=dict)
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    fidelity: Fidelity | None = None
    profile: tuple[tuple[str, str, float, float, str | None], ...] | None = None
