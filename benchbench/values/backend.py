"""What every backend says of itself, whatever its runtime: its name, what it computes on, and where it cannot run.

Refusing is the default: a backend that says nothing of a tool, an operator or a compiled model does not take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from benchbench.values.device import Frozen, RunnerKind, Traits

Processor = Literal["cpu", "accelerator"]
Cache = Literal["off", "cold", "warm"]  # of what a delegate compiles: none, an empty one, one that is full already


class Backend(Frozen):
    """A delegate and its options, as the matrix writes them; `kind` tags the union."""

    kind: str
    color: ClassVar[str | None] = None  # in charts: a middle tone, holds on white and on near-black; None = a spare one
    processor: ClassVar[Processor | None] = None  # what it computes on; None = whatever its library drives
    is_delegate: ClassVar[bool] = True  # False: the runtime's own kernels, so that nothing can fail to take the graph
    half_precision: ClassVar[bool] = False  # may compute float graphs in float16
    on_every_phone: ClassVar[bool] = False  # so that `init` asks for it where there is one
    tried_out: ClassVar[bool] = False  # `devices` makes one: only that shows whether it can be made there
    slow_schemes: ClassVar[tuple[tuple[str, str], ...]] = ()  # how a scheme begins, and what such a model does there
    library_form: ClassVar[Literal["file", "folder"] | None] = None  # what a device's file may name for it; None = none
    libraries_from: ClassVar[str] = ""  # where the files come from that it needs on a device
    compiled_schemes: ClassVar[frozenset[str]] = frozenset()  # of models that were compiled for what it drives
    only_compiled: ClassVar[bool] = False  # takes no other models

    @classmethod
    def kind_name(cls) -> str:
        """The tag of this class in the union."""
        return str(cls.model_fields["kind"].default)

    @classmethod
    def example(cls) -> Self:
        """One with nothing special asked of it."""
        return cls.model_validate({})

    @property
    def label(self) -> str:
        """The readable name in a case id: the kind, and what sets this one apart (`nnapi:google-edgetpu`)."""
        return self.kind

    @property
    def fallback(self) -> str:
        """The kind that executes the nodes it leaves; "cpu" for the runtime's own kernels."""
        return "cpu"

    @property
    def caching(self) -> Cache | None:
        """Which cache was asked for of what it compiles; None = nobody said."""
        return None

    def with_cache(self, cache: Cache) -> Self | None:
        """The same with this cache; None where it has none, or says itself which."""
        return None

    @property
    def library(self) -> str | None:
        """The path on the device of the shared library to load, where the matrix or its default names one."""
        return None

    def library_on(self, libraries: Mapping[str, str]) -> str | None:
        """The path of its shared library on a device whose file says where `libraries` are, by label or kind."""
        return libraries.get(self.label) or libraries.get(self.kind) or self.library

    def files_needed(self, library: str | None) -> tuple[str, ...]:
        """Paths that must be there before a launch, which a tool would pass over without a word."""
        return (library,) if library else ()

    def takes_custom_op(self, op: str) -> bool:
        """Whether it has a kernel for a custom operator that the runtime has none for."""
        return False

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        """Why it cannot run on such a device with such a tool, with what to do; None = it may."""
        return f"no tool is known to have the {self.label} delegate"
