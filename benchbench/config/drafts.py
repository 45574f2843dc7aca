"""Matrices that benchbench writes: model files as families, and the text of the matrix that measures them."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchbench.config.matrix import Matrix, matrix_of
from benchbench.config.matrix_file import RANDOM
from benchbench.config.toml_text import toml_key, toml_value
from benchbench.runtimes import SUFFIXES, runtime_of, runtime_of_file
from benchbench.values.errors import InputError

LONGEST_NAME = 80
SOURCE = "command line"  # what complaints about a matrix name that is in no file
HEADING = "Written by `benchbench run` for models that were named without a matrix: run it again as any other."
# Where a file's name begins to tell one variant from another: at the first word for a scheme.
_SCHEME = re.compile(
    r"(?:^|(?<=.)[._-])(?:float(?:16|32)?|fp?(?:16|32)|bfloat16|half|u?int\d+(?:x\d+)?|dynamic|weight[_-]only"
    r"|full[_-]integer|integer|quant|quantized|qat|ptq|drq|edgetpu)(?![A-Za-z0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FamilyDraft:
    """Files that are named as the variants of one model: name of the variant -> its file."""

    name: str
    variants: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured of models that are named without a matrix; `dataset` is a path, or "random"."""

    devices: Sequence[str] | None = None  # None = all that answer
    delegates: Sequence[str] = ()  # none = the usual one of each runtime
    threads: Sequence[int] = (1,)
    measure: Mapping[str, object] = field(default_factory=dict)  # keys of [measure]
    dataset: str | Path | None = None


def matrix_of_models(models: Sequence[str | Path], asked: Asked) -> Matrix:
    """The matrix that model files stand for. Raises InputError for what is no model, or cannot be asked for."""
    from benchbench.runtimes.models import inspect  # reads flatbuffers: slow to import

    if not models:
        raise InputError("no model is named", remedy=f"name {' or '.join(SUFFIXES)} files")
    infos = {path: inspect(path) for path in dict.fromkeys(Path(model) for model in models)}
    usual = dict.fromkeys(runtime_of(info.format).usual_backend for info in infos.values())
    drafts = families({path: info.scheme for path, info in infos.items()})
    asked = replace(asked, delegates=asked.delegates or tuple(usual))
    return matrix_of(matrix_text(drafts, asked, HEADING), SOURCE)


def families(schemes: Mapping[Path, str]) -> tuple[FamilyDraft, ...]:
    """Model files (with the scheme that each has) as families, by their names: net_int8 and net_float32 are two
    variants of net, net_int8.onnx is its int8.onnx. Variants of one name, as old/net and new/net, are told apart by
    their folders.
    """
    grouped: dict[str, list[tuple[str, Path]]] = {}
    for path, scheme in schemes.items():
        family, variant = _names(path)
        ending = runtime_of_file(path).name_ending
        grouped.setdefault(family, []).append(((variant or scheme) + ending, path))
    return tuple(FamilyDraft(family, _told_apart(named)) for family, named in grouped.items())


def _names(path: Path) -> tuple[str, str]:
    """The family and the variant that a file's name tells; "" for a variant that it does not."""
    word = _SCHEME.search(path.stem)
    family, variant = (path.stem[: word.start()], path.stem[word.start() :]) if word else (path.stem, "")
    family = re.sub(r"[^A-Za-z0-9_-]+", "-", family or path.absolute().parent.name)
    return family.strip("_-")[:LONGEST_NAME] or "model", _variant_name(variant)


def _variant_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:LONGEST_NAME]


def _told_apart(named: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    if len({name for name, _ in named}) < len(named):
        named = [(_variant_name(f"{path.absolute().parent.name}-{name}"), path) for name, path in named]
    times = Counter(name for name, _ in named)
    numbered = enumerate(named, 1)
    return {f"{name}-{number}" if times[name] > 1 else name: path for number, (name, path) in numbered}


def matrix_text(drafts: Sequence[FamilyDraft], asked: Asked, heading: str) -> str:
    """matrix.toml for what was asked, with absolute paths, so that it can be run from anywhere."""
    return "\n".join(
        [
            f"# {heading}",
            f"name = {toml_value(run_name(drafts))}",
            *([] if asked.devices is None else [f"devices = {toml_value(asked.devices)}"]),
            f"threads = {toml_value(asked.threads)}",
            f"delegates = {toml_value(asked.delegates)}",
            *(line for draft in drafts for line in _model_lines(draft, asked.dataset)),
            *(["", "[measure]"] if asked.measure else []),
            *(f"{key} = {toml_value(value)}" for key, value in asked.measure.items()),
            "",
        ]
    )


def run_name(drafts: Sequence[FamilyDraft]) -> str:
    """What a run of families is called: by the first few of them."""
    names = [draft.name for draft in drafts]
    return (" ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""))[:LONGEST_NAME]


def _model_lines(draft: FamilyDraft, dataset: str | Path | None) -> list[str]:
    inputs = dataset if dataset in {None, RANDOM} else Path(str(dataset)).absolute()
    return [
        "",
        "[[model]]",
        f"family = {toml_value(draft.name)}",
        *([] if inputs is None else [f"dataset = {toml_value(inputs)}"]),
        "",
        "[model.variants]",
        *(variant_line(name, path.absolute()) for name, path in draft.variants.items()),
    ]


def variant_line(name: str, path: Path) -> str:
    """A variant under [model.variants], where a path is read as a glob. Raises InputError for what no text can hold."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: its name is not UTF-8, and a matrix is", remedy="rename it") from error
    return f"{toml_key(name)} = {toml_value(glob.escape(path.as_posix()))}"
