"""Doubts: reasons not to believe a case's number as it stands, as values with their remedies.

Each check looks at the launches of one case and says one thing or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from statistics import fmean, median, stdev

from benchbench.analysis.device_doubts import DEVICE_CHECKS
from benchbench.analysis.launches import LaunchSequence
from benchbench.runtimes import backend_type
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import RANGE_UP_TO, counted, coverage, number, percent, tallied
from benchbench.values.outcome import Outcome

NOISY = 0.10  # standard deviation of the launches / their mean
WARM_START = 5.0  # first inference / steady inference
# Kinds of doubt.
OF_THE_DEVICE = {"busy", "own load", "setting", "battery", "clock", "few launches", "governor", "no sensor"}
# By the kind of a disturbance, gravest first.
DOUBT_OF = {"throttled": "throttled", "hot": "hot", "canary": "other speed"}
_LATE = re.compile(r"time limit|timed? ?out|deadline|too late", re.IGNORECASE)


def doubts(launches: LaunchSequence) -> tuple[Doubt, ...]:
    """All that speaks against the numbers of one case, gravest first."""
    return tuple(doubt for check in _CHECKS if (doubt := check(launches)) is not None)


def common_doubts(measured: Iterable[Sequence[Doubt]]) -> tuple[Doubt, ...]:
    """The doubts that every one of several measured cases of a device has, to be said once and not with each.

    What is about the device and not about the case is one doubt, whatever the figure in each.
    """
    kinds = [{doubt.kind: doubt for doubt in doubts} for doubts in measured]
    told = []
    for kind in sorted(set.intersection(*(set(by_kind) for by_kind in kinds))) if len(kinds) > 1 else ():
        texts = {by_kind[kind].text: by_kind[kind] for by_kind in kinds}
        first = next(iter(texts.values()))
        if len(texts) == 1:
            told.append(first)
        elif kind in OF_THE_DEVICE:
            told.append(replace(first, text=f"e.g. {first.text}"))
    return tuple(told)


def _fell_back(launches: LaunchSequence) -> Doubt | None:
    fallen = [o for o in launches.outcomes if o.status == "ok" and o.delegation.verdict in {"none", "unavailable"}]
    if not fallen or not backend_type(launches.kind).is_delegate:
        return None
    said = fallen[-1].delegation
    words = "took no node" if said.verdict == "none" else "is unavailable"
    some = "" if len(fallen) == len(launches.outcomes) else f" in {len(fallen)} of {len(launches.outcomes)} launches"
    evidence = f": “{said.evidence}”" if said.evidence else ""
    advice = fallen[-1].remedy or "do not read this as the delegate's number; see the log for why it was not taken"
    return Doubt("fell back", f"{said.asked or launches.kind} {words}{some}{evidence}", advice)


def _unconfirmed(launches: LaunchSequence) -> Doubt | None:
    asked = launches.kind is not None and backend_type(launches.kind).is_delegate
    if not asked or all(o.delegation.verdict != "unknown" for o in launches.counted):
        return None
    return Doubt("unconfirmed", "nothing says what really ran the graph", "use a tool or log that reports delegation")


def _partial(launches: LaunchSequence) -> Doubt | None:
    said = next((o.delegation for o in launches.counted if o.delegation.verdict == "partial"), None)
    if said is None:
        return None
    nodes = f"{said.nodes_delegated} of {said.nodes_total} nodes" if said.nodes_total else "some nodes"
    parts = f" in {said.partitions} partition{'s' if said.partitions != 1 else ''}" if said.partitions else ""
    rest = f", the rest ran on {said.fallback}" if said.fallback else ""
    left = f"; it left {tallied(said.left)}" if said.left else ""
    remedy = "profile = true in [measure] shows what the rest takes of the time"
    return Doubt("partial", f"{said.asked} took {nodes}{parts}{rest}{left}", remedy)


def _failed(launches: LaunchSequence) -> Doubt | None:
    failed = [o for o in launches.outcomes if o.status in {"failed", "incomplete"}]
    if not failed:
        return None
    last, kind = failed[-1], "failed"
    advice = f"see {last.log} in the run folder" if last.log else "`benchbench devices` says what a device can run"
    if all(o.delegation.verdict == "unavailable" for o in failed):
        kind = "unavailable"
        advice = (
            "`benchbench devices` says what the device can run, or leave the delegate out" if last.error else advice
        )
    elif all(_LATE.search(o.error or "") for o in failed):
        kind, advice = "timed out", "raise timeout_seconds or ask for fewer runs"
    verb = "could not have it" if kind == "unavailable" else kind
    text = f"{len(failed)} of {counted(len(launches.outcomes), 'launch', 'launches')} {verb}"
    text += f": {last.error.rstrip('.')}" if last.error else ""
    return Doubt(kind, text, last.remedy or advice)


def _disturbed(launches: LaunchSequence) -> Doubt | None:
    every = [o for o in launches.outcomes if o.status == "ok"]
    found = [launches.disturbed[o.trial] for o in every if o.trial in launches.disturbed]
    if not found:
        return None
    by_kind = {kind: [why for why in found if why.kind == kind] for kind in DOUBT_OF}
    told = [f"{len(alike)} of {len(every)} launches {alike[-1].text}" for alike in by_kind.values() if alike]
    effect = "left out of the number" if len(found) < len(every) else "so this is no headline number"
    gravest = next(kind for kind, alike in by_kind.items() if alike)
    remedy = "cool the device, set a cooldown in [measure], or measure fewer cases in a row"
    return Doubt(DOUBT_OF[gravest], f"{', '.join(told)}; {effect}", remedy)


def _cache(launches: LaunchSequence) -> Doubt | None:
    asked = [use for o in launches.counted if (use := o.cache)]
    unused = [use for use in asked if not use.used]
    if not unused:
        return None
    sure = any(use.used is False for use in unused)
    some = "" if len(unused) == len(asked) else f" in {len(unused)} of {len(asked)} launches"
    what = "cache asked for, not used" if sure else "cache asked for, and nothing tells that it was used"
    remedy = "do not read its initialisation as that of such a start; the log of the launch may tell more"
    return Doubt("cache", f"{what}{some}: {unused[-1].evidence}", remedy)


def _few_launches(launches: LaunchSequence) -> Doubt | None:
    n = len(launches.counted)
    if not 0 < n < 4:
        return None
    odds = "there is no interval" if n < 3 else f"instead of an interval there is their range, {percent(coverage(n))}"
    remedy = f"measure {RANGE_UP_TO + 1} rounds or more"
    if all(imported(o) for o in launches.counted):
        remedy = f"import logs of {RANGE_UP_TO + 1} launches or more"
    return Doubt("few launches", f"only {counted(n, 'launch', 'launches')} counted: {odds}", remedy)


def _noisy(launches: LaunchSequence) -> Doubt | None:
    times = launches.times
    if len(times) < 2 or not any(times) or (cv := stdev(times) / fmean(times)) <= NOISY:
        return None
    return Doubt("noisy", f"launches vary by {percent(cv)} (CV)", "more rounds, a cool and otherwise idle device")


def _fewer_runs(launches: LaunchSequence) -> Doubt | None:
    short = [m for o in launches.counted if (m := o.measurement).runs and m.runs_asked and m.runs < m.runs_asked]
    if not short:
        return None
    got = min(short, key=lambda m: m.runs or 0)
    text = f"{got.runs} runs instead of {got.runs_asked} in {len(short)} of {len(launches.counted)} launches"
    return Doubt("fewer runs", text, "raise max_seconds, or ask for fewer runs")


def _threads(launches: LaunchSequence) -> Doubt | None:
    got = {o.measurement.threads for o in launches.counted} - {None, launches.threads}
    if launches.threads is None or not got:
        return None
    said = ", ".join(str(n) for n in sorted(n for n in got if n is not None))
    return Doubt("threads", f"{launches.threads} threads asked for, {said} used", "the delegate sets its own number")


def _open_shape(launches: LaunchSequence) -> Doubt | None:
    if not launches.open_inputs or not launches.counted:
        return None
    names = ", ".join(launches.open_inputs)
    text = f"the model leaves the size of {names} open, and ran at the shape that stands in its file, often a size of 1"
    return Doubt("open shape", text, "give `inputs = [{ shape = […] }, …]` in its [[model]]")


def _slow_start(launches: LaunchSequence) -> Doubt | None:
    ratios = [t.first / t.typical for o in launches.counted if (t := o.measurement.timings).first and t.typical]
    if not ratios or (ratio := median(ratios)) < WARM_START:
        return None
    return Doubt(
        "slow start",
        f"the first inference takes {number(ratio, 2)}× as long as a steady one",
        "see the phases for cold use",
    )


def _profiled(launches: LaunchSequence) -> Doubt | None:
    if not any(o.measurement.profile for o in launches.counted):
        return None
    return Doubt("profiled", "measured with op profiling on, which slows it", "measure without profiling")


def _imported(launches: LaunchSequence) -> Doubt | None:
    if not any(imported(o) for o in launches.outcomes):
        return None
    text = "read from a log, not measured by benchbench: conditions and settings are unknown"
    return Doubt("imported", text, "measure it with benchbench, or ask whoever made the log")


def imported(outcome: Outcome) -> bool:
    """Whether the numbers come from somebody else's log: whatever benchbench measures has a wall-clock time."""
    return outcome.status not in {"failed", "skipped"} and outcome.wall_s is None


_CHECKS: tuple[Callable[[LaunchSequence], Doubt | None], ...] = (
    _fell_back,
    _failed,
    _unconfirmed,
    _partial,
    _disturbed,
    _cache,
    _few_launches,
    _noisy,
    _profiled,
    _fewer_runs,
    _threads,
    _open_shape,
    _slow_start,
    *DEVICE_CHECKS,
    _imported,
)
