"""Accuracy of a run: inputs made ready before it, outputs scored after it, so that scoring disturbs no trial."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchbench.accuracy.classes import NAMES, class_names, write_classes
from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.feeding import input_shapes, reference_variant
from benchbench.accuracy.outputs import Output, kept_in, read_outputs, write_outputs
from benchbench.accuracy.reference import Entry, reference_outputs
from benchbench.accuracy.scores import classified, score
from benchbench.accuracy.shards import Shards, cut
from benchbench.accuracy.tensors import channels_first
from benchbench.config.matrix_file import RANDOM
from benchbench.run_folder.journal import Journal, read_outcomes
from benchbench.run_folder.manifest import read_manifest
from benchbench.run_folder.names import slug
from benchbench.runtimes import runtime_of
from benchbench.runtimes.models import info_of, inspect
from benchbench.values.case import Variant
from benchbench.values.errors import BenchbenchError, InputError
from benchbench.values.outcome import Outcome

REFERENCE_SECONDS = 120.0  # reference kernels are slow, and hundreds of samples tell enough


def cut_up(datasets: Mapping[str, Dataset], folder: Path) -> dict[str, Shards]:
    """Each variant's samples in the form that travels, in the run folder for as long as they are needed."""
    made: dict[int, Shards] = {}
    for variant, dataset in datasets.items():
        if id(dataset) not in made:
            made[id(dataset)] = cut(dataset, folder / "samples" / slug(variant))
    return {variant: made[id(dataset)] for variant, dataset in datasets.items()}


def score_run(
    journal: Journal, datasets: Mapping[str, Dataset], variants: Sequence[Variant], say: Callable[[str], None]
) -> None:
    """Score all outputs that were taken back and have no score yet; each is journalled as an outcome of its trial.

    `datasets` are by variant. `say` hears what is under way; it can take minutes.
    """
    outcomes = latest(journal.folder)
    by_id = {variant.id: variant for variant in variants}
    waiting = [outcome for outcome in unscored(outcomes) if outcome.variant in by_id]
    references: dict[str, Sequence[Output] | None] = {}
    announced: set[str] = set()
    for outcome in waiting:
        variant, dataset = by_id[outcome.variant], datasets[outcome.variant]
        reference = compared_with(variant, [other for other in variants if datasets.get(other.id) is dataset])
        name = reference.id if reference else variant.family
        if name not in references:
            references[name], remark = _reference(reference, variant.family, dataset, journal.folder, say)
            if remark:
                journal.note(remark)
                say(f"note: {remark}")
        if variant.family not in announced:
            announced.add(variant.family)
            count = sum(by_id[o.variant].family == variant.family for o in waiting)
            say(f"{variant.family}: scoring {count} case{'s' if count != 1 else ''} …")
        journal.append(
            off_the_timed_path(outcome, outcomes) or _scored(outcome, journal.folder, dataset, references[name])
        )


def compared_with(variant: Variant, alike: Sequence[Variant]) -> Variant | None:
    """The file whose outputs a variant's should be: the finest of the same weights among those with the same samples.

    What was trained again or pruned may answer otherwise than its origin, so its own file is its reference.
    """
    if variant.kin.relation in {"same", "resized"}:
        alike = [other for other in alike if _branch(other) == _branch(variant)]
    else:
        alike = [variant]
    return reference_variant(alike)


def _branch(variant: Variant) -> tuple[str, str, str]:
    return variant.family, variant.kin.network, variant.kin.relation


def latest(folder: Path) -> tuple[Outcome, ...]:
    """The last outcome of every trial."""
    return tuple({outcome.trial: outcome for outcome in read_outcomes(folder)}.values())


def unscored(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Those whose outputs were taken back and have no score yet."""
    return tuple(o for o in outcomes if o.outputs and o.status == "ok" and not o.accuracy)


def off_the_timed_path(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """The outcome as a failure where its outputs were made by other means than what was timed."""
    own = [o for o in outcomes if o.case == outcome.case and o.timed and o.status == "ok"]
    timed = {o.delegation.verdict for o in own}
    verdict = outcome.delegation.verdict
    if not timed or verdict in timed:
        return None
    why = f"outputs did not come from the path that was timed: their delegation is {verdict}, timed: {min(timed)}"
    return outcome.model_copy(update={"status": "failed", "error": why})


def _reference(
    variant: Variant | None, family: str, dataset: Dataset, folder: Path, say: Callable[[str], None]
) -> tuple[Sequence[Output] | None, str]:
    """The outputs that others are compared with, and a remark on them.

    They are kept in the run folder: what is scored later is compared with the same.
    """
    if variant is None:
        return None, f"{family}: no file that runs on a CPU, so outputs are not compared with a reference"
    kept = folder / "outputs" / f"reference.{slug(variant.id)}.npz"
    try:
        if kept.is_file():
            return read_outputs(kept), ""
        say(f"{variant.id}: the reference runs on this host, for {REFERENCE_SECONDS:g} s at most …")
        rebuilt = info_of(variant).state == "resources"
        entry = Entry(variant.signature, channels_first(input_shapes(variant)), rebuilt)
        kernels = runtime_of(variant.format).references(variant)
        with tempfile.TemporaryDirectory(prefix="benchbench-") as folder_of_shards:
            shards = cut(dataset, Path(folder_of_shards))
            reference = reference_outputs(Path(variant.path), shards, kernels, entry, at_most_seconds=REFERENCE_SECONDS)
        write_outputs(kept, reference.outputs)
    except BenchbenchError as error:
        return None, str(error)
    plain = variant.kin.comparable and variant.scheme != "float32"
    stands_in = f"the reference of {family}, which has no float32 file" if plain else ""
    remarks = "; ".join(filter(None, (stands_in, reference.note)))
    return reference.outputs, f"{variant.id}: {remarks}" if remarks else ""


def _scored(outcome: Outcome, folder: Path, dataset: Dataset, reference: Sequence[Output] | None) -> Outcome:
    try:
        kept = kept_in(folder, str(outcome.outputs))
        outputs = read_outputs(kept / "outputs.npz")
        dataset = dataset.first(outcome.samples)
        scores = score(dataset, outputs, reference)
        if (found := classified(dataset, outputs)) is not None:
            write_classes(kept, found, _class_names(outcome, folder, dataset, len(found.support)))
        return outcome.model_copy(update={"accuracy": scores})
    except InputError as error:
        return outcome.model_copy(update={"status": "failed", "error": error.message, "remedy": error.remedy or None})


def _class_names(outcome: Outcome, folder: Path, dataset: Dataset, classes: int) -> dict[int, str]:
    """Who the classes are: by the model's own labels, else its sibling's, else by what lies beside data and models."""
    manifest = read_manifest(folder)
    own = next(variant for variant in manifest.variants if variant.id == outcome.variant)
    kin = [Path(variant.path) for variant in manifest.variants if variant.family == own.family]
    models = [path for path in [Path(own.path), *kin] if path.is_file()]
    given = next((record.dataset for record in manifest.datasets if record.family == own.family), RANDOM)
    source = None if given == RANDOM else Path(given)
    beside = [path.with_name(NAMES) for path in [*([source] if source and source.is_file() else []), *models]]
    packed = (names for path in models for names in inspect(path).labels.values())
    offset = dataset.preprocessing.label_offset if dataset.preprocessing else 0
    return class_names(classes, packed, beside, source, offset)
