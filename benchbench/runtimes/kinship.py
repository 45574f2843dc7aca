"""Which files of a family are one network, and which are only derived from it, judged from their bytes alone.

Quantizing, converting and rescaling channels keep the weights: what is stored differs from the origin's by no more than
the rounding of its own scale. Training again (QAT, fine-tuning) and pruning move them by more. Other operators with
other weights, or other outputs, are another network. Files of two formats share no names of operators, and may turn
axes: of them only what their weights and the sizes of inputs and outputs show is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchbench.runtimes.contents import Contents, Values, Weights
from benchbench.values.case import Kin, Relation
from benchbench.values.formatting import percent
from benchbench.values.model import ModelInfo

MOST = 0.8  # the share of the weights that decides
SPARSER = 0.25  # so many more of the weights are zero in what was pruned
HALF_STEP, NEARLY_ALL = 0.55, 0.95  # what is rounded is half a step away at most, but for outliers that were cut off
FEW, UNEQUAL = 0.5, 0.1  # of two formats: fewer weights of the same shapes, and another number of parameters
ORDER = {"float32": 0, "float16": 1}  # of schemes, the finest first


@dataclass(frozen=True)
class _Network:
    """Files that belong together, by their places in the family; `head` is the finest that a CPU can run."""

    head: int
    members: Mapping[int, Kin]

    def joined(self, other: _Network, link: Kin) -> _Network:
        """With the files of another format, whose head comes from this one's as `link` says."""
        theirs = {k: link if kin.relation == "same" else kin for k, kin in other.members.items()}
        return _Network(self.head, {**self.members, **theirs})


def kinships(models: Sequence[Contents]) -> tuple[Kin, ...]:
    """How each file belongs to the family that they are meant to be.

    The family's own network is the one with the most files.
    """
    if len(models) < 2:
        return tuple(Kin() for _ in models)
    networks: list[_Network] = []
    for model_format in dict.fromkeys(model.info.format for model in models):
        own = {k: model for k, model in enumerate(models) if model.info.format == model_format}
        for network in _networks(own):
            _join(networks, network, models)
    networks.sort(key=lambda network: -len(network.members))  # stable: of equals the first stays first
    kin: dict[int, Kin] = dict(networks[0].members)
    head = models[networks[0].head]
    for network in networks[1:]:
        other = models[network.head]
        because = f"another network than {head.name}: {_difference(head, other)}"
        update = {"network": other.name, "because": because}
        kin |= {k: one.model_copy(update=update) for k, one in network.members.items()}
    return tuple(kin[k] for k in range(len(models)))


def _networks(models: Mapping[int, Contents]) -> list[_Network]:
    """The networks that files of one format are."""
    left, found = dict(models), list[_Network]()
    while left:
        networks = (_Network(k, _relatives(left, k)) for k in _heads(left))
        found.append(max(networks, key=lambda network: len(network.members)))
        left = {k: model for k, model in left.items() if k not in found[-1].members}
    return found


def _join(networks: list[_Network], network: _Network, models: Sequence[Contents]) -> None:
    """Add a network to those of the formats before: as a part of one of them where its head is of that."""
    for place, there in enumerate(networks):
        if models[there.head].info.format == models[network.head].info.format:
            continue
        if (link := _link(models[there.head], models[network.head])) is not None:
            networks[place] = there.joined(network, link)
            return
    networks.append(network)


def _heads(models: Mapping[int, Contents]) -> list[int]:
    """Who can stand at the head of a network: the files of the finest scheme, what is compiled last of all."""
    rank = {k: (model.compiled, ORDER.get(model.info.scheme, len(ORDER))) for k, model in models.items()}
    return [k for k in models if rank[k] == min(rank.values())]


def _relatives(models: Mapping[int, Contents], head: int) -> dict[int, Kin]:
    found = {k: _kin(models[head], model) for k, model in models.items() if k != head}
    return {head: Kin()} | {k: kin for k, kin in found.items() if kin is not None}


def _kin(origin: Contents, model: Contents) -> Kin | None:
    """How a file comes from `origin`, of the same format; None = it does not."""
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
        pruned = f"{percent(zeros)} of its weights are zero" if relation == "pruned" else "other weights"
        return Kin(relation=relation, because=f"the same operators as {origin.name}, {pruned}")
    if origin.ops == model.ops:
        share = (model.info.parameters or 0) / max(1, origin.info.parameters or 0)
        because = f"the same operators as {origin.name}, {percent(share)} of its parameters"
        return Kin(relation="retrained", because=because)
    return None


def _link(origin: Contents, model: Contents) -> Kin | None:
    """How a file comes from `origin`, of another format; None = it does not.

    Weights that were taken apart or merged on the way cannot be found again: then nothing is said against it.
    """
    if _unlike(origin, model):
        return None
    sized = _size_words(origin.info, model.info)
    if origin.compiled or model.compiled:
        return Kin()
    shapes, same = _kept(origin.squeezed, model.squeezed, turned=True)
    if shapes >= MOST > same:
        return Kin(relation="retrained", because=f"weights of the same shapes as {origin.name} with other values")
    if shapes < FEW and abs((model.info.parameters or 0) / (origin.info.parameters or 1) - 1) > UNEQUAL:
        return None
    return Kin(relation="resized", because=sized) if sized else Kin()


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """The share of operators that two graphs have in common, by type."""
    return (one & other).total() / max(1, (one | other).total())


def _difference(origin: Contents, model: Contents) -> str:
    if unlike := _unlike(origin, model):
        return unlike
    return "other weights of other shapes" if origin.info.format != model.info.format else _other_ops(origin, model)


