"""How each trial is measured, as a matrix says it and a run keeps it."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from benchbench.values.device import Frozen

MAX_ROUNDS = 30
FEWEST_PRECISE = 8  # launches that are precise by what they say themselves: fewer are so too often by chance


class Cooldown(Frozen):
    """Wait before a trial until the sensors that matter are cool, but not for ever."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["below_c"]}, {"required": ["above_idle_c"]}]},
    )

    below_c: float | None = Field(
        default=None, gt=0, lt=120, description="Wait until the hottest sensor is not above this, in °C."
    )
    above_idle_c: float | None = Field(
        default=None,
        gt=0,
        lt=100,
        description="Wait until no sensor is so many °C above what it said when the run began on the device.",
    )
    at_most_seconds: float = Field(default=300, gt=0, description="Then the trial begins all the same, and is marked.")

    @model_validator(mode="after")
    def _for_something(self) -> Cooldown:
        if self.below_c is None and self.above_idle_c is None:
            raise ValueError("give below_c or above_idle_c: the temperature to wait for")
        return self


class MeasurementSettings(Frozen):
    """How each trial is measured; everything that affects a number is here and is recorded."""

    rounds: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Launches per case, or the least of them: the sample of every statistic. Intervals need 6.",
    )
    precision: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Further rounds until half the interval of a case's median is at most this share of it.",
        examples=[0.02],
    )
    goal: Literal["best"] | None = Field(
        default=None,
        description="Further rounds only for cases that may still be the best of their device and family: the "
        "fastest, or what best_by says.",
        examples=["best"],
    )
    best_by: str | None = Field(
        default=None,
        description="With goal: the best is that of the lowest such column of the cases (reports/README.md), or the "
        "highest where that is better: any that each launch has. [median_ms]",
        examples=["init_ms"],
    )
    loses_at_most: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="With goal: a case that loses more accuracy than this cannot be the best. [0.01]",
        examples=[0.01],
    )
    max_rounds: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="With precision or goal: launches per case, at most. [30]",
        examples=[30],
    )
    budget_minutes: float | None = Field(
        default=None,
        gt=0,
        description="With precision or goal: no further round that would not end in so much time of launches.",
        examples=[30],
    )
    runs: int = Field(default=50, ge=1, description="Inferences per launch, at least.")
    min_seconds: float = Field(default=1.0, ge=0, description="Inferences go on for so long, at least.")
    max_seconds: float = Field(default=150.0, gt=0, description="No inference begins after so long.")
    warmup_runs: int = Field(default=5, ge=1, description="Inferences before those, at least.")
    warmup_min_seconds: float = Field(default=0.5, ge=0, description="They go on for so long, at least.")
    timeout_seconds: float = Field(
        default=600.0,
        gt=0,
        description="A launch that takes longer is ended by the device. Warm-up and runs may each take max_seconds.",
    )
    retries: int = Field(default=2, ge=0, le=20, description="Further attempts after a fault that may pass.")
    cooldown: Cooldown | None = Field(
        default=None,
        description="Wait before each trial until the device is cool.",
        examples=[{"below_c": 40, "at_most_seconds": 300}],
    )
    repeat_disturbed: int = Field(
        default=1,
        ge=0,
        le=10,
        description="How often launches that were throttled, hot or beside a canary that was off are measured again "
        "when the rounds are done and the device has cooled.",
    )
    governor: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_-]*$",
        description="The CPU governor of all cores during each launch; needs root. [as it is]",
        examples=["performance"],
    )
    stay_awake: bool = Field(
        default=False, description="Android phones that are plugged in stay awake during launches."
    )
    task_profile: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="Android: the task profile of each launch (settaskprofile); shell programs are scheduled unlike "
        "apps. [as it is]",
        examples=["MaxPerformance"],
    )
    profile: bool = Field(
        default=False, description="One more launch per case that times each operator; it never counts as latency."
    )
    canary: bool = Field(
        default=True,
        description="A small model of benchbench's own is measured before, between and after the rounds, with one "
        "thread and with as many as any case has: it shows when a device is not as fast as it was, with or without a "
        "sensor.",
    )
    require_delegation: bool = Field(
        default=False, description="A trial fails where the delegate did not take the whole graph."
    )
    input_seed: int = Field(default=0, ge=0, description="The seed of random inputs.")

    @model_validator(mode="after")
    def _order(self) -> MeasurementSettings:
        if self.min_seconds > self.max_seconds:
            raise ValueError("min_seconds must not exceed max_seconds")
        if self.warmup_min_seconds > self.max_seconds:
            raise ValueError("warmup_min_seconds must not exceed max_seconds")
        least = self.warmup_min_seconds + self.min_seconds
        if least >= self.timeout_seconds:
            raise ValueError(
                f"no trial can end in time: timeout_seconds = {self.timeout_seconds:g} is not more than "
                f"warmup_min_seconds + min_seconds = {least:g}"
            )
        return self

    @model_validator(mode="after")
    def _rounds_of_a_kind(self) -> MeasurementSettings:
        if self.goal is None and (self.loses_at_most is not None or self.best_by is not None):
            raise ValueError("loses_at_most and best_by are nothing without goal")
        if not self.adaptive and (self.max_rounds is not None or self.budget_minutes is not None):
            raise ValueError("max_rounds and budget_minutes are nothing without precision or goal")
        if self.adaptive and self.rounds >= self.most_rounds:
            raise ValueError(f"rounds must be less than max_rounds = {self.most_rounds}")
        return self

    @property
    def adaptive(self) -> bool:
        """Whether rounds after the first `rounds` are only for cases that need them."""
        return self.precision is not None or self.goal is not None

    @property
    def least_rounds(self) -> int:
        """That a case has which goes well; a budget may end it after `rounds`."""
        if self.precision is None or self.goal is not None or self.budget_minutes is not None:
            return self.rounds
        return min(max(self.rounds, FEWEST_PRECISE), self.most_rounds)

    @property
    def most_rounds(self) -> int:
        return (self.max_rounds or MAX_ROUNDS) if self.adaptive else self.rounds
