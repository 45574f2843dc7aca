"""run.json: all that is needed to believe a run, to go on with it, and to do it again."""

from __future__ import annotations

import importlib.metadata
import platform
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchbench.accuracy.datasets import Dataset
from benchbench.accuracy.feeding import Fed, Wanted, feed
from benchbench.config.inventory import read_device
from benchbench.config.matrix import NATIVE_SAMPLES, Matrix
from benchbench.device.opening import Absent
from benchbench.device.store import sha256_of
from benchbench.execution.worker import Worker
from benchbench.plan import Plan, Skip
from benchbench.run_folder.journal import Journal, write_manifest
from benchbench.runtimes import Delegate, without_suffix
from benchbench.runtimes.base import Toolchain
from benchbench.values.case import Case, MeasurementSettings, Trial, Variant
from benchbench.values.device import Device, ToolChoice
from benchbench.values.errors import InputError
from benchbench.values.outcome import Outcome

_OPTIONS: TypeAdapter[Delegate] = TypeAdapter(Delegate)
REDACTED = "(redacted)"
RECORDED_PACKAGES = ("ai-edge-litert", "numpy", "pandas", "adbutils", "paramiko")


def manifest_of(
    matrix: Matrix, plan: Plan, opened: Sequence[Worker | Absent], datasets: Mapping[str, Dataset]
) -> dict[str, Any]:
    """The manifest of a run that is about to begin."""
    toolchains = {c.session.device.name: c.prepared.toolchains for c in opened if isinstance(c, Worker)}
    return {
        "name": plan.name,
        "id": secrets.token_hex(8),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "benchbench": importlib.metadata.version("benchbench"),
        "seed": plan.seed,
        "host": {"system": platform.platform(), "python": platform.python_version(), "machine": platform.machine()},
        "versions": {package: importlib.metadata.version(package) for package in RECORDED_PACKAGES},
        "matrix": _matrix_as_written(matrix),
        "measure": plan.measure.model_dump(mode="json"),
        "devices": [_device(worker) for worker in opened],
        "variants": [variant.model_dump(mode="json") for variant in matrix.variants],
        "cases": [_case(case, toolchains.get(case.device, {}).get(case.variant.format)) for case in plan.cases],
        "trials": [
            {"id": t.id, "case": t.case.id, "device": t.case.device, "round": t.round, "position": t.position}
            | {"purpose": t.purpose}
            for t in plan.trials
        ],
        "skips": [_skip(skip) for skip in plan.skips],
        "selection": {"only": plan.only, "skip": plan.skip, "of": plan.cells},
        "tools": _tools(opened),
        "tool_choice": matrix.tool.model_dump(mode="json"),
        "datasets": [asdict(wanted) | _fed(datasets, wanted.family) for wanted in wanted_of(matrix)],
        "notes": [],
    }


def _fed(datasets: Mapping[str, Dataset], family: str) -> dict[str, Any]:
    """What a family's dataset was, and what its samples went through; None = they are fed as they are, or not at all.

    Variants of several input sizes have the same files, or the same seed.
    """
    dataset = next((found for variant, found in datasets.items() if variant.partition(".")[0] == family), None)
    if dataset is None:
        return {"sha256": None, "preprocessing": None}
    how = dataset.preprocessing
    return {"sha256": dataset.sha256, "preprocessing": how.model_dump(mode="json") if how else None}


