"""Doubts about a device while a case ran on it: its load, its settings, its clocks, its power, its sensors."""

from __future__ import annotations

from collections.abc import Callable

from benchbench.analysis.disturbances import temperatures
from benchbench.analysis.launches import LaunchSequence
from benchbench.values.conditions import Conditions, SettingSeen
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import number, percent
from benchbench.values.outcome import Outcome

LEAST_SHARE = 0.45  # of a core for each thread: an idle phone's kernel threads, or our own last launch, leave half
MANY_TIMES = 2.0  # as long with more threads as with one: far beyond what threads cost where there are cores for them
OWN_LOAD = 0.1  # of a core that the controller may take while its own host is measured

REMEDIES = {  # of settings that did not hold
    "governor": "governors need root; the device's kernel says which values it takes",
    "stay awake": "keep the phone awake in its developer options",
    "task profile": "the phone's settaskprofile says which profiles it has",
    "affinity": "the system keeps the process on other cores: ask for those",
}
LEAVE_OUT = {  # of those that there are none of
    "governor": "its kernel sets no clocks, as that of a virtual machine: measure on hardware, or leave it out",
    "stay awake": "Android alone has it: leave it out where there is no phone",
    "task profile": "Android alone has it: leave it out where there is no phone",
}


def _load(launches: LaunchSequence) -> Doubt | None:
    seen = [o.before.load for o in launches.counted if o.before and o.before.load is not None]
    if not launches.cores or not seen:
        return None
    threads = launches.threads or 1
    share = launches.cores / (max(seen) + min(threads, launches.cores))  # what the scheduler gives to each, if alike
    if share >= LEAST_SHARE:
        return None
    wanted = f"{threads} threads have" if threads > 1 else "one thread has"
    load = f"load up to {max(seen):.1f} on {launches.cores} cores before a launch"
    text = f"{load}: {wanted} about {percent(share)} of a core"
    remedy = "end other processes on the device" + (", or ask for fewer threads" if threads > 1 else "")
    return Doubt("busy", text + (" each" if threads > 1 else ""), remedy)


def slow_threads(threads: int, times_as_long: float, cores: int | None) -> Doubt | None:
    """More threads that wait for each other: a property of this device and moment, not of the model."""
    if times_as_long < MANY_TIMES:
        return None
    there = f" on {cores} cores" if cores else ""
    text = f"{threads} threads take {number(times_as_long, 2)}× as long as one{there}"
    return Doubt("slow threads", text, "ask for no more threads than there are free cores; end other processes")


def _own_load(launches: LaunchSequence) -> Doubt | None:
    """Of the host alone: elsewhere the controller takes nothing from a launch."""
    shares = [o.quantities["controller_cpu"] for o in launches.counted if "controller_cpu" in o.quantities]
    if not launches.local or not shares or (most := max(shares)) <= OWN_LOAD:
        return None
    text = f"benchbench itself took up to {percent(most)} of a core while a launch ran"
    return Doubt("own load", text, "measure this machine alone, with longer launches, and do not look at the run")


def _settings(launches: LaunchSequence) -> Doubt | None:
    """One of each name is told."""
    lost: dict[str, SettingSeen] = {}
    for setting in (one for o in launches.counted for one in o.settings if not one.held):
        lost.setdefault(setting.name, setting)
    if not lost:
        return None
    texts = [f"{one.name} {one.asked} was asked for, {_instead(one)}" for one in lost.values()]
    remedies = [
        (REMEDIES if one.there else LEAVE_OUT).get(one.name, "leave it out of [measure]") for one in lost.values()
    ]
    return Doubt("setting", "; ".join(texts), "; ".join(dict.fromkeys(remedies)))


def _instead(setting: SettingSeen) -> str:
    if not setting.there:
        return "which this device does not have"
    return f"{setting.got} was in force" if setting.got else "it could not be read"


def _clocks(launches: LaunchSequence) -> Doubt | None:
    found = [c for o in launches.counted if (c := o.before)]
    governed = {seen.got for o in launches.counted for seen in o.settings if seen.name == "governor" and seen.got}
    slow = sorted((governed or {g for c in found for g in c.governors}) - {"performance"})
    if slow:
        advice = 'governor = "performance" in [measure] tells small differences apart, where root may set it'
        return Doubt("governor", f"CPU governor {', '.join(slow)}", advice)
    # Only a performance governor promises the top clock to an idle core, so only then does a low one mean a cap.
    capped = [(c.clocks_mhz[p], top) for c in found for p, top in c.max_clocks_mhz.items() if p in c.clocks_mhz]
    capped = [(now, top) for now, top in capped if now < 0.95 * top]
    if not capped:
        return None
    return Doubt("clock", f"clock at {capped[0][0]:.0f} of {capped[0][1]:.0f} MHz", "look for a thermal or power cap")


def _battery(launches: LaunchSequence) -> Doubt | None:
    if not any(c.charging is False for o in launches.counted for c in _conditions(o)):
        return None
    return Doubt("battery", "ran on battery", "plug the device in: power saving lowers clocks")


def _no_sensor(launches: LaunchSequence) -> Doubt | None:
    measured = [o for o in launches.counted if o.before]
    if not measured or any(temperatures(o) for o in measured):
        return None
    return Doubt("no sensor", "no temperature sensor could be read", "heat cannot be ruled out; repeat when cold")


def _conditions(outcome: Outcome) -> list[Conditions]:
    return [seen for seen in (outcome.before, outcome.after) if seen is not None]


DEVICE_CHECKS: tuple[Callable[[LaunchSequence], Doubt | None], ...] = (
    _load,
    _own_load,
    _settings,
    _battery,
    _clocks,
    _no_sensor,
)
