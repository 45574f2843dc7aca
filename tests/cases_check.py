"""Compare every launch of a text with the list of what each must hold; conventions: the README beside the cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

MEMORY = {"memory_init": "init", "memory_overall": "overall", "memory_peak": "peak"}
SHARE = 0.01  # points of percent: times in a table are rounded


def case_differences(expected: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One line per value that is not as it was read by hand; a key that is absent there is not looked at."""
    if len(expected) != len(found):
        yield f"launches: {len(expected)} by hand, {len(found)} read"
        return
    for place, (there, here) in enumerate(zip(expected, found, strict=True)):
        yield from (f"launch {place}: {problem}" for problem in _of_launch(there, here))


def _of_launch(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for key, there in expected.items():
        here = _value(found, key)
        if not _fits(key, there, here):
            yield f"{key}: {there} by hand, {here} read"


def _value(found: dict[str, Any], key: str) -> Any:
    if key in MEMORY:
        return found["memory_mb"][MEMORY[key]]
    if key == "profile_type":
        return [[row["type"], row["calls"], row["mean_us"], row["percent"]] for row in found["profile"]["by_type"]]
    if key == "profile_first_percent":
        return next((row["percent"] for row in found["profile"]["by_op"]), None)
    plain = {"verdict_not": "verdict", "evidence_has": "evidence"}.get(key, key)
    return found["timings_us"][plain] if plain in found["timings_us"] else found[plain]


def _fits(key: str, there: Any, here: Any) -> bool:
    if key == "verdict_not":
        return here not in there
    if key == "evidence_has":
        return there in (here or "")
    if key == "delegate" and there == "cpu":
        return here in {"cpu", None}
    if key == "profile_type":
        name, calls, mean_us, percent = there
        return any(row[:3] == [name, calls, mean_us] and abs(row[3] - percent) < SHARE for row in here)
    if key == "profile_first_percent":
        return here is not None and abs(here - there) < SHARE
    return here in there if isinstance(there, list) else bool(here == there)
