"""What a runtime is to the script: its engines, what they are asked, its probe and its words.

One folder each, named in `engines.py`.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .errors import in_words
from .protocol import DelegateRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .protocol import Delegation, OpTime, Request, State, Timed
    from .tensors import Array, Tensor

if sys.version_info >= (3, 8):  # novm
    from typing import Protocol

    class Engine(Protocol):
        """A model made ready step by step, fed, stepped and read, over one of a runtime's APIs."""

        api: str
        timed: Timed  # what the clock is around
        inputs: list[Tensor]  # once it is ready, as are outputs
        outputs: list[Tensor]

        @property
        def label(self) -> str:
            """The runtime with its version."""

        def steps(self) -> list[tuple[str, Callable[[], None]]]:
            """What makes it ready, phase by phase."""

        def feed(self, arrays: Sequence[Array | None]) -> None:
            """One array an input, in order; None = it stays as it is."""

        def step(self) -> object:
            """What is timed: one inference."""

        def results(self) -> list[Array]:
            """The outputs of the last inference, in order."""

        def forget(self, state: State | None) -> None:
            """Reset what the model keeps from one inference to the next."""

        def quantized(self) -> tuple[list[Tensor], list[Tensor]]:
            """Inputs and outputs with their quantization."""

        def ops(self) -> dict[str, int]:
            """How many of each operator its graph has."""

        def delegation(self) -> Delegation:
            """Who took which nodes, and the verdict on it."""

        def on_cpu(self) -> ReferenceEngine:
            """The same model on this CPU, not ready yet: what its outputs are compared with."""

        def profile(self) -> tuple[OpTime, ...]:
            """The time of every operator; raises NotImplementedError where none can be had."""

    class ReferenceEngine(Engine, Protocol):
        """An engine of this CPU, whose outputs others are compared with; `reference` is what it is."""

        reference: str


D = TypeVar("D", bound=DelegateRequest)


class Engines(ABC, Generic[D]):
    """What is true of one runtime; `D` is what its engines are asked."""

    runtime: ClassVar[str]  # what a probe calls it
    delegates: ClassVar[tuple[type[DelegateRequest], ...]]  # the kinds of `D`

    @abstractmethod
    def engine(self, request: Request, delegate: D, with_cpu: bool) -> Engine:
        """What runs the model, not ready yet; `with_cpu` lets the CPU take what an accelerator leaves.

        Raises ImportError where its runtime is not installed, and Unusable.
        """

    @abstractmethod
    def probe(self, arguments: Sequence[str]) -> dict[str, Any]:
        """What this interpreter has of it, for the host; `arguments` are the runtime's own."""

    def in_words(self, error: BaseException) -> str:
        """All that an exception says, without what tells nobody anything."""
        return in_words(error)
