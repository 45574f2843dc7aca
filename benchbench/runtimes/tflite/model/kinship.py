"""Which files of a family are one network, and which are only derived from it, judged from their bytes alone.

Quantizing, converting and rescaling channels keep the weights: what is stored differs from the origin's by no more than
the rounding of its own scale. Training again (QAT, fine-tuning) and pruning move them by more. Other operators with
other weights, or other outputs, are another network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchbench.runtimes.tflite.model.graph import Graph, read
from benchbench.runtimes.tflite.model.scheme import all_weights
from benchbench.runtimes.tflite.model.weights import Weights, real_weights
from benchbench.values.case import Kin, Relation
from benchbench.values.model import ModelInfo

MOST = 0.8  # the share of the weights that decides
SPARSER = 0.25  # so many more of the weights are zero in what was pruned
HALF_STEP, NEARLY_ALL = 0.55, 0.95  # what is rounded is half a step away at most, but for outliers that were cut off
PLUMBING = {"QUANTIZE", "DEQUANTIZE", "DENSIFY", "RESHAPE", "RELU", "RELU6", "CAST", "FAKE_QUANT", "PAD", "TRANSPOSE"}
ORDER = {"float32": 0, "float16": 1}  # of schemes, the finest first


@dataclass(frozen=True)
class _Model:
    """A file with what is compared of it."""

    info: ModelInfo
    name: str  # of the variant

    @cached_property
    def graphs(self) -> tuple[Graph, ...]:
        path = Path(self.info.path)
        return read(path, path.read_bytes()).graphs

    @cached_property
    def weights(self) -> tuple[Weights, ...]:
        stored = {weight.stored.buffer: weight.stored for weight in all_weights(self.graphs)}
        return tuple(found for t in stored.values() if (found := real_weights(t)) is not None and found.values.size)

    @cached_property
    def ops(self) -> Counter[str]:
        return Counter(op.type for graph in self.graphs for op in graph.ops if op.type not in PLUMBING)

    @property
    def compiled(self) -> bool:
        """Whether what it computes cannot be seen: compiled into an operator of some accelerator."""
        return self.info.compiled_for is not None or any(op.custom for graph in self.graphs for op in graph.ops)


def kinships(infos: Sequence[ModelInfo], names: Sequence[str]) -> tuple[Kin, ...]:
    """How each file belongs to the family that they are meant to be; `names` are those of the variants.

    The family's own network is the one with the most files; at its head is its finest file that a CPU can run.
    """
    if len(infos) < 2:
        return tuple(Kin() for _ in infos)
    models = [_Model(info, name) for info, name in zip(infos, names, strict=True)]
    left = dict(enumerate(models))
    networks: list[tuple[int, dict[int, Kin]]] = []
    while left:
        head, found = max(((k, _relatives(left, k)) for k in _heads(left)), key=lambda pair: len(pair[1]))
        networks.append((head, found))
        left = {k: model for k, model in left.items() if k not in found}
    networks.sort(key=lambda network: -len(network[1]))  # stable: of equals the first stays first
    kin: dict[int, Kin] = dict(networks[0][1])
    own = models[networks[0][0]]
    for head, found in networks[1:]:
        because = f"another network than {own.name}: {_unlike(own, models[head]) or _other_ops(own, models[head])}"
        kin |= {k: one.model_copy(update={"network": names[head], "because": because}) for k, one in found.items()}
    return tuple(kin[k] for k in range(len(infos)))


def _heads(models: dict[int, _Model]) -> list[int]:
    """Who can stand at the head of a network: the files of the finest scheme, what is compiled last of all."""
    rank = {k: (model.compiled, ORDER.get(model.info.scheme, len(ORDER))) for k, model in models.items()}
    return [k for k in models if rank[k] == min(rank.values())]


def _relatives(models: dict[int, _Model], head: int) -> dict[int, Kin]:
    found = {k: _kin(models[head], model) for k, model in models.items() if k != head}
    return {head: Kin()} | {k: kin for k, kin in found.items() if kin is not None}


def _kin(origin: _Model, model: _Model) -> Kin | None:
    """How a file comes from `origin`; None = it does not."""
    if _unlike(origin, model):
        return None
    sized = _size_words(origin.info, model.info)
    if origin.compiled or model.compiled or not (origin.weights or model.weights):
        if not (origin.compiled or model.compiled or origin.ops == model.ops):
            return None
        return Kin(relation="resized", because=sized) if sized else Kin()
    zeros, before = (model.info.zero_weights or 0.0), (origin.info.zero_weights or 0.0)
    shapes, same = _kept(origin.weights, model.weights)
    if same >= MOST:
        return Kin(relation="resized", because=sized) if sized else Kin()
    relation: Relation = "pruned" if zeros > before + SPARSER else "retrained"
    if shapes >= MOST and _alike(origin.ops, model.ops) >= MOST:
        pruned = f"{zeros:.0%} of its weights are zero" if relation == "pruned" else "other weights"
        return Kin(relation=relation, because=f"the same operators as {origin.name}, {pruned}")
    if origin.ops == model.ops:
        share = (model.info.parameters or 0) / max(1, origin.info.parameters or 0)
        return Kin(relation="retrained", because=f"the same operators as {origin.name}, {share:.0%} of its parameters")
    return None


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """The share of operators that two graphs have in common, by type."""
    return (one & other).total() / max(1, (one | other).total())


def _other_ops(origin: _Model, model: _Model) -> str:
    mine, its = model.ops - origin.ops, origin.ops - model.ops
    sides = {"has": mine, "lacks": its}
    words = [
        f"{verb} {', '.join(f'{op} × {count}' for op, count in side.most_common(3))}"
        for verb, side in sides.items()
        if side
    ]
    return f"other weights and operators ({'; '.join(words)})" if words else "other weights of other shapes"


def _unlike(origin: _Model, model: _Model) -> str:
    """What of the inputs and outputs shows that two files are not one network; "" = nothing does."""
    for what in ("inputs", "outputs"):
        mine, its = (_shapes(found.info, what) for found in (model, origin))
        if [len(shape) for shape in mine] != [len(shape) for shape in its]:
            return f"{what} {_text(mine)} instead of {_text(its)}"
    mine, its = (_shapes(found.info, "outputs") for found in (model, origin))
    maps_only = all(one == other or len(one) > 1 for one, other in zip(mine, its, strict=True))
    if mine != its and not (maps_only and _size_words(origin.info, model.info)):
        return f"outputs {_text(mine)} instead of {_text(its)}"
    return ""


def _shapes(info: ModelInfo, what: str) -> list[tuple[int, ...]]:
    """The shapes without the axis of samples and axes of length one, which converters add and drop."""
    tensors = info.inputs if what == "inputs" else info.outputs
    return [tuple(size for size in tensor.signature[1:] or tensor.signature if size != 1) for tensor in tensors]


def _text(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape or (1,))) for shape in shapes)


def _size_words(origin: ModelInfo, info: ModelInfo) -> str:
    """What is said of inputs of another size; "" where they have the same."""
    mine, its = _shapes(info, "inputs"), _shapes(origin, "inputs")
    return "" if mine == its else f"inputs {_text(mine)} instead of {_text(its)}"


def _kept(origin: Sequence[Weights], weights: Sequence[Weights]) -> tuple[float, float]:
    """The shares of all weights that have the shape of some of `origin`, and those that have its values, rounded."""
    total = sum(one.values.size for one in weights)
    shaped = same = 0
    for one in weights:
        candidates = [other for other in origin if other.values.shape == one.values.shape]
        shaped += one.values.size if candidates else 0
        same += one.values.size if any(_is_rounded(other.values, one) for other in candidates) else 0
    return (shaped / total, same / total) if total else (1.0, 1.0)


def _is_rounded(origin: NDArray[np.float32], stored: Weights) -> bool:
    """Whether stored weights are those of `origin`, rounded; channels may have been scaled against each other."""
    allowed = HALF_STEP * stored.steps + np.float32(1e-6) * np.abs(stored.values).max(initial=0.0)

    def near(values: NDArray[np.float32]) -> bool:
        return bool(np.mean(np.abs(stored.values - values) <= allowed) >= NEARLY_ALL)

    return near(origin) or near(_scaled(origin, stored.values))


def _scaled(origin: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float32]:
    """`origin` with a factor for each first and each last index, the pair that fits `target` best (least squares)."""
    shape, rows = origin.shape, origin.shape[0]
    base, aim = (array.reshape(rows, -1, shape[-1]) for array in (origin, target))
    # From the mean ratio in each column, since least squares alone would take long where scales differ by decades.
    known = (np.abs(base) > 0) & (np.abs(aim) > 0)
    ratios = np.log(np.abs(np.where(known, aim, 1)) / np.abs(np.where(known, base, 1)))
    last = np.exp(ratios.sum(axis=(0, 1), keepdims=True) / np.maximum(1, known.sum(axis=(0, 1), keepdims=True)))
    for _ in range(6):
        first = _fit(base * last, aim, (1, 2))
        last = _fit(base * first, aim, (0, 1))
    return np.asarray(base * first * last, np.float32).reshape(shape)


def _fit(base: NDArray[np.float32], aim: NDArray[np.float32], axes: tuple[int, int]) -> NDArray[np.float32]:
    power = np.sum(base * base, axis=axes, keepdims=True)
    found: NDArray[np.float32] = np.sum(base * aim, axis=axes, keepdims=True) / np.where(power > 0, power, 1)
    return found
