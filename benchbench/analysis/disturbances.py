"""Which launches were disturbed: by what the device's sensors said, and by its canary where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from benchbench.values.case import threads_of
from benchbench.values.formatting import percent
from benchbench.values.measurement_settings import Cooldown
from benchbench.values.outcome import Outcome
from benchbench.values.quantities import MEASURING

HOT_C = 85.0  # where phones and boards slow down even if no flag says so; the matrix's cool-down limit comes first
LEAST_CANARIES = 3  # of two that differ nobody can tell which is off
OFF = 0.05  # off the median by more than this share of it, and
OFF_MADS = 3.0  # by more than so many median absolute deviations


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Why a launch must not be in a headline number; `text` says it of launches: "throttled (…)"."""

    kind: Literal["throttled", "hot", "canary"]
    text: str


@dataclass(frozen=True, slots=True)
class Canaries:
    """The canaries of one device with so many threads, in order: latencies in microseconds by trial, what is usual."""

    times_us: Mapping[str, float]

    @property
    def case(self) -> str:
        """Which model ran how; the same in two runs, or they cannot be compared."""
        return next(iter(self.times_us)).rpartition("/")[0]

    @property
    def threads(self) -> int:
        return threads_of(self.case)

    @property
    def median_us(self) -> float:
        return median(self.times_us.values())

    @property
    def allowed_us(self) -> float:
        """How far from the median a canary may be."""
        middle = self.median_us
        spread = median(abs(time - middle) for time in self.times_us.values())
        return max(OFF * middle, OFF_MADS * spread)

    @property
    def off(self) -> dict[str, float]:
        """Those that are further from the median, as shares of it: 0.3 = 30 % slower. None where they are too few."""
        if len(self.times_us) < LEAST_CANARIES:
            return {}
        middle, allowed = self.median_us, self.allowed_us
        return {trial: time / middle - 1 for trial, time in self.times_us.items() if abs(time - middle) > allowed}


def canaries_of(outcomes: Sequence[Outcome]) -> dict[str, tuple[Canaries, ...]]:
    """The canaries by device, fewest threads first, of outcomes in the order in which they ended."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for outcome in outcomes:
        typical = outcome.measurement.timings.typical
        if not outcome.of_matrix and outcome.status == "ok" and typical:
            of_device = found.setdefault(outcome.device, {})
            of_device.setdefault(threads_of(outcome.case), {})[outcome.trial] = typical
    return {device: tuple(Canaries(own[threads]) for threads in sorted(own)) for device, own in found.items()}


def concerns(canary_threads: int, threads: int) -> bool:
    """Whether a canary tells of launches with so many threads: one with several tells of no launch with one."""
    return canary_threads == 1 or threads > 1


def disturbances(outcomes: Sequence[Outcome], cooldown: Cooldown | None = None) -> dict[str, Disturbance]:
    """The disturbed launches of a run by trial, of all its outcomes in the order in which they ended."""
    found: dict[str, Disturbance] = {}
    for device, of_device in canaries_of(outcomes).items():
        for canaries in reversed(of_device):  # of two that are off the one with a single thread says more
            found |= beside([o for o in outcomes if o.device == device], canaries)
    samples = [outcome for outcome in outcomes if outcome.purpose in MEASURING]
    return found | {outcome.trial: seen for outcome in samples if (seen := by_sensor(outcome, cooldown))}


def beside(outcomes: Sequence[Outcome], canaries: Canaries) -> dict[str, Disturbance]:
    """The launches of a device between a canary that is off and the canaries next to it."""
    places = [place for place, outcome in enumerate(outcomes) if outcome.trial in canaries.times_us]
    found: dict[str, Disturbance] = {}
    for n, place in enumerate(places):
        if (share := canaries.off.get(outcomes[place].trial)) is None:
            continue
        first = places[n - 1] + 1 if n else 0
        last = places[n + 1] if n + 1 < len(places) else len(outcomes)
        slower = f"{percent(abs(share))} {'slower' if share > 0 else 'faster'}"
        which = "a canary" if canaries.threads == 1 else f"a canary of {canaries.threads} threads"
        disturbance = Disturbance("canary", f"ran beside {which} {slower} than the device's median")
        told = [o for o in outcomes[first:last] if concerns(canaries.threads, threads_of(o.case))]
        found |= {o.trial: disturbance for o in told if o.purpose in MEASURING}
    return found


def by_sensor(outcome: Outcome, cooldown: Cooldown | None = None) -> Disturbance | None:
    """What the sensors hold against a launch: throttled, or hot; None = nothing."""
    if flags := throttle_flags(outcome):
        return Disturbance("throttled", f"throttled ({', '.join(flags)})")
    start = outcome.before.temperature_c if outcome.before else None
    limit, above = (cooldown.below_c, cooldown.above_idle_c) if cooldown else (None, None)
    if limit is not None and start is not None and start > limit:
        return Disturbance("hot", f"began at {start:.0f} °C, above the cool-down limit of {limit:.0f} °C")
    risen = outcome.quantities.get("above_idle_c")
    if above is not None and risen is not None and risen > above:
        return Disturbance(
            "hot", f"began {risen:.0f} °C above idle, more than the {above:.0f} °C that the matrix allows"
        )
    hottest = max(temperatures(outcome), default=None)
    if hottest is not None and hottest >= HOT_C:
        return Disturbance("hot", f"reached {hottest:.0f} °C")
    return None


def throttle_flags(outcome: Outcome) -> tuple[str, ...]:
    """Throttle flags seen before, during or after a launch, each once."""
    seen = (outcome.before, outcome.during, outcome.after)
    return tuple(dict.fromkeys(flag for conditions in seen if conditions for flag in conditions.throttled))


def temperatures(outcome: Outcome) -> list[float]:
    """Of the hottest sensor that matters, before, during and after a launch."""
    seen = (outcome.before, outcome.during, outcome.after)
    return [told.temperature_c for told in seen if told is not None and told.temperature_c is not None]
