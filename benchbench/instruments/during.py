"""How a device is doing while a job runs: temperatures and clocks each second, slow commands at a slow beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

from benchbench.instruments.base import Seen, Watch
from benchbench.instruments.conditions import capped, celsius, from_hal, hottest, mattering, mhz, throttle_flags
from benchbench.values.device import Traits
from benchbench.values.job import Job, JobResult, Reading, Sample, Sampling
from benchbench.values.key_values import number, pairs
from benchbench.values.outcome import DuringConditions

FAST, SLOW = "conditions", "throttling"  # names of the two samplings
EVERY_S, SELDOM_S = 1.0, 10.0
ZONE = "/sys/class/thermal/thermal_zone{}/temp"
CLOCK, ALLOWED = ("/sys/devices/system/cpu/cpufreq/{}/" + file for file in ("scaling_cur_freq", "scaling_max_freq"))
SLOW_COMMAND = "throttling"  # a function of agent.sh: dumpsys thermalservice, vcgencmd


@dataclass(frozen=True, slots=True)
class ConditionsDuring:
    """Files by what they tell of: a sensor, or a cluster of cores. `allowed_mhz` is what each had when idle."""

    zones: Mapping[str, str]
    clocks: Mapping[str, str]
    limits: Mapping[str, str]
    allowed_mhz: Mapping[str, float]
    commands: tuple[str, ...] = ()

    @classmethod
    def of(cls, idle: Reading, traits: Traits) -> ConditionsDuring:
        """What a device has of them: sensors that matter, each policy of clocks, and commands that told something."""
        zones = [key.removeprefix("thermal.") for key in idle.values if key.startswith("thermal.")]
        policies = [key.removeprefix("clock.") for key in idle.values if key.startswith("clock.")]
        told = any(key in idle.values for key in ("thermal_status", "get_throttled"))
        return cls(
            {ZONE.format(zone.rpartition("#")[2]): zone for zone in mattering(zones)},
            {CLOCK.format(policy): policy for policy in policies},
            {ALLOWED.format(policy): policy for policy in policies},
            mhz(idle.values, "cap."),
            (SLOW_COMMAND,) if told or traits.os == "android" else (),
        )

    @contextmanager
    def around(self, job: Job) -> Iterator[Watch]:
        files = (*self.zones, *self.clocks, *self.limits)
        fast = (Sampling(FAST, EVERY_S, files),) if files else ()
        slow = (Sampling(SLOW, SELDOM_S, commands=self.commands),) if self.commands else ()
        yield Watch(replace(job, samples=(*job.samples, *fast, *slow)), self._seen)

    def _seen(self, result: JobResult) -> Seen:
        samples = result.samples.get(FAST, ())
        slow = [pairs(sample.text) for sample in result.samples.get(SLOW, ())]
        if not samples and not slow:
            return Seen()
        temperatures = {sensor: max(values) for sensor, values in _numbers(samples, self.zones, celsius).items()}
        temperatures = temperatures or _highest([from_hal(told) for told in slow])
        clocks = _numbers(samples, self.clocks, _mhz)
        limits = {policy: min(values) for policy, values in _numbers(samples, self.limits, _mhz).items()}
        flags = [*(flag for told in slow for flag in throttle_flags(told)), *capped(limits, self.allowed_mhz)]
        seen = DuringConditions(
            looks=len({sample.uptime_s for sample in samples}) or len(slow),
            temperature_c=hottest(temperatures),
            temperatures_c=temperatures,
            clocks_mhz={policy: median(values) for policy, values in clocks.items()},
            lowest_clocks_mhz={policy: min(values) for policy, values in clocks.items()},
            throttled=tuple(dict.fromkeys(flags)),
        )
        return Seen(fields={"during": seen})


def _numbers(
    samples: Sequence[Sample], files: Mapping[str, str], read: Callable[[str], float | None]
) -> dict[str, list[float]]:
    """What the samples of these files say, by what each file tells of; absurd ones are left out."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        value = read(sample.text) if sample.source in files else None
        if value is not None:
            found.setdefault(files[sample.source], []).append(value)
    return found


def _mhz(khz: str) -> float | None:
    value = number(khz)
    return value / 1000 if value else None


def _highest(told: Sequence[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for values in told:
        found |= {name: max(value, found.get(name, value)) for name, value in values.items()}
    return found
