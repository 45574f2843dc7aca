"""The functions behind the commands: what `import benchbench` offers."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from benchbench.accuracy.datasets import described
from benchbench.accuracy.scoring import cut_up, latest, score_run, unscored
from benchbench.accuracy.validation import validation_of
from benchbench.config.drafts import Asked, matrix_of_models
from benchbench.config.matrix import Matrix, load_matrix
from benchbench.device.opening import Absent
from benchbench.execution.passes import around_the_race, due_trials
from benchbench.execution.planning import plan_on, with_samples
from benchbench.execution.recording import manifest_of, repeated_manifest, with_found, with_transfers
from benchbench.execution.resumption import PreparedPlan, recorded_plan, require_same_tools, resumption_of
from benchbench.execution.scheduler import Begun, Event, Noted, Scoring, Tell, execute, on_this_machine, workers
from benchbench.execution.selection import DEVICES, EVERYTHING, Selection, chosen_devices, known_devices
from benchbench.execution.waiting import Wait, some_workers
from benchbench.execution.worker import Worker
from benchbench.modes.base import RunContext
from benchbench.plan import Plan, devices_with_cases, selected
from benchbench.run_folder import journal as journals
from benchbench.run_folder.journal import Journal
from benchbench.run_folder.manifest import read_manifest
from benchbench.run_folder.names import REPORTS
from benchbench.runtimes.models import formats_of, quantizing
from benchbench.runtimes.quantizing.calibration import RAW_PIXELS, Feeding, Pixels
from benchbench.runtimes.quantizing.manifest import Family
from benchbench.runtimes.quantizing.progress import Progress
from benchbench.runtimes.quantizing.progress import silently as saying_nothing
from benchbench.runtimes.quantizing.quantizer import Quantization
from benchbench.values.atomic import atomic
from benchbench.values.device import Device
from benchbench.values.errors import Interrupted, NothingToDo

Watching = Callable[[Plan], AbstractContextManager[Tell]]


def plan_matrix(
    matrix: str | Path, *, inventory: str | Path = DEVICES, selection: Selection = EVERYTHING, probe: bool = False
) -> tuple[Plan, tuple[str, ...]]:
    """What would run, and remarks on devices; touches no device unless `probe`. Raises as `make_plan` does."""
    read = load_matrix(matrix)
    devices = (chosen_devices if probe else known_devices)(read, Path(inventory), selection)
    loaded, _, about = with_samples(read)
    if not probe:
        made, of_models = plan_on(loaded, devices, (), selection)
        return made, (
            *about,
            *of_models,
            "no device was asked: which runner and accelerators each has is seen with --probe",
        )
    wanted = devices_with_cases(loaded, devices, only=selection.only, skip=selection.skip)
    formats = formats_of(loaded.variants)
    with workers(wanted, loaded.tool, formats=formats, purpose="benchbench plan --probe") as opened:
        made, of_models = plan_on(loaded, devices, opened, selection)
        return made, (*about, *of_models, *(str(worker.error) for worker in opened if isinstance(worker, Absent)))


def silently(_: Plan) -> AbstractContextManager[Tell]:
    """Watch a run without saying anything."""

    def tell(_: Event) -> None:
        return

    return nullcontext(tell)


def run(
    matrix: str | Path,
    *,
    inventory: str | Path = DEVICES,
    reports: str | Path = REPORTS,
    selection: Selection = EVERYTHING,
    watching: Watching = silently,
    wait: Wait | None = None,
) -> Path:
    """Run a matrix file on its devices; see `run_matrix`."""
    loaded = load_matrix(matrix)
    devices = chosen_devices(loaded, Path(inventory), selection)
    return run_matrix(loaded, devices, reports=reports, selection=selection, watching=watching, wait=wait)


def run_models(
    models: Sequence[str | Path],
    *,
    devices: Sequence[str] | None = None,
    delegates: Sequence[str] = (),
    threads: Sequence[int] = (1,),
    rounds: int | None = None,
    dataset: str | Path | None = None,
    inventory: str | Path = DEVICES,
    reports: str | Path = REPORTS,
    selection: Selection = EVERYTHING,
    watching: Watching = silently,
    wait: Wait | None = None,
) -> Path:
    """Run model files without a matrix, as `run_matrix` does; the matrix that they stand for is kept in the run folder.

    `dataset` is a path, or "random". Without `devices`, all that answer are measured on; without
    `delegates`, on the usual one of each runtime.
    """
    measure = {} if rounds is None else {"rounds": rounds}
    loaded = matrix_of_models(models, Asked(devices, delegates, threads, measure, dataset))
    chosen = chosen_devices(loaded, Path(inventory), selection)
    return run_matrix(loaded, chosen, reports=reports, selection=selection, watching=watching, wait=wait)


def run_matrix(
    loaded: Matrix,
    devices: Sequence[Device],
    *,
    reports: str | Path = REPORTS,
    selection: Selection = EVERYTHING,
    watching: Watching = silently,
    wait: Wait | None = None,
) -> Path:
    """Run a matrix on devices, all at once; the run folder, complete but for its report.

    Devices of which no case is selected are left alone. A device that the matrix names and that cannot be reached fails
    its trials; where the matrix names none, its cases are skipped, as are those of the second of two devices that are
    one machine. One that another controller uses is waited for, if `wait` says so, and else is as one that cannot be
    reached. Raises InputError, NothingToDo, and Unreachable or DeviceBusy when no device at all can be used.
    """
    loaded, fed, about = with_samples(loaded)
    wanted = devices_with_cases(loaded, devices, only=selection.only, skip=selection.skip)
    with ExitStack() as held:
        opened = held.enter_context(some_workers(wanted, loaded.tool, loaded.variants, f"run {loaded.name}", wait))
        made, of_models = plan_on(loaded, devices, opened, selection)
        folder = journals.new_folder(Path(reports), loaded.name)
        with _kept(journals.create(folder, manifest_of(loaded, made, opened, fed.datasets))) as journal:
            if loaded.text is not None:
                with atomic(folder / "matrix.toml") as file:
                    file.write(loaded.text.encode())
            work = PreparedPlan(made, loaded.variants, fed.datasets, loaded.native_samples)
            _complete(work, journal, opened, held, watching, (*about, *of_models))
    return folder


def resume(folder: str | Path, *, watching: Watching = silently, wait: Wait | None = None) -> Path:
    """Complete a run: same plan, same order, only what is missing or failed for a reason that may have passed.

    Raises NothingToDo where every trial is done and the page shows all of them.
    """
    folder = Path(folder)
    with _kept(journals.reopen(folder)) as journal, ExitStack() as held:
        plan = recorded_plan(journal.manifest, folder)
        left = replace(plan, trials=due_trials(plan, journal.latest(), _unfit(plan, journal)))
        if not left.trials and not unscored(latest(folder)) and _has_its_page(folder):
            raise NothingToDo(f"{folder}: every trial is done", remedy="`benchbench report` makes its page again")
        begun = resumption_of(journal.manifest, folder, plan)
        opened: tuple[Worker | Absent, ...] = ()
        if left.trials:
            wanted = [device for device in begun.devices if device.name in left.devices]
            opened = held.enter_context(some_workers(wanted, begun.choice, plan.variants, f"run {plan.name}", wait))
            require_same_tools(opened, begun, folder)
        journal.record(with_found(begun.manifest, opened))
        _complete(begun.work, journal, opened, held, watching, left=left)
    return folder


def run_again(
    folder: str | Path,
    *,
    reports: str | Path = REPORTS,
    selection: Selection = EVERYTHING,
    watching: Watching = silently,
    wait: Wait | None = None,
) -> Path:
    """Do a run again, or the cases of it that `selection` takes: same plan, order and files; the new run folder.

    Raises InputError where a file that this takes is gone or is another, as `resume` does, and NothingToDo.
    """
    manifest = read_manifest(Path(folder))
    plan = selected(recorded_plan(manifest, Path(folder)), only=selection.only, skip=selection.skip)
    begun = resumption_of(manifest, Path(folder), plan)
    with ExitStack() as held:
        opened = held.enter_context(some_workers(begun.devices, begun.choice, plan.variants, f"run {plan.name}", wait))
        new = journals.new_folder(Path(reports), plan.name)
        with _kept(journals.create(new, repeated_manifest(begun.manifest, plan, opened))) as journal:
            _complete(begun.work, journal, opened, held, watching, (f"the plan of {Path(folder).name} again",))
    return new


def _complete(
    work: PreparedPlan,
    journal: Journal,
    opened: Sequence[Worker | Absent],
    devices: ExitStack,
    watching: Watching,
    remarks: Sequence[str] = (),
    left: Plan | None = None,
) -> None:
    """From a plan to a whole run folder, whether it begins or goes on: trials, then scores, then its series.

    `left` is what of the plan is not done yet, where that is not all. The devices are given back when the last trial
    has ended.
    """
    with watching(left or work.plan) as tell:
        tell(Begun(journal.folder, on_this_machine(opened)))
        for remark in remarks:
            journal.note(remark)
            tell(Noted("", remark))
        with devices:
            samples = cut_up(work.datasets, journal.folder)
            context = RunContext(work.plan.measure, journal, samples, work.native_samples)
            try:
                plan = work.plan
                if plan.measure.goal is not None and work.datasets:
                    first, plan = around_the_race(plan)
                    execute(first, opened, context, tell)
                    _score(work, journal, tell)
                execute(plan, opened, context, tell, _unfit(plan, journal))
            finally:
                journal.record(with_transfers(journal.manifest, opened))
        shutil.rmtree(journal.folder / "samples", ignore_errors=True)  # they can be made again
        _score(work, journal, tell)
        journal.end()


def _score(work: PreparedPlan, journal: Journal, tell: Tell) -> None:
    score_run(journal, work.datasets, work.variants, lambda text: tell(Scoring(text)))


def _unfit(plan: Plan, journal: Journal) -> dict[str, str]:
    """The cases that cannot be the best whatever their latency, and why, by what is known of their outputs."""
    measure = plan.measure
    if measure.goal is None:
        return {}
    from benchbench.analysis.frames import load  # pandas: slow to import
    from benchbench.analysis.recommend import LOSES_AT_MOST, unfit

    return unfit(load(journal.folder).cases, LOSES_AT_MOST if measure.loses_at_most is None else measure.loses_at_most)


def _has_its_page(folder: Path) -> bool:
    page = folder / "index.html"
    return page.is_file() and page.stat().st_mtime >= (folder / "outcomes.jsonl").stat().st_mtime


@contextmanager
def _kept(book: Journal) -> Iterator[Journal]:
    """The journal, closed at the end; Ctrl-C is told how to go on with it."""
    with closing(book):
        try:
            yield book
        except KeyboardInterrupt as error:
            again = f"resume with: benchbench run --resume {shlex.quote(str(book.folder))}"
            raise Interrupted.of(error, again) from error


def quantize(
    source: str | Path,
    schemes: Sequence[str] | None,
    out: str | Path,
    *,
    representative: str | Path | Feeding | None = None,
    pixels: Pixels | None = None,
    per_channel: bool = True,
    input_sizes: Sequence[int] = (),
    name: str | None = None,
    model_format: str | None = None,
    progress: Progress = saying_nothing,
) -> Family:
    """Make the schemes of a float model into the new folder `out`, as files of `model_format`.

    `source` is a .tflite, an .onnx, a Keras file or a SavedModel folder; without a format, a model file's family is of
    its own, and any other's of the first that has a quantizer. No `schemes` (None) are all that it makes. One
    that cannot be made, or not be run here, is skipped with its reason; one that answers badly is kept, and its
    fidelity says so. Without `pixels`, representative data beside which a TOML file describes it as a dataset is fed
    as that says. Raises InputError for a source, data or folder that cannot be used, ToolError when nothing but a
    copy of the source could be made; `out` does not exist then.
    """
    runtime = quantizing(Path(source), model_format)
    asked = Quantization(
        Path(source),
        tuple(runtime.schemes if schemes is None else schemes),
        Path(out),
        representative=representative,
        pixels=pixels if pixels is not None else _described(representative),
        per_channel=per_channel,
        input_sizes=tuple(input_sizes),
        name=name,
    )
    return runtime.quantizer()(asked, progress=progress, validator=validation_of)


def _described(representative: str | Path | Feeding | None) -> Pixels:
    how = described(Path(representative)) if isinstance(representative, str | Path) else None
    return RAW_PIXELS if how is None else Pixels.described(how)
