"""What is in a model file: its scheme, inputs, outputs and operators, whichever runtime reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from benchbench.values.case import DataFile
from benchbench.values.device import Frozen
from benchbench.values.errors import InputError

# What a model keeps from one inference to the next: variable tensors (LSTM, SVDF), or resources (VAR_HANDLE), which
# only a new interpreter forgets.
State = Literal["variables", "resources"]


CHANNELS = {1, 3}  # of an image: grey, and red, green and blue


def has_channels_first(shape: Sequence[int]) -> bool:
    """Whether an input is an image with channels before rows (NCHW), by its sizes."""
    return len(shape) == 4 and shape[1] in CHANNELS and shape[3] not in CHANNELS


class TensorInfo(Frozen):
    """An input or output: real value = scale × (stored − zero point) where it is quantized."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]  # the shape with -1 where any size will do
    symbols: tuple[str, ...] = ()  # by axis, what the file calls a size that it leaves open; "" = nothing
    scale: float | None = None
    zero_point: int | None = None

    @property
    def open(self) -> bool:
        """Whether a size beside the batch is left open; the only axis of a rank-1 input is no batch."""
        return -1 in (self.signature[1:] or self.signature)


class SignatureInfo(Frozen):
    """A named entry point of the model, with its arguments by name."""

    key: str
    subgraph: int
    inputs: dict[str, TensorInfo]  # in the order of the graph
    outputs: dict[str, TensorInfo]
    tables: tuple[int | None, ...] = ()  # as ModelInfo has them


class SubgraphInfo(Frozen):
    """One subgraph: how many operators of which type, most frequent first."""

    name: str
    ops: dict[str, int]
    tensors: int


class ModelInfo(Frozen):
    """A model file as its own bytes describe it; sizes in bytes, one MAC = two floating-point operations."""

    format: str  # as Variant has it
    path: str
    size_bytes: int
    sha256: str
    data: tuple[DataFile, ...] = ()  # the files that it names beside itself
    scheme: str  # as Variant has it
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    subgraphs: tuple[SubgraphInfo, ...]
    compiled_for: str | None = None  # the accelerator that a part of it was compiled for, in words
    granularity: str | None = None  # of integer weights: per-tensor, per-channel, per-block
    signatures: tuple[SignatureInfo, ...] = ()
    custom_ops: tuple[str, ...] = ()
    flex_ops: tuple[str, ...] = ()  # TensorFlow ops that need the Flex delegate
    parameters: int | None = None  # None where a part is compiled, so that its weights cannot be told from commands
    weight_bytes: dict[str, int] = Field(default_factory=dict)  # stored bytes of the constants, by type
    macs: int | None = None
    macs_note: str | None = None
    sparse_tensors: int = 0  # stored in TFLite's sparse encoding
    zero_weights: float | None = None  # share of the weights that are zero: pruning shows here, None without weights
    description: str = ""
    minimum_runtime: str | None = None
    metadata: tuple[str, ...] = ()  # names of the metadata entries
    about: dict[str, str] = Field(default_factory=dict)  # name, description, author …, as it says
    packed_files: tuple[str, ...] = ()
    labels: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # label file -> labels
    state: State | None = None
    input_ranges: tuple[tuple[float, float] | None, ...] = ()  # the real values that each was made for; None = unknown
    tables: tuple[int | None, ...] = ()  # per input: into how long a table its whole numbers lead; None = into none
    notes: tuple[str, ...] = ()
    main: int = 0  # the subgraph that `inputs` and `outputs` are of

    def entered_by(self, key: str) -> ModelInfo:
        """The model as a signature has it: inputs and outputs are its arguments, by their names there.

        Raises InputError where the model has none of that name.
        """
        signature = next((one for one in self.signatures if one.key == key), None)
        if signature is None:
            known = ", ".join(f'"{one.key}"' for one in self.signatures)
            remedy = f"it has {known}" if known else "it has none: leave the key out"
            raise InputError(f'{self.path}: has no signature "{key}"', remedy=remedy)
        sides = (signature.inputs, signature.outputs)
        inputs, outputs = (
            tuple(tensor.model_copy(update={"name": name}) for name, tensor in side.items()) for side in sides
        )
        entered = {"inputs": inputs, "outputs": outputs, "tables": signature.tables, "main": signature.subgraph}
        return self.model_copy(update=entered)

    @property
    def size_mb(self) -> float:
        """Megabytes of 10⁶ bytes."""
        return self.size_bytes / 1e6

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Those of its inputs, with 1 for what any size will do for."""
        return tuple(tensor.shape for tensor in self.inputs)

    @property
    def nodes(self) -> int:
        """Operators of the main subgraph: what a delegate can take."""
        return sum(self.subgraphs[self.main].ops.values())

    @property
    def arguments(self) -> dict[str, TensorInfo]:
        """The inputs by the names under which they are fed: those of the first signature, else of the tensors."""
        return dict(self.signatures[0].inputs) if self.signatures else {tensor.name: tensor for tensor in self.inputs}

    @property
    def quantized(self) -> bool:
        """Whether any weight is stored in anything but 32-bit float."""
        return self.scheme not in {"float32", "none"}


def describe(info: ModelInfo) -> dict[str, Any]:
    """The whole of a ModelInfo as plain JSON values; what JSON cannot say (NaN, infinity) becomes None."""
    plain = info.model_dump(mode="json")
    plain |= {"size_mb": info.size_mb, "nodes": info.nodes}
    plain["flops"] = None if info.macs is None else 2 * info.macs
    plain["ops"] = dict(sum((Counter(graph.ops) for graph in info.subgraphs), Counter()).most_common())
    return plain