def imported_manifest(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The manifest of a run that others measured: what its outcomes say, and that it was imported."""
    firsts = {outcome.case: outcome for outcome in reversed(outcomes)}
    return {
        "name": "imported",
        "id": secrets.token_hex(8),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "benchbench": importlib.metadata.version("benchbench"),
        "seed": 0,
        "imported": True,
        "devices": [{"name": name, "reached": "imported"} for name in dict.fromkeys(o.device for o in outcomes)],
        "cases": [_imported_case(outcome) for outcome in reversed(firsts.values())],
        "notes": ["imported from outputs that others recorded: conditions and order are not known"],
    }


def _imported_case(outcome: Outcome) -> dict[str, Any]:
    asked = outcome.delegation.asked
    return {
        "id": outcome.case,
        "device": outcome.device,
        "variant": outcome.variant,
        "family": without_suffix(outcome.variant),
        "name": without_suffix(outcome.variant),
        "scheme": None,
        "delegate": asked or "unknown",
        "kind": asked,
        "threads": outcome.measurement.threads,
        "runner": "imported",
    }


def _matrix_as_written(matrix: Matrix) -> dict[str, Any]:
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


def _device(worker: Worker | Absent) -> dict[str, Any]:
    device = worker.device if isinstance(worker, Absent) else worker.session.device
    known: dict[str, Any] = {"traits": None, "runner": None, "tool_sha256": None, "tool_version": None, "error": None}
    if isinstance(worker, Absent):
        known["error"] = str(worker.error)
    else:
        toolchain = worker.prepared.toolchain
        known["traits"] = worker.prepared.traits.model_dump(mode="json")
        known["error"] = worker.prepared.problem
        known["runner"] = toolchain.runner.kind if toolchain else None
        known["tool_sha256"] = toolchain.tool_sha256 if toolchain else None
        known["tool_version"] = toolchain.tool_version if toolchain else None
    spec = device.model_dump(mode="json") | {"env": dict.fromkeys(device.env, REDACTED)}
    file = str(Path(device.source).absolute()) if device.source else None
    return {"name": device.name, "reached": device.address.reached, "spec": spec, "file": file} | known


def _as_it_was(record: Mapping[str, Any], folder: Path) -> Device:
    """The device that a run began with; values of `env` are in its file alone. Raises InputError where they are not."""
    device = Device.model_validate(record["spec"])
    if not device.env:
        return device
    keys = ", ".join(device.env)
    where = f"{folder / 'run.json'}: {device.name}: the values of env ({keys}) are in the device's file alone"
    file = Path(record["file"] or "")
    if not file.is_file():
        raise InputError(f"{where}, and {file} is gone", remedy="put it back, or begin a new run")
    env = read_device(file).env
    if set(env) != set(device.env):
        raise InputError(f"{where}, and {file} has others ({', '.join(env) or 'none'})", remedy="begin a new run")
    return device.model_copy(update={"env": env, "source": str(file)})


def _case(case: Case, toolchain: Toolchain | None) -> dict[str, Any]:
    return {
        "id": case.id,
        "device": case.device,
        "variant": case.variant.id,
        "family": case.variant.family,
        "scheme": case.variant.scheme,
        "name": case.variant.name,
        "delegate": case.delegate.label,
        "kind": case.delegate.kind,
        "threads": case.threads,
        "affinity": case.affinity,
        "runner": toolchain.runner.kind if toolchain else None,
        "options": case.delegate.model_dump(mode="json"),
    }


def _skip(skip: Skip) -> dict[str, Any]:
    """A selected cell without trials; `deliberate` = the matrix itself leaves it out."""
    cell = _case(skip.case, None)
    return {"case": cell.pop("id"), "reason": skip.reason, "deliberate": skip.deliberate} | cell


def _tools(opened: Sequence[Worker | Absent]) -> list[dict[str, Any]]:
    found = {}
    for worker in opened:
        for toolchain in worker.prepared.toolchains.values() if isinstance(worker, Worker) else ():
            name, sha256, version = toolchain.runner.kind, toolchain.tool_sha256, toolchain.tool_version
            found[name, sha256, version] = {"name": name, "sha256": sha256, "version": version}
    return list(found.values())


def record_transfers(journal: Journal, opened: Sequence[Worker | Absent]) -> None:
    """Which files each device was sent in this run, for the record: none that it already held."""
    by_name = {
        worker.session.device.name: worker.session.store.pushed for worker in opened if isinstance(worker, Worker)
    }
    for record in journal.manifest["devices"]:
        record["pushed"] = [*record.get("pushed", []), *by_name.get(record["name"], [])]
    write_manifest(journal.folder, journal.manifest)


@dataclass(frozen=True, slots=True)
class Resumption:
    """What run.json tells of a run, enough to go on with it; `variants` are all of the matrix, with a case or not."""

    plan: Plan
    variants: tuple[Variant, ...]
    devices: tuple[Device, ...]
    choice: ToolChoice
    tools: Mapping[str, str | None]  # device -> sha256 of what it measured with
    datasets: Mapping[str, tuple[Wanted, dict[str, Any]]]  # family -> what was wanted, and what it was


def resumption_of(manifest: Mapping[str, Any], folder: Path) -> Resumption:
    """The run that a folder records; raises InputError when it holds none, or a model file is gone or is another."""
    try:
        variants = tuple(Variant.model_validate(record) for record in manifest["variants"])
        found = Resumption(
            plan=plan_of(manifest, variants),
            variants=variants,
            devices=tuple(_as_it_was(record, folder) for record in manifest["devices"]),
            choice=ToolChoice.model_validate(manifest["tool_choice"]),
            tools={record["name"]: record["tool_sha256"] for record in manifest["devices"]},
            datasets={
                record["family"]: (_wanted(record), {key: record[key] for key in ("sha256", "preprocessing")})
                for record in manifest["datasets"]
            },
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else repr(error)
        raise InputError(f"{folder / 'run.json'}: does not hold a plan that can be resumed: {said}") from error
    for variant in variants:
        unchanged(Path(variant.path), variant.sha256)
    return found


def plan_of(manifest: Mapping[str, Any], variants: Sequence[Variant]) -> Plan:
    """The plan as it was made."""
    by_id = {variant.id: variant for variant in variants}

    def case_of(record: Mapping[str, Any]) -> Case:
        return Case.model_validate(
            {key: record[key] for key in ("device", "threads", "affinity")}
            | {"variant": by_id[record["variant"]], "delegate": _OPTIONS.validate_python(record["options"])}
        )

    cases = {record["id"]: case_of(record) for record in manifest["cases"]}
    selection = manifest["selection"]
    return Plan(
        name=manifest["name"],
        seed=manifest["seed"],
        measure=MeasurementSettings.model_validate(manifest["measure"]),
        cases=tuple(cases.values()),
        trials=tuple(
            Trial(case=cases[t["case"]], round=t["round"], position=t["position"], purpose=t["purpose"])
            for t in manifest["trials"]
        ),
        skips=tuple(Skip(case_of(skip), skip["reason"], skip["deliberate"]) for skip in manifest["skips"]),
        only=tuple(selection["only"]),
        skip=tuple(selection["skip"]),
        cells=selection["of"],
    )


def _wanted(record: Mapping[str, Any]) -> Wanted:
    native = record.get("native_samples", NATIVE_SAMPLES)
    return Wanted(record["family"], record["dataset"], record["samples"], record["seed"], native)


def wanted_of(matrix: Matrix) -> tuple[Wanted, ...]:
    """The inputs that a matrix wants outputs for."""
    seed = matrix.measure.input_seed
    native = matrix.native_samples
    return tuple(
        Wanted(family, path, matrix.samples.get(family), seed, native.get(family, NATIVE_SAMPLES))
        for family, path in matrix.datasets.items()
    )


def native_samples_of(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many samples at most a run takes through benchmark_model, by family."""
    return {record["family"]: record.get("native_samples", NATIVE_SAMPLES) for record in manifest["datasets"]}


def datasets_of(run: Resumption) -> dict[str, Dataset]:
    """The datasets that a run began with, by variant; raises InputError when one has changed."""
    found: dict[str, Dataset] = {}
    for family, (wanted, was) in run.datasets.items():
        datasets = feed(wanted, [variant for variant in run.variants if variant.family == family]).datasets
        now = _fed(datasets, family)
        if now != was:
            what = "is" if now["sha256"] != was["sha256"] else "its preprocessing is"
            raise InputError(f"{wanted.dataset}: {what} not what the run began with", remedy="begin a new run")
        found |= datasets
    return found


def fed_by(matrix: Matrix) -> Fed:
    """The samples that the variants of a matrix get; raises InputError as `feed` does."""
    fed = Fed()
    for wanted in wanted_of(matrix):
        fed |= feed(wanted, [variant for variant in matrix.variants if variant.family == wanted.family])
    return fed


def unchanged(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise InputError(f"{path}: is gone; the run began with it", remedy="put it back, or begin a new run")
    if sha256_of(path) != sha256:
        raise InputError(f"{path}: is not the file that the run began with", remedy="put it back, or begin a new run")
