"""Whether a device was as fast in one run as in others, by its canaries: where it was not, no case can be judged.

How much a case reacts to its device's state says no canary. Where something else had one of two cores, a canary of two
threads took 1.8 times as long, and cases of two threads 0.9 to 54 times.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

from benchbench.analysis.disturbances import Canaries, concerns
from benchbench.analysis.rows import Row
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import percent


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
        """About every case of a device that changed, with the threads of which the canary tells."""
        if self.same:
            return None
        advice = "the device itself changed (heat, power, system): measure base and new in turn on it"
        return Doubt("other speed", f"{device} was {self.text}", advice)


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


def other_speed(row: Row, by_canary: Speeds) -> Doubt | None:
    """That the device of a case was faster or slower as a whole, by the canaries that tell of its threads."""
    device, threads = str(row["device"]), int(row["threads"])
    told = (speed for speed in by_canary.get(device, ()) if concerns(speed.threads, threads))
    return next((doubt for speed in told if (doubt := speed.doubt(device))), None)
