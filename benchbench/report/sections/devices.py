"""The devices that were measured on, and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, shared_doubts
from benchbench.values.formatting import number


def section(results: Results) -> Section:
    shared = shared_doubts(results)
    cards = []
    for run in results.runs:
        for device in run.manifest["devices"]:
            place = results.place(run.id, str(device.get("name")))
            cards.append(
                {"place": place, "facts": _facts(device), "error": device.get("error"), "doubts": shared.get(place, ())}
            )
    return Section(
        "devices",
        "What was run where",
        "devices.html",
        content={"cards": cards},
        empty=None if cards else "The run does not say anything about its devices: it was made from logs.",
    )


def _facts(device: Mapping[str, Any]) -> dict[str, str]:
    """A device's traits in words; what the device does not say is left out."""
    traits = device.get("traits") or {}
    clusters = [
        f"{len(c.get('cores') or ())} × {number(c['max_mhz'] / 1000, 2)} GHz"
        if c.get("max_mhz")
        else f"{len(c.get('cores') or ())}"
        for c in traits.get("clusters") or []
    ]
    system = " ".join(str(traits[key]) for key in ("os", "os_version") if traits.get(key))
    facts = {
        "reached": device.get("reached"),
        "model": traits.get("model"),
        "SoC": traits.get("soc"),
        "system": system + (f" (SDK {traits['sdk']})" if traits.get("sdk") else ""),
        "ABI": traits.get("abi"),
        "cores": " + ".join(clusters),
        "memory": f"{traits['memory_mb'] / 1024:.1f} GB" if traits.get("memory_mb") else None,
        "runner": device.get("runner"),
        "runtime": traits.get("runtime"),
        "accelerators": ", ".join(traits.get("accelerators") or []),
        "tool sha256": device.get("tool_sha256"),
    }
    return {name: str(value) for name, value in facts.items() if value}
