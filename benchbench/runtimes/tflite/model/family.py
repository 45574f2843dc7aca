"""A set of .tflite files as the variants of one model family."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from benchbench.runtimes.tflite.model.inspect import ModelInfo, inspect
from benchbench.runtimes.tflite.model.kinship import kinships
from benchbench.values.case import Variant
from benchbench.values.errors import InputError


def variants(family: str, paths: Iterable[str | Path], names: Iterable[str] | None = None) -> tuple[Variant, ...]:
    """Inspect the files of a family, in the order given, called by `names` or each by its own file.

    Raises InputError for what is no model, for the same bytes twice, and for two of the same name.
    """
    infos = [inspect(path) for path in paths]
    called = [name_from_file(family, info) for info in infos] if names is None else list(names)
    _refuse_twins("the same bytes", [(info.sha256, info.path) for info in infos], "leave one out")
    rename = 'rename one of the files, or name them in the matrix: variants = { NAME = "FILE", … }'
    _refuse_twins("the same name", [(name, info.path) for name, info in zip(called, infos, strict=True)], rename)
    made = (variant_of(info, family, name) for name, info in zip(called, infos, strict=True))
    kin = kinships(infos, called)
    return tuple(variant.model_copy(update={"kin": its}) for variant, its in zip(made, kin, strict=True))


def info_of(variant: Variant) -> ModelInfo:
    """What is in a variant's file, by the signature that was chosen."""
    info = inspect(variant.path)
    return info.entered_by(variant.signature.key) if variant.signature else info


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


def name_from_file(family: str, info: ModelInfo) -> str:
    """The stem of the file without the family's name at its beginning or end; its scheme where nothing is left.

    It depends on this file alone: a case keeps its id whatever other files its family has. Of letters, digits, '.', '_'
    and '-'.
    """
    word = re.escape(family)
    stem = re.sub(rf"^{word}(?![A-Za-z0-9])|(?<![A-Za-z0-9]){word}$", "", Path(info.path).stem, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("._-") or info.scheme


def _refuse_twins(what: str, keyed: list[tuple[str, str]], remedy: str) -> None:
    first: dict[str, str] = {}
    for key, path in keyed:
        if key in first:
            raise InputError(f"{first[key]} and {path} have {what} in one family", remedy=remedy)
        first[key] = path
