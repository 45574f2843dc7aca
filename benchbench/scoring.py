"""Accuracy of a run: inputs made ready before it, outputs scored after it, so that scoring disturbs no trial."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbench.accuracy.classes import NAMES, class_names, write_classes
from benchbench.accuracy.datasets import Dataset, load, seeded
from benchbench.accuracy.outputs import Output, kept_in, read_outputs, write_outputs
from benchbench.accuracy.reference import reference_outputs
from benchbench.accuracy.scores import classified, score
from benchbench.accuracy.shards import Shards, cut
from benchbench.case import Variant
from benchbench.errors import BenchbenchError, InputError
from benchbench.journal import Journal, read_manifest, read_outcomes, slug
from benchbench.matrix import NATIVE_SAMPLES
from benchbench.models.inspect import inspect
from benchbench.models.packed import packed_labels
from benchbench.outcome import Outcome

RANDOM = "random"  # instead of a dataset's path: seeded inputs, to compare outputs with the reference
RANDOM_SAMPLES = 32
REFERENCE_SECONDS = 120.0  # reference kernels are slow, and hundreds of samples tell enough


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a matrix asks for one model family: a dataset's path or `RANDOM`, and how many samples of it."""

    family: str
    dataset: str
    samples: int | None
    seed: int
    native_samples: int = NATIVE_SAMPLES  # at most, through benchmark_model


def load_dataset(wanted: Wanted, variants: Sequence[Variant]) -> Dataset:
    """The samples for a family, checked against its model; raises InputError with one line."""
    info = inspect((reference_variant(variants) or variants[0]).path)
    described = variants[0].inputs  # what the matrix says of the inputs, the same for all of a family
    shapes = [spec.shape for spec in described] or [tensor.shape for tensor in info.inputs]
    inputs = [t.model_copy(update={"shape": shape}) for t, shape in zip(info.inputs, shapes, strict=True)]
    if wanted.dataset == RANDOM:
        ranges = [spec.range for spec in described] or None
        return seeded(inputs, wanted.samples or RANDOM_SAMPLES, wanted.seed, ranges)
    classes = info.outputs[0].shape[-1] if len(info.outputs) == 1 and info.outputs[0].shape else None
    return load(Path(wanted.dataset), inputs, classes=classes).first(wanted.samples)


def reference_variant(variants: Sequence[Variant]) -> Variant | None:
    """What the files of a family are compared with: its float32 file, else the finest that a CPU can run."""
    order = {"float32": 0, "float16": 1}
    runnable = [variant for variant in variants if not variant.edgetpu]
    return min(runnable, key=lambda variant: order.get(variant.scheme, len(order)), default=None)


def cut_up(datasets: Mapping[str, Dataset], folder: Path) -> dict[str, Shards]:
    """Each family's samples in the form that travels, in the run folder for as long as they are needed."""
    return {family: cut(dataset, folder / "samples" / slug(family)) for family, dataset in datasets.items()}


def score_run(
    journal: Journal, datasets: Mapping[str, Dataset], variants: Sequence[Variant], say: Callable[[str], None]
) -> None:
    """Score all outputs that were taken back and have no score yet; each is journalled as an outcome of its trial.

    `say` hears what is under way; it can take minutes.
    """
    outcomes = latest(journal.folder)
    waiting = unscored(outcomes)
    families = {f"{v.family}.{v.name}": v.family for v in variants}
    references: dict[str, Sequence[Output] | None] = {}
    for outcome in waiting:
        family = families[outcome.variant]
        if family not in references:
            own = [variant for variant in variants if variant.family == family]
            references[family], remark = _reference(own, datasets[family], journal.folder, say)
            if remark:
                journal.note(remark)
                say(f"note: {remark}")
            count = sum(families[o.variant] == family for o in waiting)
            say(f"{family}: scoring {count} case{'s' if count != 1 else ''} …")
        journal.append(
            off_the_timed_path(outcome, outcomes)
            or _scored(outcome, journal.folder, datasets[family], references[family])
        )


def latest(folder: Path) -> tuple[Outcome, ...]:
    """The last outcome of every trial."""
    return tuple({outcome.trial: outcome for outcome in read_outcomes(folder)}.values())


def unscored(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Those whose outputs were taken back and have no score yet."""
    return tuple(o for o in outcomes if o.outputs and o.status == "ok" and not o.accuracy)


def off_the_timed_path(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome | None:
    """The outcome as a failure where its outputs were made by other means than what was timed."""
    own = [o for o in outcomes if o.case == outcome.case and o.purpose == "latency" and o.status == "ok"]
    timed = {o.delegation.verdict for o in own}
    verdict = outcome.delegation.verdict
    if not timed or verdict in timed:
        return None
    why = f"outputs did not come from the path that was timed: their delegation is {verdict}, timed: {min(timed)}"
    return outcome.model_copy(update={"status": "failed", "error": why})


def _reference(
    variants: Sequence[Variant], dataset: Dataset, folder: Path, say: Callable[[str], None]
) -> tuple[Sequence[Output] | None, str]:
    """The outputs that others are compared with, and a remark on them.

    They are kept in the run folder: what is scored later is compared with the same.
    """
    variant = reference_variant(variants)
    if variant is None:
        return None, f"{variants[0].family}: no file that runs on a CPU, so outputs are not compared with a reference"
    kept = folder / "outputs" / f"reference.{slug(variant.family)}.npz"
    try:
        if kept.is_file():
            return read_outputs(kept), ""
        say(f"{variant.family}: the reference runs on this host, for {REFERENCE_SECONDS:g} s at most …")
        with tempfile.TemporaryDirectory(prefix="benchbench-") as shards:
            pieces = cut(dataset, Path(shards))
            reference = reference_outputs(Path(variant.path), pieces, at_most_seconds=REFERENCE_SECONDS)
        new = kept.with_suffix(".new.npz")
        write_outputs(new, reference.outputs)
        new.replace(kept)
    except BenchbenchError as error:
        return None, str(error)
    stands_in = f"the reference of {variant.family}, which has no float32 file" * (variant.scheme != "float32")
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
    ids = {f"{record['family']}.{record['name']}": record for record in manifest["variants"]}
    family = ids[outcome.variant]["family"]
    kin = [Path(record["path"]) for record in manifest["variants"] if record["family"] == family]
    models = [path for path in [Path(ids[outcome.variant]["path"]), *kin] if path.is_file()]
    given = next((record["dataset"] for record in manifest["datasets"] if record["family"] == family), RANDOM)
    source = None if given == RANDOM else Path(given)
    beside = [path.with_name(NAMES) for path in [*([source] if source and source.is_file() else []), *models]]
    packed = (names for path in models for names in packed_labels(path.read_bytes())[1].values())
    offset = dataset.preprocessing.label_offset if dataset.preprocessing else 0
    return class_names(classes, packed, beside, source, offset)
