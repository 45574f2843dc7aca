"""Times of a device by this host's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LONGEST_S = 1e6  # that something can be said to have been over


def when(uptime_s: float | None, now_s: float | None) -> datetime:
    """The time of an uptime of a device that is `now_s` up at this moment; now where either is not told."""
    age_s = now_s - uptime_s if now_s is not None and uptime_s is not None else 0
    return datetime.now(UTC) - timedelta(seconds=min(max(age_s, 0), LONGEST_S))
