"""A run folder made of outputs that others captured."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchbench.importing.logs import Recorded, outcomes, read_log
from benchbench.run_folder import journal as journals
from benchbench.run_folder.manifest import CaseRecord, DeviceRecord, Manifest, new_manifest
from benchbench.run_folder.names import REPORTS
from benchbench.runtimes import without_suffix
from benchbench.values.errors import BenchbenchError, InputError, file_error
from benchbench.values.outcome import Outcome


def read_recorded(logs: Sequence[Path | tuple[str, bytes]]) -> tuple[list[Recorded], tuple[str, ...]]:
    """The launches in benchmark_model outputs, and a line on each source that has none, which is left out.

    A source is a file, or (name, bytes) of what is no file. Raises InputError when no source has a launch.
    """
    recorded: list[Recorded] = []
    left_out: list[BenchbenchError] = []
    for log in logs:
        try:
            recorded += read_log(*((str(log), log.read_bytes()) if isinstance(log, Path) else log))
        except OSError as error:
            left_out.append(file_error(error, f"{log}: cannot be read", remedy="give a text file, or -"))
        except InputError as error:
            left_out.append(error)
    if not recorded:
        others = f" (and {len(left_out) - 1} more without one)" if len(left_out) > 1 else ""
        raise type(left_out[0])(f"{left_out[0].message}{others}", remedy=left_out[0].remedy)
    return recorded, tuple(map(str, left_out))


def import_logs(recorded: Sequence[Recorded], reports: str | Path = REPORTS) -> Path:
    """A run folder from what others recorded: for `report` and `compare`; nothing in it was measured by us."""
    found = outcomes(recorded)
    folder = journals.new_folder(Path(reports), "imported")
    with closing(journals.create(folder, imported_manifest(found))) as journal:
        for outcome in found:
            journal.append(outcome)
    return folder


def imported_manifest(outcomes: Sequence[Outcome]) -> Manifest:
    """The manifest of a run that others measured: what its outcomes say, and that it was imported."""
    firsts = {outcome.case: outcome for outcome in reversed(outcomes)}
    devices = dict.fromkeys(outcome.device for outcome in outcomes)
    return new_manifest(
        "imported",
        imported=True,
        devices=tuple(DeviceRecord(name=name, reached="imported") for name in devices),
        cases=tuple(_case(outcome) for outcome in reversed(firsts.values())),
        notes=("imported from outputs that others recorded: conditions and order are not known",),
    )


def _case(outcome: Outcome) -> CaseRecord:
    asked, name = outcome.delegation.asked, without_suffix(outcome.variant)
    return CaseRecord(
        id=outcome.case,
        device=outcome.device,
        variant=outcome.variant,
        family=name,
        name=name,
        delegate=asked or "unknown",
        kind=asked,
        threads=outcome.measurement.threads,
        runner="imported",
    )
