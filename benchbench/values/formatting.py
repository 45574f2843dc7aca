"""Numbers as people read them: times, ratios, intervals and sizes, the same on the page and in the terminal.

Never an exponent, and never a zero for what is not zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from textwrap import shorten
from typing import NamedTuple

NOTHING = "–"
IDENTICAL_DB = 200.0  # the signal to error of outputs that are equal to the last bit
RANGE_UP_TO = 5  # launches up to which the interval of a median is their whole range


class TimeUnit(NamedTuple):
    """A unit of time, and how many of it a millisecond has."""

    name: str
    per_ms: float


MICROSECONDS, MILLISECONDS, SECONDS = TimeUnit("µs", 1e3), TimeUnit("ms", 1.0), TimeUnit("s", 1e-3)


def known(value: float | None) -> bool:
    """Whether a cell of a frame holds a number: neither None nor NaN nor infinity."""
    return value is not None and math.isfinite(value)


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, more before the point where it has more, and no exponent."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # of the rounded number: 9.999 has that of 10
    return f"{value:.{max(0, digits - 1 - exponent)}f}".replace("-", "−")


def plain(value: float) -> str:
    """A number as an axis has it: no zeros that say nothing, and no exponent."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_unit(times_ms: Iterable[float | None]) -> TimeUnit:
    """The unit in which the longest of these times reads best, for an axis or a column."""
    longest = max((float(f"{abs(ms):.2e}") for ms in times_ms if ms is not None and known(ms)), default=1.0)
    return MICROSECONDS if longest < 1 else SECONDS if longest >= 1000 else MILLISECONDS


def time(ms: float | None) -> str:
    """A time with its unit: "1.23 µs", "4.02 ms", "1.61 s"."""
    if ms is None or not known(ms):
        return NOTHING
    if ms == 0:
        return "< 1 µs"  # benchmark_model has whole microseconds
    unit = time_unit([ms])
    return f"{number(ms * unit.per_ms)} {unit.name}"


def interval(low_ms: float | None, high_ms: float | None) -> str:
    """The two ends of an interval of times in one unit: "3.98 – 4.10 ms"."""
    if low_ms is None or high_ms is None or not (known(low_ms) and known(high_ms)):
        return NOTHING
    unit = time_unit([low_ms, high_ms])
    return f"{number(low_ms * unit.per_ms)} – {number(high_ms * unit.per_ms)} {unit.name}"


def coverage(launches: int) -> float:
    """How probably the range of so many launches holds the true median."""
    return 1 - 2.0 ** (1 - launches)


def interval_name(launches: int) -> str:
    """What the interval of a median over so many launches is: few of them have only their range."""
    if launches < 3:
        return "no interval"
    if launches > RANGE_UP_TO:
        return "95 % interval"
    return f"range of {launches} launches, {percent(coverage(launches))}"


def statistic_title(statistics: Iterable[object]) -> str:
    """The heading over the latencies of several cases: the statistic of a launch that they share."""
    names = {name for name in statistics if isinstance(name, str)}
    return names.pop() if len(names) == 1 else "latency"


def interval_title(launches: Iterable[int]) -> str:
    """The heading over the intervals of several cases: their common name where they have one."""
    names = {interval_name(n) for n in launches if n >= 3}
    return names.pop() if len(names) == 1 else "interval"


def intervals_explained(launches: Iterable[int]) -> str:
    """What the intervals of several cases are, in a phrase."""
    names = [interval_name(n) for n in sorted({n for n in launches if n >= 3})]
    return "; or ".join(dict.fromkeys(names)) or "no interval: fewer than 3 launches"


def ratio(value: float | None) -> str:
    """A ratio: "1.84×", "123×", "0.95×", "0.0044×"."""
    return NOTHING if value is None or not known(value) else f"{ratio_number(value)}×"


def ratio_number(value: float) -> str:
    """A ratio with two decimals where it is below 10, three digits above, and two digits however small it is."""
    return number(value, 3 if value >= 0.995 else 2)


def factor(value: float, more: str, less: str) -> str:
    """A ratio told so that its number is above 1: "1.60× larger" for 0.62 and ("smaller", "larger")."""
    return f"{ratio(value)} {more}" if value >= 1 else f"{ratio(1 / value)} {less}"


def in_a_line(text: str, most: int = 240) -> str:
    """What a device or tool said, in one line of so many characters at most; whatever is for programs has the whole."""
    return shorten(text, most, placeholder=" …")


def percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1: "29 %", "90.0 %"."""
    return f"{100 * share:.{digits}f} %"


def decibel(value: float, digits: int = 0) -> str:
    """A signal to error: "31 dB"; that of outputs that are equal to the last bit: "identical"."""
    return "identical" if value >= IDENTICAL_DB else f"{value:.{digits}f} dB"


def points(difference: float) -> str:
    """A change of a share in percentage points: "−0.6", "+0.0"."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}".replace("-", "−")


def tallied(counts: Mapping[str, int], most: int = 8) -> str:
    """How many there are of each, of so many of them at most: "2 × ADD, SOFTMAX, 3 more"."""
    named = [f"{n} × {name}" if n > 1 else name for name, n in counts.items()]
    more = [f"{len(named) - most} more"] if len(named) > most else []
    return ", ".join([*named[:most], *more])


def counted(n: int, one: str, many: str | None = None) -> str:
    """A whole number of things: "1 case", "2,016 cases"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: 42 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
