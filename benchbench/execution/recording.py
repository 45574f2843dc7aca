"""What the manifest of a run says: when it begins, and what has become known since."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.feeding import Wanted, dataset_of, wanted_of
from benchbench.config.matrix import Matrix
from benchbench.device.opening import Absent
from benchbench.execution.libraries import sent_libraries
from benchbench.execution.worker import Worker
from benchbench.plan import Plan
from benchbench.run_folder.manifest import (
    CaseRecord,
    DatasetRecord,
    DeviceRecord,
    Manifest,
    SelectionRecord,
    SkipRecord,
    ToolRecord,
    TrialRecord,
    made_now,
    new_manifest,
)
from benchbench.runtimes import RUNTIMES
from benchbench.runtimes.base import Toolchain
from benchbench.values.case import Case

REDACTED = "(redacted)"
RECORDED_PACKAGES = (
    *(package for runtime in RUNTIMES for package in runtime.host_packages),
    *("numpy", "pandas", "adbutils", "paramiko"),
)


def manifest_of(
    matrix: Matrix, plan: Plan, opened: Sequence[Worker | Absent], datasets: Mapping[str, Dataset]
) -> Manifest:
    """The manifest of a run that is about to begin."""
    toolchains = {c.session.device.name: c.prepared.toolchains for c in opened if isinstance(c, Worker)}

    def record(case: Case) -> CaseRecord:
        return case_record(case, toolchains.get(case.device, {}).get(case.variant.format))

    return new_manifest(
        plan.name,
        seed=plan.seed,
        **_host(),
        matrix=_as_written(matrix),
        measure=plan.measure,
        devices=tuple(map(device_record, opened)),
        variants=matrix.variants,
        cases=tuple(map(record, plan.cases)),
        canaries=tuple(map(record, plan.canaries)),
        trials=tuple(
            TrialRecord(
                id=trial.id,
                case=trial.case.id,
                device=trial.case.device,
                round=trial.round,
                position=trial.position,
                purpose=trial.purpose,
            )
            for trial in plan.trials
        ),
        skips=tuple(
            SkipRecord(case=case_record(skip.case), reason=skip.reason, deliberate=skip.deliberate)
            for skip in plan.skips
        ),
        selection=SelectionRecord(only=plan.only, skip=plan.skip, of=plan.cells),
        tools=_tools(opened),
        tool_choice=matrix.tool,
        datasets=tuple(dataset_record(wanted, datasets) for wanted in wanted_of(matrix)),
    )


def repeated_manifest(manifest: Manifest, plan: Plan, opened: Sequence[Worker | Absent]) -> Manifest:
    """The manifest of a run that does again what `plan` takes of one that was recorded, on devices as they are now."""
    cases, trials = {case.id for case in plan.cases}, {trial.id for trial in plan.trials}
    skipped = {skip.case.id for skip in plan.skips}
    return manifest.model_copy(
        update={
            **made_now(),
            **_host(),
            "devices": tuple(map(device_record, opened)),
            "cases": tuple(case for case in manifest.cases if case.id in cases),
            "canaries": tuple(case for case in manifest.canaries if case.device in plan.devices),
            "trials": tuple(trial for trial in manifest.trials if trial.id in trials),
            "skips": tuple(skip for skip in manifest.skips if skip.case.id in skipped),
            "selection": SelectionRecord(only=plan.only, skip=plan.skip, of=plan.cells),
            "tools": _tools(opened),
            "stops": (),
            "notes": (),
        }
    )


def _host() -> dict[str, dict[str, str]]:
    return {
        "host": {"system": platform.platform(), "python": platform.python_version(), "machine": platform.machine()},
        "versions": {package: importlib.metadata.version(package) for package in RECORDED_PACKAGES},
    }


def case_record(case: Case, toolchain: Toolchain | None = None) -> CaseRecord:
    """A case as run.json has it; without a toolchain nobody knows what would measure it."""
    return CaseRecord(
        id=case.id,
        device=case.device,
        variant=case.variant.id,
        family=case.variant.family,
        name=case.variant.name,
        scheme=case.variant.scheme,
        delegate=case.delegate.label,
        kind=case.delegate.kind,
        options=case.delegate.model_dump(mode="json"),
        threads=case.threads,
        affinity=case.affinity,
        runner=toolchain.runner.kind if toolchain else None,
    )


def dataset_record(wanted: Wanted, datasets: Mapping[str, Dataset]) -> DatasetRecord:
    """What a family's dataset was, and what its samples went through."""
    dataset = dataset_of(wanted.family, datasets)
    return DatasetRecord(
        family=wanted.family,
        dataset=wanted.dataset,
        samples=wanted.samples,
        seed=wanted.seed,
        native_samples=wanted.native_samples,
        sha256=dataset.sha256 if dataset else None,
        preprocessing=dataset.preprocessing if dataset else None,
    )


