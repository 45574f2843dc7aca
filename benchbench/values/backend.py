"""What every delegate answers: its name, where it can exist, and its arguments for each runner."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from benchbench.values.device import Frozen, RunnerKind, Traits


class Backend(Frozen):
    """A delegate and its options, as the matrix writes them; `kind` tags the union."""

    kind: str
    name_in_tool: ClassVar[str | None]  # as in "Explicitly applied GPU delegate"; None = the tool has no line for it
    library_name: ClassVar[str | None] = None  # the shared library it needs on the device, where it needs one
    # Flags that say what the tools of today do anyway: a build that does not know one is not asked to.
    default_flags: ClassVar[frozenset[str]] = frozenset()
    tflite_build_flag: ClassVar[str | None] = None  # known only to builds of TFLite's tool that have the delegate

    @property
    def label(self) -> str:
        """The readable name in a case id: the kind, and what sets this one apart (`nnapi:google-edgetpu`)."""
        return self.kind

    @property
    def fallback(self) -> str:
        """Who executes the nodes it leaves: "xnnpack" or "cpu"."""
        return "xnnpack"

    @property
    def library(self) -> str | None:
        """The path on the device of the shared library to load, where the matrix or its default names one."""
        return None

    def files_needed(self, library: str | None) -> tuple[str, ...]:
        """Paths that must be there before a launch, which a tool would pass over without a word."""
        return (library,) if library else ()

    @abstractmethod
    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        """Why it cannot exist on such a device with such a runner, with what to do; None = it may."""

    @abstractmethod
    def tflite_flags(self, library: str | None) -> tuple[str, ...] | None:
        """Arguments for TFLite's benchmark_model, XNNPACK always explicit; None = that tool has no such delegate."""

    @abstractmethod
    def litert_flags(self, library: str | None) -> tuple[str, ...] | None:
        """Arguments for LiteRT's benchmark_model (CompiledModel); None = that tool has no such delegate."""

    @abstractmethod
    def request(self, library: str | None) -> dict[str, Any] | None:
        """The `delegate` part of a request to the python runner's script; None = it has no such delegate."""
