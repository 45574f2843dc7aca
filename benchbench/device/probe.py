"""What `agent.sh probe` says, as Traits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Literal

from benchbench.values.device import Cluster, Traits
from benchbench.values.key_values import number

MOST_CORES = 1024  # what a device may claim to have


def online_cores(text: str) -> tuple[int, ...]:
    """The kernel's list format, `0-3,6`, as numbers."""
    cores: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdecimal() and (not last or last.isdecimal()):
            cores += range(int(first), min(int(last or first), MOST_CORES - 1) + 1)
    return tuple(cores)


def clusters(values: Mapping[str, str]) -> tuple[Cluster, ...]:
    """Cores grouped by maximum frequency, slowest first; one cluster where the device does not say."""
    grouped: dict[float | None, list[int]] = defaultdict(list)
    for core in online_cores(values.get("online", "")):
        khz = number(values.get(f"max_khz.{core}"))
        grouped[khz / 1000 if khz else None].append(core)
    ordered = sorted(grouped.items(), key=lambda item: item[0] or 0)
    return tuple(Cluster(cores=tuple(cores), max_mhz=mhz) for mhz, cores in ordered)


def mask(cluster_list: tuple[Cluster, ...], affinity: str) -> str | None:
    """The taskset mask (hex) of "big", "little", "all" or a mask as it is; None = no pinning.

    For cores that are there: see `missing_cores`.
    """
    if affinity not in {"big", "little", "all"}:
        return affinity
    if affinity == "all" or len(cluster_list) < 2:
        return None
    chosen = cluster_list[-1] if affinity == "big" else cluster_list[0]
    return f"{sum(1 << core for core in chosen.cores):x}"


def missing_cores(cluster_list: tuple[Cluster, ...], affinity: str) -> str | None:
    """Why a device has no such cores as "big" or "little" names; None = it has, or that is not asked for."""
    if affinity not in {"big", "little"} or len(cluster_list) > 1:
        return None
    told = any(cluster.max_mhz for cluster in cluster_list)
    why = "all cores that are on are alike" if told else "the device does not tell how fast its cores are"
    return f'affinity = "{affinity}": {why}: use "all", or a mask'


def read_probe(values: Mapping[str, str]) -> Traits:
    """Traits from the agent's key=value pairs; the interpreter and its runtime are looked at separately."""
    os: Literal["android", "linux", "macos"] = "android" if "sdk" in values else "linux"
    if values.get("kernel") == "Darwin":
        os = "macos"
    memory_kb = number(values.get("memory_kb"))
    sdk = number(values.get("sdk"))
    release = values.get("os_release") or None
    return Traits(
        os=os,
        os_version=f"Android {values.get('android', '?')}" if os == "android" else release,
        sdk=int(sdk) if sdk else None,
        abi=values.get("abi") or values.get("machine") or "unknown",
        soc=values.get("soc") or values.get("cpu") or None,
        model=values.get("model") or values.get("cpu") or None,
        clusters=clusters(values),
        memory_mb=memory_kb / 1024 if memory_kb else None,
        python=values.get("python") or None,
        environment=values.get("environment") or None,
        home=values.get("home") or None,
        accelerators=("opencl",) if values.get("opencl") else (),
        boot_id=values.get("boot_id"),
    )
