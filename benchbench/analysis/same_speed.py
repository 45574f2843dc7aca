"""Whether a device was as fast in one run as in another, by its canaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchbench.analysis.disturbances import Canaries
from benchbench.values.doubt import Doubt
from benchbench.values.formatting import percent


@dataclass(frozen=True, slots=True)
class Speed:
    """new / base of a device's canaries; `allowed`: how far from 1 both runs' own canaries lie at most.

    `off` is the share of the new run's canaries that were off.
    """

    ratio: float
    allowed: float
    off: float = 0.0

    @property
    def same(self) -> bool:
        return abs(self.ratio - 1) <= self.allowed

    @property
    def text(self) -> str:
        """In a line: by how much the canary differed."""
        off = f" ({percent(self.off)} of the new run's were off)" if self.off else ""
        if self.same:
            return f"as fast as in the base, by its canary{off}"
        how = "slower" if self.ratio > 1 else "faster"
        return f"{percent(abs(self.ratio - 1))} {how} than in the base, by its canary{off}"

    def doubt(self, device: str) -> Doubt | None:
        """About every case of the device that changed."""
        if self.same:
            return None
        advice = "the device itself changed (heat, power, system): measure base and new in turn on it"
        return Doubt("other speed", f"{device} was {self.text}", advice)


def speeds(base: Mapping[str, Canaries], new: Mapping[str, Canaries]) -> dict[str, Speed]:
    """Of the devices that measured the same canary in both runs."""
    return {
        device: Speed(
            now.median_us / base[device].median_us,
            max(side.allowed_us / side.median_us for side in (base[device], now)),
            len(now.off) / len(now.times_us),
        )
        for device, now in new.items()
        if device in base and base[device].case == now.case
    }
