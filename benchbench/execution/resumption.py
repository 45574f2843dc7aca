"""From the manifest of a run to what is needed to go on with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.feeding import Wanted, feed
from benchbench.config.inventory import read_device
from benchbench.config.matrix_file import NATIVE_SAMPLES
from benchbench.device.opening import Absent
from benchbench.execution.libraries import sent_libraries
from benchbench.execution.recorded_files import found_files
from benchbench.execution.recording import dataset_record
from benchbench.execution.worker import Worker
from benchbench.modes.canary import canary_variants
from benchbench.plan import Plan, Skip
from benchbench.run_folder.manifest import NAME, CaseRecord, DatasetRecord, DeviceRecord, Manifest, ToolRecord
from benchbench.runtimes import Delegate
from benchbench.values.account import expanded
from benchbench.values.case import Case, Trial, Variant
from benchbench.values.device import Device, Local, ToolChoice
from benchbench.values.errors import InputError, ToolError


@dataclass(frozen=True, slots=True)
class PreparedPlan:
    """What is to be done with open devices; `variants` hold those of the plan, and what they are compared with."""

    plan: Plan
    variants: tuple[Variant, ...]
    datasets: Mapping[str, Dataset]  # by variant
    native_samples: Mapping[str, int]  # by family: at most, through benchmark_model


@dataclass(frozen=True, slots=True)
class Resumption:
    """A run that was begun, with its files where they are now: its work, devices, and which tools it is done with."""

    manifest: Manifest
    work: PreparedPlan
    devices: tuple[Device, ...]
    choice: ToolChoice
    tools: Mapping[str, Mapping[str, ToolRecord]]  # device -> format -> what it measured with
    libraries: Mapping[str, Mapping[str, str]]  # device -> delegate -> sha256 of what was put there for it


def recorded_plan(manifest: Manifest, folder: Path) -> Plan:
    """The plan of the run that a folder records; raises InputError where its manifest has none."""
    with _sound(manifest, folder):
        return _plan_of(manifest)


def resumption_of(manifest: Manifest, folder: Path, plan: Plan) -> Resumption:
    """What it takes to do `plan`, which is all or a part of what the folder records.

    Raises InputError where a model or dataset that this takes is gone or is not what it was, or a device's file is.
    """
    with _sound(manifest, folder):
        choice = ToolChoice.model_validate(manifest.tool_choice)
    found = found_files(manifest, folder, plan)
    datasets: dict[str, Dataset] = {}
    for record in found.datasets:
        datasets |= _as_they_were(record, found.variants)
    native = {record.family: record.native_samples or NATIVE_SAMPLES for record in manifest.datasets}
    return Resumption(
        found.manifest,
        PreparedPlan(_with_variants(plan, found.variants), found.variants, datasets, native),
        devices=tuple(_as_it_was(record, folder) for record in manifest.devices if record.name in plan.devices),
        choice=choice,
        tools={record.name: record.tools for record in manifest.devices},
        libraries={record.name: record.libraries for record in manifest.devices},
    )


def require_same_tools(opened: Sequence[Worker | Absent], begun: Resumption, folder: Path) -> None:
    """Raise ToolError where a device has another tool or library than its run began with: it goes on with the same."""
    for worker in opened:
        if isinstance(worker, Absent):
            continue
        name = worker.session.device.name
        for of_format, toolchain in worker.prepared.toolchains.items():
            was = begun.tools[name][of_format].sha256 if of_format in begun.tools[name] else None
            if was is not None and toolchain.tool_sha256 != was:
                raise ToolError(
                    f"{folder}: {name} was measured with another tool (sha256 {was[:12]}…)",
                    remedy="restore that tool, or begin a new run",
                )
        for library, sha256 in sent_libraries(worker.session.device).items():
            if begun.libraries[name].get(library, sha256) != sha256:
                raise ToolError(
                    f"{folder}: {name} was measured with another library for {library}",
                    remedy="restore that library, or begin a new run",
                )


@contextmanager
def _sound(manifest: Manifest, folder: Path) -> Iterator[None]:
    """Raises InputError where what is read of the manifest meanwhile is not all there."""
    try:
        yield
    except (KeyError, ValueError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        remedy = "imported runs have none" if manifest.imported else "restore the file as benchbench wrote it"
        where = f"{folder / NAME}: does not hold a plan that can be resumed"
        raise InputError(f"{where}: {said}", remedy=remedy) from error


def _with_variants(plan: Plan, variants: Sequence[Variant]) -> Plan:
    """The plan, with its models where they are now."""
    now = {variant.id: variant for variant in variants}

    def moved(case: Case) -> Case:
        return case.model_copy(update={"variant": now.get(case.variant.id, case.variant)})

    cases = {case.id: moved(case) for case in (*plan.cases, *plan.canaries)}
    trials = tuple(trial.model_copy(update={"case": cases[trial.case.id]}) for trial in plan.trials)
    return replace(plan, cases=tuple(cases[case.id] for case in plan.cases), trials=trials)


def _plan_of(manifest: Manifest) -> Plan:
    """The plan as it was made; raises KeyError or ValueError where there is none, or not all of it."""
    if manifest.measure is None or manifest.seed is None or not manifest.trials:
        raise ValueError("there are no trials, or nothing says how to measure them")
    variants = {
        variant.id: variant for variant in (*canary_variants(v.format for v in manifest.variants), *manifest.variants)
    }

    def case_of(record: CaseRecord) -> Case:
        given = record.model_dump(include={"device", "threads", "affinity"})
        parts = {"variant": variants[record.variant], "delegate": _delegates().validate_python(record.options)}
        return Case.model_validate(given | parts)

    cases = {record.id: case_of(record) for record in manifest.cases}
    canaries = {record.id: case_of(record) for record in manifest.canaries}
    return Plan(
        name=manifest.name,
        seed=manifest.seed,
        measure=manifest.measure,
        cases=tuple(cases.values()),
        trials=tuple(
            Trial(
                case=(cases | canaries)[trial.case], round=trial.round, position=trial.position, purpose=trial.purpose
            )
            for trial in manifest.trials
        ),
        skips=tuple(Skip(case_of(skip.case), skip.reason, skip.deliberate) for skip in manifest.skips),
        only=manifest.selection.only,
        skip=manifest.selection.skip,
        cells=manifest.selection.of or 0,
        here=frozenset(one.name for one in manifest.devices if one.spec and isinstance(one.spec.address, Local)),
    )


@cache
def _delegates() -> TypeAdapter[Delegate]:
    return TypeAdapter(Delegate)


def _as_it_was(record: DeviceRecord, folder: Path) -> Device:
    """The device that a run began with; values of `env` are in its file alone. Raises InputError where they are not."""
    where = f"{folder / NAME}: {record.name}"
    if record.spec is None:
        raise InputError(f"{where}: its description is missing", remedy="restore the file as benchbench wrote it")
    device = record.spec.model_copy(update={"source": record.file or ""})
    if not device.env:
        return device
    keys = ", ".join(device.env)
    where = f"{where}: the values of env ({keys}) are in the device's file alone"
    if record.file is None:
        raise InputError(f"{where}, and it had none", remedy="begin a new run")
    file = expanded(record.file, where)
    if not file.is_file():
        raise InputError(f"{where}, and {file} is gone", remedy="put it back, or begin a new run")
    env = read_device(file).env
    if set(env) != set(device.env):
        raise InputError(f"{where}, and {file} has others ({', '.join(env) or 'none'})", remedy="begin a new run")
    return device.model_copy(update={"env": env})


def _as_they_were(record: DatasetRecord, variants: tuple[Variant, ...]) -> Mapping[str, Dataset]:
    """The datasets of a family's variants; raises InputError when one is not what it was."""
    native = record.native_samples or NATIVE_SAMPLES
    wanted = Wanted(record.family, record.dataset, record.samples, record.seed, native)
    datasets = feed(wanted, [variant for variant in variants if variant.family == record.family]).datasets
    now = dataset_record(wanted, datasets)
    if (now.sha256, now.preprocessing) != (record.sha256, record.preprocessing):
        what = "is" if now.sha256 != record.sha256 else "its preprocessing is"
        raise InputError(f"{record.dataset}: {what} not what the run began with", remedy="begin a new run")
    return datasets
