"""How a device was before, during and after a trial, and what was set on it for that time.

Temperatures are degrees Celsius, clocks MHz. None means that nobody said.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from benchbench.values.device import Frozen


class Conditions(Frozen):
    """The device at one instant."""

    at: str  # UTC, ISO 8601, by this host's clock
    temperature_c: float | None = None  # the hottest of the sensors that matter (CPU, SoC, GPU, skin)
    temperatures_c: dict[str, float] = Field(default_factory=dict)
    clocks_mhz: dict[str, float] = Field(default_factory=dict)  # policy -> current
    max_clocks_mhz: dict[str, float] = Field(default_factory=dict)
    allowed_clocks_mhz: dict[str, float] = Field(default_factory=dict)  # policy -> what it may have now (thermal caps)
    governors: tuple[str, ...] = ()
    throttled: tuple[str, ...] = ()  # flags as the device names them, empty = none seen
    throttled_since_boot: tuple[str, ...] = ()  # flags that the device remembers
    battery_percent: float | None = None
    charging: bool | None = None
    load: float | None = None  # one-minute load average
    memory_available_mb: float | None = None


class SensorSeries(Frozen):
    """What one sensor told while a job ran: values and when, in seconds since the tool began."""

    quantity: (
        str  # "temperature" (°C), "clock" and "clock limit" (MHz), "throttled" (1 at each look at which it was so)
    )
    sensor: str  # a thermal zone, a cluster of cores, a throttle flag
    second: tuple[float, ...]
    value: tuple[float, ...]

    @model_validator(mode="after")
    def _a_value_a_look(self) -> Self:
        if len(self.second) != len(self.value):
            raise ValueError("as many values as seconds")
        return self


class DuringConditions(Frozen):
    """The device while a job ran, of so many looks at it."""

    looks: int
    began: str | None = None  # the tool; UTC, ISO 8601, by this host's clock
    temperature_c: float | None = None  # the hottest of the sensors that matter
    temperatures_c: dict[str, float] = Field(default_factory=dict)  # sensor -> hottest
    clocks_mhz: dict[str, float] = Field(default_factory=dict)  # policy -> median
    lowest_clocks_mhz: dict[str, float] = Field(default_factory=dict)
    throttled: tuple[str, ...] = ()
    series: tuple[SensorSeries, ...] = ()  # in a file of their own: run_folder/conditions.py


class SettingSeen(Frozen):
    """A setting of the device that was asked for, and what was read back; None = it could not be read."""

    name: str  # "governor", "stay awake", "task profile", "affinity"
    asked: str
    got: str | None = None
    where: str | None = None  # the file or key, where a device has several
    there: bool = True  # whether a device such as this one has it at all

    @property
    def held(self) -> bool:
        return self.got == self.asked
