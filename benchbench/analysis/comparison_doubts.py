"""What differs between two sides of a comparison besides their times: the model file, and what measured it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchbench.run_folder.manifest import DeviceRecord, Manifest
from benchbench.values.device import Traits
from benchbench.values.doubt import Doubt

OTHER_FILE, OTHER_TOOL, OTHER_DEVICE = "other model file", "other tool", "other device"
OTHER_INPUTS = "other inputs"
BETWEEN = (OTHER_FILE, OTHER_INPUTS, OTHER_TOOL, OTHER_DEVICE)
_SAME_MEMORY = 0.02  # a system tells of a little more or less memory with every boot


def doubts_of(base: pd.Series | None, new: pd.Series | None) -> tuple[Doubt, ...]:
    """What differs between the sides besides the time, then the doubts of each."""
    between = () if base is None or new is None else (other_model(base, new), other_tool(base, new))
    sides = [(name, row) for name, row in (("base", base), ("new", new)) if row is not None]
    own = [Doubt(doubt.kind, f"{name}: {doubt.text}", doubt.remedy) for name, row in sides for doubt in row["doubts"]]
    return (*(doubt for doubt in between if doubt is not None), *own)


def other_file(base: pd.Series, new: pd.Series) -> Doubt | None:
    if not _differ(base, new, "sha256"):
        return None
    files = ", then ".join(_text(row["sha256"])[:12] for row in (base, new))
    return Doubt(
        OTHER_FILE, f"sha256 {files}", "measure both runs with one file, or read the ratio as that of two models"
    )


def other_model(base: pd.Series, new: pd.Series) -> Doubt | None:
    """Another model file, or the same fed with inputs of other sizes; what a side does not say differs from nothing."""
    if (file := other_file(base, new)) or not _differ(base, new, "fed"):
        return file
    remedy = "measure both runs with the same `inputs` in the [[model]]"
    return Doubt(OTHER_INPUTS, f"{base['fed']}, then {new['fed']}", remedy)


def other_tool(base: pd.Series, new: pd.Series) -> Doubt | None:
    """Another name, version or binary of what measured; what a side does not say differs from nothing."""
    if base["status"] != "ok" or new["status"] != "ok":
        return None
    if not any(_differ(base, new, key) for key in ("tool", "tool_version", "tool_sha256")):
        return None
    remedy = "measure both runs with one binary (python: one benchbench and one runtime), to tell model from tool"
    return Doubt(OTHER_TOOL, f"{_tool(base)}, then {_tool(new)}", remedy)


def other_device(base: Manifest, new: Manifest, name: str) -> Doubt | None:
    """Another model, processor, memory or system by a device's name; what a side does not say differs from nothing."""
    was, now = _device(base, name), _device(new, name)
    if was is None or now is None or was.traits is None or now.traits is None:
        return None
    told = list(_changed(was.traits, now.traits))
    kernels = [str(side.host.get("system") or "") for side in (base, new)]
    if was.reached == now.reached == "local" and all(kernels) and kernels[0] != kernels[1]:
        told.append(f"{kernels[0]}, then {kernels[1]}")
    if not told:
        return None
    remedy = "measure both runs on one machine with one system, to tell model from machine"
    return Doubt(OTHER_DEVICE, f"{name}: {'; '.join(told)}", remedy)


def _device(run: Manifest, name: str) -> DeviceRecord | None:
    return next((device for device in run.devices if device.name == name), None)


def _changed(was: Traits, now: Traits) -> Iterator[str]:
    for what in ("model", "soc", "abi", "os_version", "sdk", "cores"):
        before, after = getattr(was, what), getattr(now, what)
        if before and after and before != after:
            title = {"soc": "SoC", "abi": "ABI", "os_version": "system", "sdk": "SDK"}.get(what, what)
            yield f"{title} {before}, then {after}"
    if was.memory_mb and now.memory_mb and abs(now.memory_mb / was.memory_mb - 1) > _SAME_MEMORY:
        yield f"memory {was.memory_mb:.0f} MB, then {now.memory_mb:.0f}"


def _tool(row: pd.Series) -> str:
    """What measured a case: its name, and the version and binary as far as they are known."""
    name, version, sha256 = (_text(row[key]) for key in ("tool", "tool_version", "tool_sha256"))
    file = "benchbench's script" if row["runner"] == "python" else "sha256"  # a runtime in Python is known by version
    more = [version] if version and version not in name else []
    more += [f"{file} {sha256[:12]}"] if sha256 else []
    return (name or "an unknown tool") + (f" ({', '.join(more)})" if more else "")


def _differ(base: pd.Series, new: pd.Series, key: str) -> bool:
    was, now = _text(base[key]), _text(new[key])
    return bool(was and now) and was != now


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
