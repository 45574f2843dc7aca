"""A set of .tflite files as the variants of one model family."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from benchbench.case import Variant
from benchbench.errors import InputError
from benchbench.models.inspect import ModelInfo, inspect
from benchbench.models.kinship import kinships


def variants(family: str, paths: Iterable[str | Path]) -> tuple[Variant, ...]:
    """Inspect the files of a family, in the order given; names are unique in it.

    A variant is called by its scheme where only one file has that scheme, else by its file: the stem without the
    family's name and what the names of all files begin with. Raises InputError for what is no model, for the same
    bytes twice, and for two of the same name.
    """
    infos = [inspect(path) for path in paths]
    schemes = Counter(info.scheme for info in infos)
    stems = [Path(info.path).stem for info in infos]
    shared = _shared_beginning(stems) if len(stems) > 1 else ""
    named = [
        (info.scheme if schemes[info.scheme] == 1 else name_from_file(family, info, shared), info) for info in infos
    ]
    _refuse_twins("the same bytes", [(info.sha256, info.path) for info in infos], "leave one out")
    _refuse_twins("the same name", [(name, info.path) for name, info in named], "rename one of the files")
    kin = kinships([info for _, info in named], [name for name, _ in named])
    made = (variant_of(info, family, name) for name, info in named)
    return tuple(variant.model_copy(update={"kin": its}) for variant, its in zip(made, kin, strict=True))


def variant_of(info: ModelInfo, family: str, name: str) -> Variant:
    """The variant that an inspected file is."""
    return Variant(
        family=family,
        name=name,
        scheme=info.scheme,
        path=info.path,
        sha256=info.sha256,
        size_mb=info.size_mb,
        nodes=info.nodes,
        custom_ops=() if info.compiled_for else info.custom_ops,
        flex_ops=info.flex_ops,
        open_inputs=tuple(tensor.name for tensor in info.inputs if tensor.open),
        signatures=tuple(signature.key for signature in info.signatures),
    )


def _shared_beginning(stems: list[str]) -> str:
    """What all of several names begin with, in whole words."""
    pairs = zip(min(stems), max(stems), strict=False)
    same = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return re.sub(r"[^._-]*$", "", same)


def name_from_file(family: str, info: ModelInfo, shared: str = "") -> str:
    """The stem of the file without `shared` and the family's name in front; of letters, digits, '.', '_' and '-'."""
    stem = Path(info.path).stem.removeprefix(shared).removeprefix(family).lstrip("._-")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or info.scheme


def _refuse_twins(what: str, keyed: list[tuple[str, str]], remedy: str) -> None:
    first: dict[str, str] = {}
    for key, path in keyed:
        if key in first:
            raise InputError(f"{first[key]} and {path} have {what} in one family", remedy=remedy)
        first[key] = path
