"""What a TFLite backend says beside: its arguments for each tool, and its names in their output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from benchbench.runtimes.script_backend import ScriptBackend
from benchbench.runtimes.tflite.backends.log_names import LogNames
from benchbench.values.device import RunnerKind, Traits


class TfliteBackend(ScriptBackend):
    """A delegate of TFLite and LiteRT; what it does not override, it does not have."""

    # Flags that say what the tools of today do anyway: a build that does not know one is not asked to.
    default_flags: ClassVar[frozenset[str]] = frozenset()
    tflite_build_flag: ClassVar[str | None] = None  # known only to builds of TFLite's tool that have the delegate
    log_names: ClassVar[LogNames] = LogNames()

    @property
    def fallback(self) -> str:
        return "xnnpack"  # which every launch switches on beside a delegate

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        if reason := self.obstacle(traits, runner):
            return reason
        able = [tool for tool in self._known_to() if self.obstacle(traits, tool) is None]
        if not able:
            return f"no tool is known to have the {self.label} delegate"
        return None if runner in able else f'{self.label} needs runner = "{able[0]}"'

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        """Why it cannot run on such a device or with these options, beside what a tool does not have."""
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...] | None:
        """Arguments for TFLite's benchmark_model, XNNPACK always explicit; None = that tool has no such delegate."""
        return None

    def litert_flags(self, library: str | None) -> tuple[str, ...] | None:
        """Arguments for LiteRT's benchmark_model (CompiledModel); None = that tool has no such delegate."""
        return None

    def tflite_cache_flags(self, folder: str, key: str) -> tuple[str, ...] | None:
        """What makes TFLite's tool keep what the delegate compiles; `key` is the model's. None = it cannot."""
        return None

    def litert_cache_flags(self, folder: str, key: str) -> tuple[str, ...] | None:
        """The same for LiteRT's tool."""
        return None

    def _known_to(self) -> Iterator[RunnerKind]:
        """The tools that it has words for."""
        if any(flags is not None for flags in (self.tflite_flags(self.library), self.litert_flags(self.library))):
            yield "benchmark_model"
        if self.request(self.library) is not None:
            yield "python"
