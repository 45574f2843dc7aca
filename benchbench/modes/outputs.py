"""Outputs: what a case answers to the samples of a dataset, through the very path that is timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchbench.accuracy.collect import with_benchmark_model, with_script
from benchbench.accuracy.collect.chunks import Chunks
from benchbench.accuracy.collect.launch_sequence import Evaluated, LaunchSequence
from benchbench.accuracy.collect.with_benchmark_model import BATCHED
from benchbench.accuracy.feeding import input_shapes
from benchbench.accuracy.outputs import write_outputs
from benchbench.accuracy.tensors import channels_first
from benchbench.config.matrix import Matrix
from benchbench.config.matrix_file import NATIVE_SAMPLES
from benchbench.device.agent import folder_name
from benchbench.modes import caches
from benchbench.modes.base import Attempt, Launches
from benchbench.modes.launch import outcome_of, required, transcript
from benchbench.runtimes import runtime_of
from benchbench.runtimes.models import info_of
from benchbench.values.case import Case
from benchbench.values.device import RunnerKind
from benchbench.values.errors import Unsupported
from benchbench.values.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Outputs:
    """One trial a device, variant and delegate after all rounds: the number of threads does not change outputs."""

    name: str = "accuracy"
    among_rounds: bool = False

    def passes(self, matrix: Matrix) -> Sequence[int]:
        return (0,) if matrix.datasets else ()

    def cases(self, cases: Sequence[Case], matrix: Matrix) -> Sequence[Case]:
        first: dict[tuple[str, str], Case] = {}
        for case in cases:
            if case.variant.family in matrix.datasets and case.variant.id not in matrix.unfed:
                first.setdefault((case.variant.id, case.delegate.label), case)
        return tuple(first.values())

    def launches(self, case: Case, matrix: Matrix, runner: RunnerKind) -> Launches | None:
        """Where each launch is fed by itself at most a batch in vain, then one by one."""
        if runner not in runtime_of(case.variant.format).fed_by_launch:
            return None
        family = case.variant.family
        most = matrix.native_samples.get(family, NATIVE_SAMPLES)
        samples = min(most, matrix.samples.get(family, most))
        most = samples if samples <= BATCHED else samples + BATCHED - 1
        return Launches(min(most, BATCHED), most)

    def perform(self, attempt: Attempt) -> Outcome:
        """Here a trial is many launches; what each has left is kept, and not made again by another attempt."""
        trial, journal = attempt.trial, attempt.context.journal
        name = folder_name(trial.id)
        folder = journal.folder / "outputs" / name
        launches = LaunchSequence(attempt.session, attempt.runner, trial.id, Chunks(folder / "parts"))
        with caches.prepared(attempt) as ready:
            found, count = _evaluate(replace(attempt, spec=ready.spec), launches)
        reading = required(found.reading, trial, attempt.context.measure)
        said = [f"== {label} ==\n".encode() + transcript(*told) for label, told in found.said.items()]
        update: dict[str, object] = {"log": journal.write_log(trial.id, b"\n".join(said)), "samples": count}
        if found.outputs:
            write_outputs(folder / "outputs.npz", found.outputs)
            update["outputs"] = f"outputs/{name}"
        launches.parts.remove()
        return outcome_of(attempt, reading, found.result, found.seen).model_copy(update=update)

    def headline(self, outcome: Outcome) -> str:
        return "outputs taken"


def _evaluate(attempt: Attempt, launches: LaunchSequence) -> tuple[Evaluated, int | None]:
    """The outputs, and of how many samples at most they are; None = of all."""
    variant, context = attempt.trial.case.variant, attempt.context
    info, shards = info_of(variant), context.samples[variant.id]
    if attempt.runner.evaluates:
        found = with_script.evaluate(
            launches,
            attempt.spec,
            shards,
            attempt.progress,
            state=info.state,
            channels_first=channels_first(input_shapes(variant)),
        )
        return found, None
    if reason := with_benchmark_model.obstacle(attempt.runner, info, variant.inputs):
        raise Unsupported(reason, remedy=attempt.runner.outputs_remedy)
    dataset = shards.dataset.first(context.native_samples.get(variant.family, NATIVE_SAMPLES))
    return with_benchmark_model.evaluate(launches, attempt.spec, info, dataset, attempt.progress), dataset.n