def device_record(worker: Worker | Absent) -> DeviceRecord:
    """A device as it was found, with the values of its `env` left out."""
    device = worker.device if isinstance(worker, Absent) else worker.session.device
    record = DeviceRecord(
        name=device.name,
        reached=device.address.reached,
        spec=device.model_copy(update={"env": dict.fromkeys(device.env, REDACTED)}),
        file=str(Path(device.source).absolute()) if device.source else None,
    )
    if isinstance(worker, Absent):
        return record.model_copy(update={"error": str(worker.error)})
    return record.model_copy(update=_found(worker))


def _found(worker: Worker) -> dict[str, Any]:
    """What is known of a device since it was opened."""
    prepared = worker.prepared
    tools = {name: _tool(toolchain) for name, toolchain in prepared.toolchains.items()}
    libraries = dict(sent_libraries(worker.session.device))
    return {"traits": prepared.traits, "tools": tools, "libraries": libraries, "error": prepared.problem}


def with_found(manifest: Manifest, opened: Sequence[Worker | Absent]) -> Manifest:
    """With devices on which nothing could be measured when the run began as they are found now."""
    now = {worker.session.device.name: _found(worker) for worker in opened if isinstance(worker, Worker)}
    devices = tuple(
        device if device.tools else device.model_copy(update=now.get(device.name, {})) for device in manifest.devices
    )
    return manifest.model_copy(update={"devices": devices})


def with_transfers(manifest: Manifest, opened: Sequence[Worker | Absent]) -> Manifest:
    """With the files that each device was sent in this run: none that it already held."""
    sent = {worker.session.device.name: worker.session.store.pushed for worker in opened if isinstance(worker, Worker)}
    devices = tuple(
        device.model_copy(update={"pushed": (*device.pushed, *sent.get(device.name, ()))})
        for device in manifest.devices
    )
    return manifest.model_copy(update={"devices": devices})


def _as_written(matrix: Matrix) -> dict[str, Any]:
    return {
        "source": Path(matrix.source).name,
        "devices": matrix.devices,
        "threads": matrix.threads,
        "affinity": matrix.affinity,
        "delegates": [delegate.model_dump(mode="json") for delegate in matrix.delegates],
        "model": [entry.model_dump(mode="json", exclude_none=True) for entry in matrix.entries],
        "skip": [rule.model_dump(mode="json", exclude_none=True) for rule in matrix.skips],
        "budget": [rule.model_dump(mode="json", exclude_defaults=True) for rule in matrix.budget],
    }


def _tools(opened: Sequence[Worker | Absent]) -> tuple[ToolRecord, ...]:
    workers = [worker for worker in opened if isinstance(worker, Worker)]
    toolchains = [toolchain for worker in workers for toolchain in worker.prepared.toolchains.values()]
    return tuple(dict.fromkeys(map(_tool, toolchains)))


def _tool(toolchain: Toolchain) -> ToolRecord:
    return ToolRecord(name=toolchain.runner.kind, sha256=toolchain.tool_sha256, version=toolchain.tool_version)
