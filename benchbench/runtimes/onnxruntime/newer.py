"""Models that are newer than ONNX Runtime: what it says of them, in a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchbench.values.outcome import LaunchResult

if TYPE_CHECKING:
    from onnx import ModelProto

REMEDY = "write the model with an older opset and IR version (onnx.version_converter), or install a newer onnxruntime"
OPSET, OTHER_OPSETS, IR_VERSION = 21, 3, 10  # that every ONNX Runtime of the extra knows
_OPSET = re.compile(r"Opset (\d+) is under development.*support for domain (\S+) is till opset (\d+)", re.DOTALL)
_IR_VERSION = re.compile(r"model IR version: (\d+), max supported IR version: (\d+)")
LACKS = re.compile(r"has no (\w+ExecutionProvider): ")
_PLACE = re.compile(r"Load model from \S+ failed: ?")  # of the copy in the device's store


def newer(said: str, label: str) -> str | None:
    """What of a model is newer than the runtime called `label`, from what that says; None = nothing is."""
    if found := _OPSET.search(said):
        of = "" if found[2] == "ai.onnx" else f" of {found[2]}"
        return f"opset {found[1]}{of} is newer than {label} knows ({found[3]})"
    if found := _IR_VERSION.search(said):
        return f"IR version {found[1]} is newer than {label} knows ({found[2]})"
    return None


def in_short(reading: LaunchResult) -> LaunchResult:
    """A failure to load in a line of the model's own, with what helps."""
    if reading.status != "failed" or not reading.error:
        return reading
    tool = reading.measurement.tool or ""
    label = " ".join(tool.split()[:2]) if tool.startswith("onnxruntime ") else "ONNX Runtime"
    if short := newer(reading.error, label):
        return reading.model_copy(update={"error": short, "remedy": REMEDY})
    remedy = f"use a build or a plug-in that has {lacks[1]}" if (lacks := LACKS.search(reading.error)) else None
    return reading.model_copy(update={"remedy": remedy, "error": _PLACE.sub("", reading.error)})


def newer_than_this_host(model: ModelProto) -> str | None:
    """What of a model is newer than this host's ONNX Runtime, which is asked; None = nothing, or there is none here."""
    opsets = {one.domain: one.version for one in model.opset_import}
    most = {domain: OPSET if domain in {"", "ai.onnx"} else OTHER_OPSETS for domain in opsets}
    if model.ir_version <= IR_VERSION and all(opsets[domain] <= most[domain] for domain in opsets):
        return None
    try:
        import onnx
        import onnxruntime
    except ImportError:
        return None
    alike = onnx.load(Path(__file__).with_name("tiny.onnx"))
    alike.ir_version = model.ir_version
    del alike.opset_import[:]
    alike.opset_import.extend(model.opset_import)
    try:
        onnxruntime.InferenceSession(alike.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - of a type for each status, without a base of their own
        return newer(str(error), f"onnxruntime {onnxruntime.__version__} on this host")
    return None
