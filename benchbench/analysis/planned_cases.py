"""What the plan says of each case, for a run folder that may know less than all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchbench.run_folder.manifest import CaseRecord, DeviceRecord, ToolRecord
from benchbench.runtimes import without_suffix
from benchbench.runtimes.fed_shapes import text_of
from benchbench.values.case import Variant
from benchbench.values.outcome import Outcome


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """What was planned for a case; None where a plan is not at hand (imported logs)."""

    case: str = ""
    device: str = ""
    family: str = ""
    variant: str = ""
    scheme: str | None = None
    delegate: str = ""  # its label
    kind: str | None = None
    threads: int | None = None
    affinity: str | None = None
    size_mb: float | None = None
    sha256: str | None = None
    cores: int | None = None
    tool_version: str | None = None  # of what measured on its device
    tool_sha256: str | None = None
    network: str = ""  # as case.Kin has it
    relation: str = "same"
    because: str = ""
    fed: str | None = None  # the shapes of its inputs, in words
    open_inputs: tuple[str, ...] = ()  # of the model, where nobody gave their sizes
    local: bool = False  # whether its device is the host of benchbench itself
    skipped: str | None = None  # why the plan leaves it out

    @property
    def path(self) -> PlannedCase:
        """The cell without threads and affinity, which do not change what comes out of a model."""
        return replace(self, case="", threads=None, affinity=None)


def planned_case(
    case: CaseRecord, variant: Variant | None, device: DeviceRecord | None, skipped: str | None
) -> PlannedCase:
    """A case with what is known of its model and its device; `skipped` = why it has no trials."""
    of_model: dict[str, Any] = {}
    if variant is not None:
        of_model = variant.model_dump(include={"size_mb", "sha256", "open_inputs"}) | variant.kin.model_dump()
        of_model["fed"] = None if variant.fed is None else text_of(variant.fed)
    traits = device.traits if device else None
    tool = device.tools.get(variant.format, ToolRecord()) if device and variant else ToolRecord()
    return PlannedCase(
        case=case.id,
        device=case.device,
        family=case.family or (variant.family if variant else ""),
        variant=case.name or (variant.name if variant else case.variant),
        scheme=case.scheme or (variant.scheme if variant else None),
        delegate=case.delegate,
        kind=case.kind,
        threads=case.threads,
        affinity=case.affinity,
        cores=traits.cores or None if traits else None,
        tool_version=tool.version,
        tool_sha256=tool.sha256,
        local=device is not None and device.spec is not None and device.spec.address.transport == "local",
        skipped=skipped,
        **of_model,
    )


def planned_case_of_outcome(outcome: Outcome) -> PlannedCase:
    """A case that no plan knows, from what its outcome says: that of an imported log."""
    family, name = "", without_suffix(outcome.variant)
    if name == outcome.variant:  # else it is a file of which a log gives the name alone
        family, _, name = outcome.variant.rpartition(".")
    asked = outcome.delegation.asked
    return PlannedCase(
        case=outcome.case,
        device=outcome.device,
        family=family,
        variant=name,
        delegate=asked or "",
        kind=asked,
        threads=outcome.measurement.threads,
        size_mb=outcome.measurement.model_mb,
    )
