"""The plan of a run, by the samples of its matrix and what its devices said when they were opened."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from benchbench.accuracy.feeding import Fed, fed_by
from benchbench.config.matrix import Matrix
from benchbench.device.opening import Absent
from benchbench.execution.model_remarks import canary_remarks, model_remarks
from benchbench.execution.selection import Selection
from benchbench.execution.worker import Worker
from benchbench.plan import Plan, make_plan
from benchbench.runtimes.base import Target
from benchbench.runtimes.models import family_remarks
from benchbench.values.device import Device
from benchbench.values.errors import SameMachine


def with_samples(matrix: Matrix) -> tuple[Matrix, Fed, tuple[str, ...]]:
    """The matrix with what it cannot feed left out of its evaluations, the samples, and remarks on its families.

    Raises InputError for a dataset that does not fit.
    """
    fed = fed_by(matrix)
    remarks = (*family_remarks(matrix.variants), *fed.remarks)
    return replace(matrix, unfed=frozenset(fed.unfed)), fed, remarks


def plan_on(
    matrix: Matrix, devices: Sequence[Device], opened: Sequence[Worker | Absent], selection: Selection
) -> tuple[Plan, tuple[str, ...]]:
    """The plan on all devices, by what those say that were opened: the others have no selected case that may run.

    With remarks on the models in it.
    """
    asked = {(worker.device if isinstance(worker, Absent) else worker.session.device).name: worker for worker in opened}
    seed = secrets.randbelow(2**31) if selection.seed is None else selection.seed
    targets = [_target(device, asked.get(device.name), named=matrix.devices is not None) for device in devices]
    made = make_plan(matrix, targets, seed=seed, only=selection.only, skip=selection.skip)
    return made, (*model_remarks(made.cases, targets), *canary_remarks(made))


def _target(device: Device, worker: Worker | Absent | None, *, named: bool) -> Target:
    """What the plan knows of a device: the trials of one that was named and is absent fail, and can be resumed."""
    match worker:
        case None:
            return Target(device)
        case Absent(error=error):
            return Target(device, problem=None if named and not isinstance(error, SameMachine) else str(error))
        case Worker(prepared=prepared):
            return prepared.target
