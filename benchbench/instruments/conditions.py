"""How a device is doing: temperature, clocks, throttling, battery, load; read by the agent around a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchbench.device.session import Session
from benchbench.instruments.base import Seen, Watch
from benchbench.values.conditions import Conditions
from benchbench.values.job import Job, JobResult, RawConditions
from benchbench.values.key_values import number
from benchbench.values.measurement_settings import Cooldown

# Raspberry Pi, `vcgencmd get_throttled`: bit n is now, bit n + 16 is "has occurred since boot".
# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
PI_THROTTLE_BITS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
# Android, `dumpsys thermalservice`: android.os.PowerManager.THERMAL_STATUS_*; light (1) is not throttling yet.
ANDROID_THERMAL_STATUS = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
CPU_LIKE = re.compile(r"cpu|soc|gpu|npu|pkg|core|big|mid|little|tsens|skin|ap\b|acpitz|k10", re.IGNORECASE)
# android.os.Temperature.TYPE_*: what computing heats; the battery (2) and the rest follow slowly or not at all.
HAL_COUNTS = {"0": "CPU", "1": "GPU", "3": "skin"}
LOWER = 0.95  # a clock limit below this share of the idle device's is a cap
NOT_CPU = re.compile(r"batt|bms|chg|charger|usb|wifi|modem|pmic|camera", re.IGNORECASE)


def celsius(raw: str) -> float | None:
    """A thermal zone's reading: millidegrees by the kernel's rule, degrees or tenths on some phones; None if absurd."""
    value = number(raw)
    if value is None:
        return None
    degrees = value / 1000 if abs(value) >= 1000 else value / 10 if abs(value) > 150 else value
    return degrees if 1 <= degrees <= 150 else None


def mattering(sensors: Iterable[str]) -> list[str]:
    """The sensors that matter for computing: of CPU, SoC, GPU and skin, else all but battery and radio."""
    possible = [name for name in sensors if not NOT_CPU.search(name)]
    return [name for name in possible if CPU_LIKE.search(name)] or possible


def hottest(temperatures_c: Mapping[str, float]) -> float | None:
    """The hottest sensor that matters."""
    return max((temperatures_c[name] for name in mattering(temperatures_c)), default=None)


def above_idle(now: Conditions, idle: Conditions) -> float | None:
    """How far above idle the sensor is that has risen most, of those that matter; None where no sensor has both."""
    known = [name for name in mattering(now.temperatures_c) if name in idle.temperatures_c]
    return max((now.temperatures_c[name] - idle.temperatures_c[name] for name in known), default=None)


def too_warm(now: Conditions, idle: Conditions | None, cooldown: Cooldown) -> bool:
    """Whether a device is to cool down further before it is measured; one without a sensor is not."""
    limit, risen = cooldown.below_c, above_idle(now, idle) if idle else None
    if limit is not None and now.temperature_c is not None and now.temperature_c > limit:
        return True
    return cooldown.above_idle_c is not None and risen is not None and risen > cooldown.above_idle_c


def from_hal(values: Mapping[str, str]) -> dict[str, float]:
    """What Android's thermal HAL says of CPU, GPU and skin, by the name of the sensor; always in degrees."""
    found = {}
    for key, raw in values.items():
        kind, _, name = key.removeprefix("hal.").partition(".")
        degrees = number(raw)
        if key.startswith("hal.") and kind in HAL_COUNTS and degrees is not None and 1 <= degrees <= 150:
            found[name] = degrees
    return found


def _pi_bits(text: str | None) -> int:
    match = re.search(r"0x([0-9a-fA-F]+)", text or "")
    return int(match[1], 16) if match else 0


def throttle_flags(values: Mapping[str, str]) -> tuple[str, ...]:
    """What a Pi's firmware and Android's thermal service say of throttling now."""
    bits = _pi_bits(values.get("get_throttled"))
    flags = [name for n, name in enumerate(PI_THROTTLE_BITS) if bits >> n & 1]
    status = number(values.get("thermal_status"))
    if status is not None and status >= 2:
        flags.append(f"thermal status {ANDROID_THERMAL_STATUS[min(int(status), 6)]}")
    return tuple(flags)


