"""Whether a device was as fast in one run as in others, by its canaries, and which changes that explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

from benchbench.analysis.disturbances import Canaries, concerns
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import percent

# A case may react to its device's state more than the canary does: where two threads shared one core, cases with two
# took 1.1 to 2.1 times as long. So a change of up to the canary's to this power says nothing of the case.
REACTION = 2.0


@dataclass(frozen=True, slots=True)
class Speed:
    """new / base of a device's canaries with so many threads.

    `allowed`: how far from 1 the runs' own canaries lie at most, or the base runs from each other. `off` is the share
    of the new run's canaries that were off.
    """

    threads: int
    ratio: float
    allowed: float
    off: float = 0.0

    @property
    def same(self) -> bool:
        return abs(self.ratio - 1) <= self.allowed

    @property
    def text(self) -> str:
        """In a line: by how much the canary differed."""
        by = "its canary" if self.threads == 1 else f"its canary of {self.threads} threads"
        off = f" ({percent(self.off)} of the new run's were off)" if self.off else ""
        if self.same:
            return f"as fast as in the base, by {by}{off}"
        how = "slower" if self.ratio > 1 else "faster"
        return f"{percent(abs(self.ratio - 1))} {how} than in the base, by {by}{off}"

    def doubt(self, device: str) -> Doubt | None:
        """About every case of the device that changed."""
        if self.same:
            return None
        advice = "the device itself changed (heat, power, system): measure base and new in turn on it"
        return Doubt("other speed", f"{device} was {self.text}", advice)

    def explains(self, low: float, high: float) -> bool:
        """Whether a case whose new / base lies in this interval may have changed no more than its device did."""
        if self.same:
            return False
        furthest: float = self.ratio**REACTION
        return 1 < low <= furthest or furthest <= high < 1


CanariesOfRun = Mapping[str, Sequence[Canaries]]  # by device
Speeds = Mapping[str, Sequence[Speed]]  # by device


def speeds(bases: Sequence[CanariesOfRun], new: CanariesOfRun) -> dict[str, tuple[Speed, ...]]:
    """Of the devices that measured the same canary in both runs, or in several base runs; fewest threads first."""
    found: dict[str, tuple[Speed, ...]] = {}
    for device, canaries in new.items():
        of_device = tuple(speed for now in canaries if (speed := _speed([base.get(device, ()) for base in bases], now)))
        if of_device:
            found[device] = of_device
    return found


def _speed(bases: Sequence[Sequence[Canaries]], now: Canaries) -> Speed | None:
    """Against the geometric mean of the base runs that have this canary, as times are."""
    alike = [canaries for base in bases for canaries in base if canaries.case == now.case]
    if not alike:
        return None
    middle = geometric_mean(base.median_us for base in alike)
    between = max(math.exp(abs(math.log(base.median_us / middle))) - 1 for base in alike)
    within = max(side.allowed_us / side.median_us for side in (*alike, now))
    return Speed(now.threads, now.median_us / middle, max(within, between), len(now.off) / len(now.times_us))


def speeds_for(threads: int, of_device: Sequence[Speed]) -> tuple[Speed, ...]:
    """Those of a device that tell of launches with so many threads."""
    return tuple(speed for speed in of_device if concerns(speed.threads, threads))
