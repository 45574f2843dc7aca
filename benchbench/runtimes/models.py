"""Model files of any format: what is in one, and a set of them as the variants of one family."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from benchbench.runtimes import FORMATS, RUNTIMES, Runtime, runtime_of, runtime_of_file
from benchbench.values.case import Kin, Variant
from benchbench.values.errors import InputError
from benchbench.values.model import ModelInfo


def inspect(path: str | Path) -> ModelInfo:
    """What is in a model file: scheme, inputs, outputs, operators, size.

    Raises InputError when it cannot be read, or is no model of the format that its name says.
    """
    path = Path(path)
    with suppress(OSError):  # the runtime says what is wrong with it
        found = path.stat()
        return _inspected(path, (found.st_ino, found.st_size, found.st_mtime_ns))
    return runtime_of_file(path).inspect(path)


@lru_cache(maxsize=256)
def _inspected(path: Path, _: tuple[int, ...]) -> ModelInfo:
    """A file as long as it stays the same: a plan and its evaluation look into each several times."""
    return runtime_of_file(path).inspect(path)


def quantizing(source: Path, model_format: str | None) -> Runtime:
    """The runtime whose format a family is made in: the one asked for, the source's own, or the first that makes any.

    Raises InputError for a format that nothing is made in.
    """
    able = {runtime.format: runtime for runtime in RUNTIMES if runtime.schemes}
    if model_format is not None and model_format not in able:
        remedy = f"the formats are {', '.join(able)}"
        raise InputError(f"no family is made of .{model_format} files", remedy=remedy)
    own = next((runtime for runtime in able.values() if source.suffix.lower() in runtime.suffixes), None)
    return able[model_format] if model_format else own or next(iter(able.values()))


def info_of(variant: Variant) -> ModelInfo:
    """What is in a variant's file, by the signature that was chosen."""
    info = inspect(variant.path)
    return info.entered_by(variant.signature.key) if variant.signature else info


def variants(family: str, paths: Iterable[str | Path], names: Iterable[str] | None = None) -> tuple[Variant, ...]:
    """Inspect the files of a family, in the order given, called by `names` or each by its own file.

    Raises InputError for what is no model, for the same bytes twice, and for two of the same name.
    """
    infos = [inspect(path) for path in paths]
    called = [name_from_file(family, info) for info in infos] if names is None else list(names)
    contents = [(f"{info.sha256} {info.data}", info.path) for info in infos]
    _refuse_twins("the same bytes", contents, "leave one out")
    rename = 'rename one of the files, or name them in the matrix: variants = { NAME = "FILE", … }'
    _refuse_twins("the same name", [(name, info.path) for name, info in zip(called, infos, strict=True)], rename)
    made = (variant_of(info, family, name) for name, info in zip(called, infos, strict=True))
    kin = _kinships(infos, called)
    return tuple(variant.model_copy(update={"kin": its}) for variant, its in zip(made, kin, strict=True))


def formats_of(variants: Iterable[Variant]) -> tuple[str, ...]:
    """The formats of variants, each once, in the order of the registry."""
    found = {variant.format for variant in variants}
    return tuple(name for name in FORMATS if name in found)


def _kinships(infos: Sequence[ModelInfo], names: Sequence[str]) -> list[Kin]:
    """How each file belongs to the family; one of which nothing is known belongs to it."""
    if len(infos) < 2:
        return [Kin() for _ in infos]
    from benchbench.runtimes.kinship import kinships

    read = [runtime_of(info.format).contents(info, name) for info, name in zip(infos, names, strict=True)]
    known = iter(kinships([contents for contents in read if contents is not None]))
    return [Kin() if contents is None else next(known) for contents in read]


def variant_of(info: ModelInfo, family: str, name: str) -> Variant:
    """The variant that an inspected file is."""
    return Variant(
        family=family,
        format=info.format,
        name=name,
        scheme=info.scheme,
        path=info.path,
        sha256=info.sha256,
        data=info.data,
        size_mb=info.size_mb,
        nodes=info.nodes,
        custom_ops=() if info.compiled_for else info.custom_ops,
        flex_ops=info.flex_ops,
        fed=info.shapes,
        open_inputs=tuple(tensor.name for tensor in info.inputs if tensor.open),
        signatures=tuple(signature.key for signature in info.signatures),
    )


def name_from_file(family: str, info: ModelInfo) -> str:
    """The stem of the file without the family's name at its beginning or end; its scheme where nothing is left.

    It depends on this file alone: a case keeps its id whatever other files its family has. It ends as the file does
    where its runtime tells so, so that one network in two formats has two names. Of letters, digits, '.', '_' and '-'.
    """
    word = re.escape(family)
    stem = re.sub(rf"^{word}(?![A-Za-z0-9])|(?<![A-Za-z0-9]){word}$", "", Path(info.path).stem, flags=re.IGNORECASE)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("._-") or info.scheme
    return name + runtime_of(info.format).name_ending


def _refuse_twins(what: str, keyed: list[tuple[str, str]], remedy: str) -> None:
    first: dict[str, str] = {}
    for key, path in keyed:
        if key in first:
            twice = f"{path} is there twice" if first[key] == path else f"{first[key]} and {path} have {what}"
            raise InputError(f"{twice} in one family", remedy=remedy)
        first[key] = path


def family_remarks(variants: Sequence[Variant]) -> tuple[str, ...]:
    """What a person must know of families that are not one network, a sentence each."""
    found = []
    for variant in variants:
        kin = variant.kin
        if kin.network:
            found.append(
                f"{variant.id}: {kin.because}: it is not compared with the others (give it a [[model]] of its own)"
            )
        elif kin.relation != "same":
            found.append(
                f"{variant.id}: {kin.relation} ({kin.because}): it may answer otherwise, so it is compared by accuracy "
                "on labels, and not by likeness"
            )
    return tuple(found)