def mhz(values: Mapping[str, str], prefix: str) -> dict[str, float]:
    """Clocks by policy: those of the keys with such a prefix, which are in kHz."""
    khz = {key.removeprefix(prefix): number(v) for key, v in values.items() if key.startswith(prefix)}
    return {policy: value / 1000 for policy, value in khz.items() if value}


def capped(allowed_mhz: Mapping[str, float], idle_mhz: Mapping[str, float]) -> tuple[str, ...]:
    """Clusters that may not run as fast any more as when the device was idle: a kernel throttles by such limits."""
    lower = {p: now for p, now in allowed_mhz.items() if p in idle_mhz and now < LOWER * idle_mhz[p]}
    return tuple(f"{policy} capped at {now:.0f} of {idle_mhz[policy]:.0f} MHz" for policy, now in lower.items())


def read_conditions(reading: RawConditions) -> Conditions:
    """Conditions from the agent's reading; what a device does not say, or says absurdly, is None."""
    values = reading.values
    by_zone = {key.removeprefix("thermal."): celsius(v) for key, v in values.items() if key.startswith("thermal.")}
    temperatures = {zone: degrees for zone, degrees in by_zone.items() if degrees is not None}
    by_hal = from_hal(values)

    available_kb = number(values.get("memory_available_kb"))
    bits = _pi_bits(values.get("get_throttled"))
    battery_status = values.get("battery_status")
    return Conditions(
        at=reading.at.isoformat(timespec="milliseconds"),
        temperature_c=hottest(temperatures) if temperatures else max(by_hal.values(), default=None),
        temperatures_c=temperatures or by_hal,
        clocks_mhz=mhz(values, "clock."),
        max_clocks_mhz=mhz(values, "max_clock."),
        allowed_clocks_mhz=mhz(values, "cap."),
        governors=tuple(sorted({v for key, v in values.items() if key.startswith("governor.")})),
        throttled=throttle_flags(values),
        throttled_since_boot=tuple(name for n, name in enumerate(PI_THROTTLE_BITS) if bits >> (n + 16) & 1),
        battery_percent=number(values.get("battery")),
        # Android's BatteryManager: 2 charging, 5 full; Linux: words.
        charging=None if battery_status is None else battery_status in {"2", "5", "Charging", "Full", "Not charging"},
        load=number(values.get("load")),
        memory_available_mb=available_kb / 1024 if available_kb else None,
    )


def with_what_passed(before: Conditions, after: Conditions) -> Conditions:
    """`after`, with the throttling that came and went in between: a since-boot flag that was not there before."""
    new = [flag for flag in after.throttled_since_boot if flag not in before.throttled_since_boot]
    flags = dict.fromkeys([*after.throttled, *[f"{flag} in between" for flag in new if flag not in after.throttled]])
    return after.model_copy(update={"throttled": tuple(flags)})


@dataclass(frozen=True, slots=True)
class ConditionsAround:
    """The device just before a job and just after it: `before` and `after` of the outcome; `idle`: before all of them.

    Where one job follows another at once, the reading after the one is the reading before the other: the same, with
    the same time. The device decides, by its own clock: a reading older than two seconds is not used, and only the
    last one of the session is, since when no other job ran.
    """

    idle: RawConditions | None = None

    @contextmanager
    def around(self, job: Job) -> Iterator[Watch]:
        yield Watch(replace(job, conditions=True), self._seen)

    def _seen(self, result: JobResult) -> Seen:
        idle = read_conditions(self.idle) if self.idle else None
        before, after = (self._read(reading, idle) for reading in (result.before, result.after))
        risen = above_idle(before, idle) if before and idle else None
        fields = {"before": before, "after": with_what_passed(before, after) if before and after else after}
        return Seen({} if risen is None else {"above_idle_c": risen}, fields)

    def _read(self, reading: RawConditions | None, idle: Conditions | None) -> Conditions | None:
        if reading is None:
            return None
        seen = read_conditions(reading)
        caps = capped(seen.allowed_clocks_mhz, idle.allowed_clocks_mhz) if idle else ()
        return seen.model_copy(update={"throttled": (*seen.throttled, *caps)})


def now(session: Session) -> Conditions:
    """The device at this instant."""
    return read_conditions(session.reading())
