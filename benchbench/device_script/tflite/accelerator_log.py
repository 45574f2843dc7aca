"""What LiteRT's accelerators took, from what they write to stderr: they report it nowhere else."""

from __future__ import annotations

import re

from ..native_log import line_with, native_text
from ..protocol import Delegation

NOT_ALL = "Some ops are not accelerated"
_PARTITIONED = (
    r"Partitioned subgraph<0>, selected (\d{1,9}) ops, from a total of (\d{1,9}) ops. resulted in (\d{1,9}) partitions"
)
_REASONS = {
    "gpu": (r"No adapters found", r"Couldn't load Vulkan", r"vkCreateInstance", r"^ERROR"),
    "npu": (
        r"Cannot load library",
        r"Could not load shared library",
        r"No compiler plugin found",
        r"Failed to compile|Failed to apply",
    ),
}


def gpu_library() -> str:
    """The line that names the GPU library in use."""
    return line_with(r"Dynamically loaded GPU accelerator", native_text()) or "an unknown GPU library"


def full_evidence(accelerator: str) -> str:
    """What was said when an accelerator took the whole graph."""
    text = native_text()
    said = line_with(r"Selected adapter:|Selected OpenCL", text) if accelerator == "gpu" else _npu_evidence(text)
    return _joined(f"compiled for the {accelerator.upper()} alone", said)


def partial_delegation(accelerator: str) -> Delegation:
    """What an accelerator took beside the CPU, from the log lines that report it; no such line = it took nothing."""
    return _gpu_share(native_text()) if accelerator == "gpu" else _npu_share(native_text())


def native_reason(accelerator: str) -> str | None:
    """The line that tells best why an accelerator cannot be used."""
    text = native_text()
    for pattern in _REASONS[accelerator]:
        line = line_with(pattern, text)
        if line:
            why = line_with(r"vkCreateInstance: |Couldn't load Vulkan|Vulkan \S+ required", text)
            return line if not why or why == line else f"{line} ({why})"
    return None


def _gpu_share(text: str) -> Delegation:
    line = line_with(r"operations will run on the (GPU|CPU)", text) or ""
    found = re.search(r"(\d{1,9}) operations will run on the GPU, and the remaining (\d{1,9})", line)
    taken, rest = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
    if not taken:
        return Delegation("none", evidence=line or "no line says that the GPU took anything")
    evidence = _joined(line, line_with(r"Selected adapter:", text))
    return Delegation("partial", nodes_delegated=taken, nodes_total=taken + rest, evidence=evidence)


def _npu_share(text: str) -> Delegation:
    applied = re.search(r"(\d{1,9}) compiler plugins? (?:was|were) applied", text)
    parted = re.search(_PARTITIONED, text)
    if applied and int(applied.group(1)) and parted and int(parted.group(1)):
        taken, total, partitions = (int(group) for group in parted.groups())
        return Delegation(
            "partial", nodes_delegated=taken, nodes_total=total, partitions=partitions, evidence=_npu_evidence(text)
        )
    reason = native_reason("npu")
    if reason:
        # From Python only the first partition gets the backend that was asked for; the line tells when there are more.
        return Delegation("unavailable", evidence=_joined(reason, parted and parted.group(0)))
    return Delegation("none", evidence="no line says that the NPU took anything")


def _npu_evidence(text: str) -> str:
    patterns = (r"Partitioned subgraph<0>", r"plugins were applied", r"Using Intel OpenVINO device")
    return _joined(*[line_with(pattern, text) for pattern in patterns])


def _joined(*lines: str | None) -> str:
    return "; ".join([line for line in lines if line])
