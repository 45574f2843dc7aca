"""What every provider of ONNX Runtime says: the settings of its session, and whether a device has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from benchbench.device_script.protocol import OnnxRuntimeDelegate
from benchbench.runtimes.script_backend import ScriptBackend
from benchbench.values.device import RunnerKind, Traits

CPU = "ort-cpu"
Optimization = Literal["disable", "basic", "extended", "layout", "all"]


class OnnxBackend(ScriptBackend):
    """ONNX Runtime's session with or without a provider; the settings are those of `SessionOptions`."""

    name: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9._-]+$", description="What case ids call it beside its kind. [its settings]"
    )
    optimization: Optimization = Field(default="all", description="graph_optimization_level.")
    inter_threads: int | None = Field(
        default=None, ge=1, description="Run branches of the graph in parallel, on so many threads. [one by one]"
    )
    arena: bool = Field(default=True, description="enable_cpu_mem_arena.")
    memory_pattern: bool = Field(default=True, description="enable_mem_pattern.")
    options: dict[str, str] = Field(default_factory=dict, description="The provider's own options.")
    config: dict[str, str] = Field(default_factory=dict, description="Session configuration entries, by their keys.")

    provider: ClassVar[str | None] = None  # None = CPU kernels alone

    @field_validator("options", "config", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """Both are text for ONNX Runtime, where a switch is 0 or 1."""
        if not isinstance(value, dict):
            return value
        return {key: str(int(one)) if isinstance(one, bool) else str(one) for key, one in value.items()}

    @property
    def label(self) -> str:
        return ":".join([self.kind, *([self.name] if self.name else self._settings())])

    def _settings(self) -> Iterator[str]:
        if self.optimization != "all":
            yield self.optimization
        if self.inter_threads:
            yield f"inter{self.inter_threads}"
        if not self.arena:
            yield "no-arena"
        if not self.memory_pattern:
            yield "no-pattern"

    @property
    def fallback(self) -> str:
        return CPU

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        return None if runner == "python" else f'{self.label} needs runner = "python"'

    def request(self, library: str | None) -> OnnxRuntimeDelegate:
        return self.session(library, 1)

    def session(self, library: str | None, threads: int) -> OnnxRuntimeDelegate:
        """What the script is told of the session; `threads` are those of the case."""
        return OnnxRuntimeDelegate(
            provider=self.provider,
            library=library,
            options=self.options or None,
            config=self.config or None,
            optimization=self.optimization,
            inter_threads=self.inter_threads,
            arena=self.arena,
            memory_pattern=self.memory_pattern,
        )


class Cpu(OnnxBackend):
    """ONNX Runtime's own kernels: MLAS, with KleidiAI's on Arm."""

    kind: Literal["ort-cpu"] = "ort-cpu"
    color = "#5f7a52"
    processor = "cpu"
    is_delegate = False