def _other_ops(origin: Contents, model: Contents) -> str:
    mine, its = model.ops - origin.ops, origin.ops - model.ops
    sides = {"has": mine, "lacks": its}
    words = [
        f"{verb} {', '.join(f'{op} × {count}' for op, count in side.most_common(3))}"
        for verb, side in sides.items()
        if side
    ]
    return f"other weights and operators ({'; '.join(words)})" if words else "other weights of other shapes"


def _unlike(origin: Contents, model: Contents) -> str:
    """What of the inputs and outputs shows that two files are not one network; "" = nothing does."""
    one, other = origin.info, model.info
    for what in ("inputs", "outputs"):
        mine, its = _shapes(other, what, one), _shapes(one, what, other)
        if [len(shape) for shape in mine] != [len(shape) for shape in its]:
            return f"{what} {_text(mine)} instead of {_text(its)}"
    mine, its = _shapes(other, "outputs", one), _shapes(one, "outputs", other)
    maps_only = all(a == b or len(a) > 1 for a, b in zip(mine, its, strict=True))
    if not _fit_each_other(mine, its) and not (maps_only and _size_words(one, other)):
        return f"outputs {_text(mine)} instead of {_text(its)}"
    return ""


def _shapes(info: ModelInfo, what: str, beside: ModelInfo) -> list[tuple[int, ...]]:
    """The shapes without the axis of samples and axes of length one, which converters add and drop.

    Beside a file of another format, which may turn axes and order tensors by itself, they are sorted.
    """
    tensors = info.inputs if what == "inputs" else info.outputs
    found = [tuple(size for size in tensor.signature[1:] or tensor.signature if size != 1) for tensor in tensors]
    return found if info.format == beside.format else sorted(tuple(sorted(shape)) for shape in found)


def _fit_each_other(one: Sequence[tuple[int, ...]], other: Sequence[tuple[int, ...]]) -> bool:
    """Whether two files may have the same sizes; one that is left open fits any."""
    pairs = zip(one, other, strict=True)
    return all(mine == its or (len(mine) == len(its) and -1 in (*mine, *its)) for mine, its in pairs)


def _text(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape or (1,))) for shape in shapes)


def _size_words(origin: ModelInfo, info: ModelInfo) -> str:
    """What is said of inputs of another size; "" where they have the same, or one of them leaves its sizes open."""
    mine, its = _shapes(info, "inputs", origin), _shapes(origin, "inputs", info)
    return "" if _fit_each_other(mine, its) else f"inputs {_text(mine)} instead of {_text(its)}"


def _kept(origin: Sequence[Weights], weights: Sequence[Weights], *, turned: bool = False) -> tuple[float, float]:
    """The shares of all weights that have the shape of some of `origin`, and those that have its values, rounded.

    `turned`: what follows a flattened image may have its inputs in the order of another layout.
    """
    total = sum(one.values.size for one in weights)
    channels = {one.values.shape[0] for one in origin if one.values.ndim > 2} if turned else set()
    shaped = same = 0
    for one in weights:
        candidates = [other for other in origin if other.values.shape == one.values.shape]
        shaped += one.values.size if candidates else 0
        orders = [found for other in candidates for found in (other, *_turned(other, channels))]
        same += one.values.size if any(_is_rounded(other, one) for other in orders) else 0
    return (shaped / total, same / total) if total else (1.0, 1.0)


def _turned(weights: Weights, channels: set[int]) -> list[Weights]:
    """Weights of a flattened image with so many channels last, as they are with channels first, where it is square."""
    if weights.values.ndim != 2:
        return []
    outputs, inputs = weights.values.shape
    found = []
    for count in sorted(channels):
        side = round((inputs / count) ** 0.5)
        if side < 2 or side * side * count != inputs:
            continue
        arrays = (
            array.reshape(outputs, side, side, count).transpose(0, 3, 1, 2).reshape(outputs, inputs)
            for array in (weights.values, weights.steps)
        )
        found.append(Weights(*arrays))
    return found


def _is_rounded(origin: Weights, stored: Weights) -> bool:
    """Whether stored weights are those of `origin`, rounded; channels may have been scaled against each other."""
    least = np.float32(1e-6) * np.abs(stored.values).max(initial=0.0)

    def near(values: Values, steps: Values) -> bool:
        allowed = HALF_STEP * (stored.steps + steps) + least
        return bool(np.mean(np.abs(stored.values - values) <= allowed) >= NEARLY_ALL)

    if near(origin.values, origin.steps):
        return True
    factors = _factors(origin.values, stored.values)
    return near(origin.values * factors, origin.steps * np.abs(factors))


def _factors(origin: Values, target: Values) -> Values:
    """A factor for each first and each last index, the pair with which `origin` fits `target` best (least squares)."""
    shape, rows = origin.shape, origin.shape[0]
    base, aim = (array.reshape(rows, -1, shape[-1]) for array in (origin, target))
    # From the mean ratio in each column, since least squares alone would take long where scales differ by decades.
    known = (np.abs(base) > 0) & (np.abs(aim) > 0)
    ratios = np.log(np.abs(np.where(known, aim, 1)) / np.abs(np.where(known, base, 1)))
    last = np.exp(ratios.sum(axis=(0, 1), keepdims=True) / np.maximum(1, known.sum(axis=(0, 1), keepdims=True)))
    for _ in range(6):
        first = _fit(base * last, aim, (1, 2))
        last = _fit(base * first, aim, (0, 1))
    return np.asarray(np.broadcast_to(first * last, base.shape), np.float32).reshape(shape)


def _fit(base: Values, aim: Values, axes: tuple[int, int]) -> Values:
    power = np.sum(base * base, axis=axes, keepdims=True)
    found: Values = np.sum(base * aim, axis=axes, keepdims=True) / np.where(power > 0, power, 1)
    return found
