"""How a device is doing while a job runs: temperatures and clocks each second, slow commands at a slow beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

from benchbench.instruments.base import Seen, Watch
from benchbench.instruments.conditions import capped, celsius, from_hal, hottest, mattering, mhz, throttle_flags
from benchbench.values.conditions import DuringConditions, SensorSeries
from benchbench.values.device import Traits
from benchbench.values.job import Job, JobResult, RawConditions, Sample, Sampling
from benchbench.values.key_values import number, pairs

FAST, SLOW = "conditions", "throttling"  # names of the two samplings
EVERY_S, SELDOM_S = 1.0, 10.0
ZONE = "/sys/class/thermal/thermal_zone{}/temp"
CLOCK, ALLOWED = ("/sys/devices/system/cpu/cpufreq/{}/" + file for file in ("scaling_cur_freq", "scaling_max_freq"))
SLOW_COMMAND = "throttling"  # a function of agent.sh: dumpsys thermalservice, vcgencmd
Told = dict[str, list[tuple[float, float]]]  # by sensor: the device's uptime and the value, look by look


@dataclass(frozen=True, slots=True)
class ConditionsDuring:
    """Files by what they tell of: a sensor, or a cluster of cores. `allowed_mhz` is what each had when idle."""

    zones: Mapping[str, str]
    clocks: Mapping[str, str]
    limits: Mapping[str, str]
    allowed_mhz: Mapping[str, float]
    commands: tuple[str, ...] = ()

    @classmethod
    def of(cls, idle: RawConditions, traits: Traits) -> ConditionsDuring:
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
        fast, slow = result.samples.get(FAST, ()), result.samples.get(SLOW, ())
        if not fast and not slow:
            return Seen()
        temperatures = _told(fast, self.zones, celsius) or _by(slow, lambda said: from_hal(said).items())
        clocks, limits = _told(fast, self.clocks, _mhz), _told(fast, self.limits, _mhz)
        flags = _by(slow, lambda said: ((flag, 1.0) for flag in throttle_flags(said)))
        highest = _each(temperatures, max)
        all_told = {"temperature": temperatures, "clock": clocks, "clock limit": limits, "throttled": flags}
        seen = DuringConditions(
            looks=len({sample.uptime_s for sample in fast or slow}),
            began=result.began and result.began.isoformat(timespec="milliseconds"),
            temperature_c=hottest(highest),
            temperatures_c=highest,
            clocks_mhz=_each(clocks, median),
            lowest_clocks_mhz=_each(clocks, min),
            throttled=tuple(dict.fromkeys([*flags, *capped(_each(limits, min), self.allowed_mhz)])),
            series=tuple(_series(all_told, result.began_s)),
        )
        return Seen(fields={"during": seen})


def _told(samples: Iterable[Sample], files: Mapping[str, str], read: Callable[[str], float | None]) -> Told:
    """What the samples of these files say, by what each file tells of; absurd ones are left out."""
    found: Told = {}
    for sample in samples:
        value = read(sample.text) if sample.source in files else None
        if value is not None:
            found.setdefault(files[sample.source], []).append((sample.uptime_s, value))
    return found


def _by(samples: Iterable[Sample], read: Callable[[Mapping[str, str]], Iterable[tuple[str, float]]]) -> Told:
    """The same of lines of a command."""
    found: Told = {}
    for sample in samples:
        for name, value in read(pairs(sample.text)):
            found.setdefault(name, []).append((sample.uptime_s, value))
    return found


def _each(told: Told, statistic: Callable[[list[float]], float]) -> dict[str, float]:
    return {name: statistic([value for _, value in looks]) for name, looks in told.items()}


def _series(all_told: Mapping[str, Told], began_s: float | None) -> Iterator[SensorSeries]:
    """By quantity and sensor, from the beginning of the tool on; none where the device does not tell when that was."""
    for quantity, told in all_told.items() if began_s is not None else ():
        for name, looks in told.items():
            second = tuple(round(at - (began_s or 0), 2) for at, _ in looks)
            yield SensorSeries(quantity=quantity, sensor=name, second=second, value=tuple(value for _, value in looks))


def _mhz(khz: str) -> float | None:
    value = number(khz)
    return value / 1000 if value else None
