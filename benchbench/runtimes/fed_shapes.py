"""Which files of a family are measured with inputs of other sizes than it, so that their times are of other work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchbench.values.case import Variant
from benchbench.values.formatting import counted

Shapes = Sequence[tuple[int, ...]]


def told_apart(variants: Sequence[Variant]) -> tuple[Variant, ...]:
    """The variants of a family, those fed otherwise than its own network as a network of their own.

    Fed otherwise is with another number of samples at once, or with sizes that were left open, and so taken as 1. A
    file made for other sizes keeps its place: what is faster and answers worse for it is a choice.
    """
    own = [variant for variant in variants if not variant.kin.network]
    batches = Counter(_batch(variant) for variant in own)
    head = max(own, key=lambda variant: (not variant.open_inputs, batches[_batch(variant)]), default=None)
    names: dict[object, str] = {}

    def placed(variant: Variant) -> Variant:
        why = "" if head is None or variant.kin.network else _otherwise(head, variant)
        if head is None or not why:
            return variant
        network = names.setdefault(_sizes(variant), variant.name)
        update = {"network": network, "because": f"fed otherwise than {head.name}: {why}"}
        return variant.model_copy(update={"kin": variant.kin.model_copy(update=update)})

    return tuple(map(placed, variants))


def _otherwise(head: Variant, variant: Variant) -> str:
    """What differs in what is fed, in words; "" = nothing, or sizes that the files were made for."""
    if _sizes(head) == _sizes(variant):
        return ""
    if variant.open_inputs:
        sizes = " instead of ".join(text_of(one.fed or ()) for one in (variant, head))
        return f"the size of {', '.join(variant.open_inputs)} is left open, so it takes {sizes}"
    mine, its = _batch(variant), _batch(head)
    if mine == its:
        return ""
    return f"batch {mine} instead of {its}, so its time is that of {counted(mine, 'sample')}"


def _sizes(variant: Variant) -> tuple[tuple[int, ...], ...]:
    """What is fed, whatever the order of axes and tensors, which formats choose by themselves."""
    return tuple(sorted(tuple(sorted(size for size in shape if size != 1)) for shape in variant.fed or ()))


def _batch(variant: Variant) -> int:
    """How many samples are fed at once: the first axis of the first input that has more than one."""
    return next((shape[0] for shape in variant.fed or () if len(shape) > 1), 1)


def text_of(shapes: Shapes) -> str:
    """Shapes in words, such as 1×224×224×3."""
    return ", ".join("×".join(map(str, shape)) or "1" for shape in shapes)
