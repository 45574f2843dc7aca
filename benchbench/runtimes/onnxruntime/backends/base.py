"""What every provider of ONNX Runtime says: the settings of its session, and whether a device has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from benchbench.device_script.onnxruntime.delegates import OnnxRuntimeDelegate
from benchbench.device_script.protocol import DelegateRequest
from benchbench.runtimes.caching import CachingBackend
from benchbench.values.backend import Cache
from benchbench.values.device import RunnerKind, Traits

CPU, CPU_PROVIDER = "ort-cpu", "CPUExecutionProvider"
PERF_TEST = "onnxruntime_perf_test"  # the kind of runner that it is
LEVELS = {"disable": "0", "basic": "1", "extended": "2", "layout": "3", "all": "99"}  # for it
Optimization = Literal["disable", "basic", "extended", "layout", "all"]


class OnnxBackend(CachingBackend):
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
    perf_test_options: ClassVar[bool] = True  # whether onnxruntime_perf_test hands the provider its options
    keeps_nothing: ClassVar[str] = "ONNX Runtime has no option with which it keeps what it compiles"

    @field_validator("options", "config", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """Both are text for ONNX Runtime, where a switch is 0 or 1."""
        if not isinstance(value, dict):
            return value
        return {key: str(int(one)) if isinstance(one, bool) else str(one) for key, one in value.items()}

    @model_validator(mode="after")
    def _one_cache(self) -> Self:
        if self.cache is not None and self._names_its_cache:
            raise ValueError("cache says where the provider keeps what it compiles: leave that out of options")
        return self

    @property
    def label(self) -> str:
        return ":".join([self.kind, *([self.name] if self.name else self._settings()), *self.cache_label])

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

    def cache_options(self, folder: str) -> Mapping[str, str]:
        """The options with which the provider keeps what it compiles in a folder; none = it cannot."""
        return {}

    @property
    def _names_its_cache(self) -> bool:
        return not self.options.keys().isdisjoint(self.cache_options(""))

    def with_cache(self, cache: Cache) -> Self | None:
        can = self.cache_options("") and not self._names_its_cache
        return super().with_cache(cache) if can else None

    def keeping(self, request: DelegateRequest, folder: str) -> DelegateRequest | None:
        own = self.cache_options(folder)
        if not own or not isinstance(request, OnnxRuntimeDelegate):
            return None
        return replace(request, options={**(request.options or {}), **own})

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        if self.cache in {"cold", "warm"} and not self.cache_options(""):
            return f"{self.kind} has no cache: {self.keeps_nothing}"
        if self.cache in {"cold", "warm"} and runner == PERF_TEST:
            return f"{PERF_TEST} keeps nothing that a provider compiles"
        return None if runner in {"python", PERF_TEST} else f'{self.label} needs runner = "python"'

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

    @property
    def provider_name(self) -> str:
        """ONNX Runtime's name of the provider that takes nodes."""
        return self.provider or CPU_PROVIDER

    @property
    def perf_test_name(self) -> str:
        """What onnxruntime_perf_test calls it."""
        return self.provider_name.removesuffix("ExecutionProvider").lower()

    def perf_test_obstacle(self) -> str | None:
        """Why that tool has no such provider, whatever it was built with; None = it may."""
        if self.options and not self.perf_test_options:
            return f"{PERF_TEST} hands no options to {self.kind}"
        words = [word for pairs in (self.options, self.config) for pair in pairs.items() for word in pair]
        spaced = next((word for word in words if " " in word or "|" in word), None)
        return spaced and f"{PERF_TEST} cannot be told {spaced!r}: spaces and | part its options"

    def perf_test_flags(self, threads: int) -> tuple[str, ...]:
        """What asks that tool for the provider and its session."""
        flags = ["-e", self.perf_test_name, "-x", str(threads), "-o", LEVELS[self.optimization]]
        flags += ["-P", "-y", str(self.inter_threads)] if self.inter_threads else []
        flags += [] if self.arena else ["-A"]
        flags += [] if self.memory_pattern else ["-M"]
        flags += ["-i", " ".join(self.perf_test_words())] if self.options else []
        flags += ["-C", " ".join(f"{key}|{value}" for key, value in self.config.items())] if self.config else []
        return tuple(flags)

    def perf_test_words(self) -> list[str]:
        """Its options as that tool writes them."""
        return [f"{key}|{value}" for key, value in self.options.items()]


class Cpu(OnnxBackend):
    """ONNX Runtime's own kernels: MLAS, with KleidiAI's on Arm."""

    kind: Literal["ort-cpu"] = "ort-cpu"
    color = "#5f7a52"
    processor = "cpu"
    is_delegate = False
    perf_test_options = False
    keeps_nothing = "its kernels are not compiled; an optimised model is another file, and a variant of its own"
