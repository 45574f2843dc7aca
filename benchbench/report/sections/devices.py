"""The devices that were measured on, and what they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchbench.report.results import Results
from benchbench.report.sections.base import Section, shared_doubts
from benchbench.run_folder.manifest import DeviceRecord
from benchbench.values.device import Cluster
from benchbench.values.formatting import number


def section(results: Results) -> Section:
    shared = shared_doubts(results)
    cards = []
    for run in results.runs:
        for device in run.manifest.devices:
            place = results.place(run.id, device.name)
            doubts = shared.get(place, ())
            cards.append({"place": place, "facts": _facts(device), "error": device.error, "doubts": doubts})
    return Section(
        "devices",
        "What was run where",
        "devices.html",
        content={"cards": cards},
        empty=None if cards else "The run does not say anything about its devices: it was made from logs.",
    )


def _facts(device: DeviceRecord) -> dict[str, str]:
    """A device's traits in words; what the device does not say is left out.

    So are `traits.accelerators`: a runtime may be built for what a device does not have. The delegates' rows say it.
    """
    known: dict[str, Any] = {"reached": device.reached}
    if traits := device.traits:
        system = " ".join(filter(None, (traits.os, traits.os_version)))
        known |= {
            "model": traits.model,
            "SoC": traits.soc,
            "system": system + (f" (SDK {traits.sdk})" if traits.sdk else ""),
            "ABI": traits.abi,
            "cores": " + ".join(map(_cores, traits.clusters)),
            "memory": f"{traits.memory_mb / 1024:.1f} GiB" if traits.memory_mb else None,
        }
    tools = device.tools.values()
    known["runner"] = _each(f"{tool.name} ({tool.version})" if tool.version else tool.name for tool in tools)
    known["tool sha256"] = _each(tool.sha256 for tool in tools)
    return {name: str(value) for name, value in known.items() if value}


def _each(names: Iterable[str | None]) -> str:
    """What is known, once: two runtimes may share a tool."""
    return ", ".join(dict.fromkeys(filter(None, names)))


def _cores(cluster: Cluster) -> str:
    count = str(len(cluster.cores))
    return f"{count} × {number(cluster.max_mhz / 1000, 2)} GHz" if cluster.max_mhz else count
