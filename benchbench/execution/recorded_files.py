"""The files that a run began with, where they are now: at their path, or in its folder's models/ by their digest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.accuracy.scoring import compared_with
from benchbench.config.matrix_file import RANDOM
from benchbench.device.store import sha256_of
from benchbench.modes import takes_outputs
from benchbench.plan import Plan
from benchbench.run_folder.manifest import DatasetRecord, Manifest
from benchbench.values.account import expanded
from benchbench.values.case import Variant
from benchbench.values.errors import InputError
from benchbench.values.formatting import counted

MODELS = "models"
DIGITS = 12  # of a digest, where a person reads it
Kept = Mapping[str, Sequence[Path]]  # by digest


@dataclass(frozen=True, slots=True)
class Found:
    """The manifest with the files where they are now; of its variants and datasets those that were found and wanted."""

    manifest: Manifest
    variants: tuple[Variant, ...]
    datasets: tuple[DatasetRecord, ...]


def found_files(manifest: Manifest, folder: Path, plan: Plan) -> Found:
    """The files that the trials of `plan` take, and what their outputs are compared with.

    Raises InputError that names all which are neither at their path nor in `folder`/models/, and where to put them.
    """
    kept, missing = _kept(folder), dict[str, str]()
    answering = {trial.case.variant.id for trial in plan.trials if takes_outputs(trial.purpose)}
    why = {trial.case.variant.id: "" for trial in plan.trials if trial.of_matrix}
    variants, datasets = dict[str, Variant](), dict[str, DatasetRecord]()
    optional: set[str] = set()  # they may tell what samples should be like
    for record in manifest.datasets:
        kin = [variant for variant in manifest.variants if variant.family == record.family]
        asked = [variant for variant in kin if variant.id in answering]
        if asked:
            optional |= {variant.id for variant in kin}
            why = _for_outputs(record, asked, kin) | why
            datasets[record.family] = _moved_dataset(record, folder, kept, missing)
    for variant in manifest.variants:
        if variant.id in why or variant.id in optional:
            if place := _place(variant, kept):
                variants[variant.id] = variant.model_copy(update={"path": str(place)})
            elif variant.id in why:
                missing |= {path: said + why[variant.id] for path, said in _lost(variant, kept).items()}
    if missing:
        raise _not_there(missing, folder)
    now = manifest.model_copy(
        update={
            "variants": tuple(variants.get(variant.id, variant) for variant in manifest.variants),
            "datasets": tuple(datasets.get(record.family, record) for record in manifest.datasets),
        }
    )
    return Found(now, tuple(variants.values()), tuple(datasets.values()))


def _for_outputs(record: DatasetRecord, asked: Sequence[Variant], kin: Sequence[Variant]) -> dict[str, str]:
    """The files of a family that outputs take beside those that give them, and what for."""
    if record.dataset == RANDOM:
        return {variant.id: "; its family's samples are made by what each file says of its inputs" for variant in kin}
    compared = (compared_with(variant, kin) for variant in asked)
    return {variant.id: "; outputs are compared with it" for variant in compared if variant is not None}


def _kept(folder: Path) -> Kept:
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted((folder / MODELS).rglob("*")):
        if path.is_file():
            found[sha256_of(path)].append(path.absolute())
    return found


def _place(variant: Variant, kept: Kept) -> Path | None:
    """Where a model is with its data beside it."""
    whole = (place for place in _models(variant, kept) if not _lost_data(variant, place))
    return next(whole, None)


def _lost(variant: Variant, kept: Kept) -> dict[str, str]:
    """Which of its files are not there, with what there is to say of each."""
    own, models = expanded(variant.path, variant.id), _models(variant, kept)
    lost = {} if models else {variant.path: _digest(own, variant.sha256)}
    return lost | _lost_data(variant, models[0] if models else own)


def _models(variant: Variant, kept: Kept) -> list[Path]:
    own = expanded(variant.path, variant.id)
    alike = (path for path in kept.get(variant.sha256, ()) if path.suffix.lower() == own.suffix.lower())
    return [path for path in (own, *alike) if _is(path, variant.sha256)]


def _lost_data(variant: Variant, model: Path) -> dict[str, str]:
    """Which of the files that it names are not beside a model."""
    beside = {file: model.parent / file.name for file in variant.data}
    gone = {path: file.sha256 for file, path in beside.items() if not _is(path, file.sha256)}
    return {str(path): f"{_digest(path, sha256)}; beside its model" for path, sha256 in gone.items()}


def _moved_dataset(record: DatasetRecord, folder: Path, kept: Kept, missing: dict[str, str]) -> DatasetRecord:
    """With the path at which it is now, a folder by its name; what is not there is added to `missing`."""
    if record.dataset == RANDOM or record.sha256 is None:
        return record
    own = expanded(record.dataset, record.family)
    places = [own, *(path for path in kept.get(record.sha256, ()) if path.suffix == ".npz"), folder / MODELS / own.name]
    for place in places:
        if place.is_dir() or _is(place, record.sha256):
            return record.model_copy(update={"dataset": str(place.absolute())})
    described = "; with the .toml beside it that says its preprocessing" if record.preprocessing else ""
    missing[record.dataset] = _digest(own, record.sha256) + described
    return record


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _digest(path: Path, sha256: str) -> str:
    return f"sha256 {sha256[:DIGITS]}…" + ("; another file is there" if path.is_file() else "")


def _not_there(missing: Mapping[str, str], folder: Path) -> InputError:
    named = ", ".join(f"{path} ({said})" for path, said in missing.items())
    number = counted(len(missing), "file")
    be = "is" if len(missing) == 1 else "are"
    return InputError(
        f"{folder}: {number} that the run began with {be} not there: {named}",
        remedy=f"put each at its path, or into {folder / MODELS}/ under any name that ends alike",
    )
