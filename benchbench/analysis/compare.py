"""Two runs, case by case: what got faster, slower, is gone or cannot be told, and why; and what is to fail a build."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from benchbench.analysis.columns import COMPARISON, typed
from benchbench.analysis.comparison_doubts import doubts_of, other_file, other_tool
from benchbench.analysis.drift import compare_runs, detectable_between_runs
from benchbench.analysis.familywise import Pair, compare_all, power_of
from benchbench.analysis.frames import Run, common_statistics
from benchbench.analysis.intervals import Ratio
from benchbench.analysis.intervals import compare as compare_times
from benchbench.analysis.same_speed import Speed, speeds
from benchbench.plan import takes
from benchbench.values.errors import InputError, NothingToDo

VERDICTS = ("slower", "gone", "cannot tell", "faster", "same", "left out", "only in new", "not measured")
_IDENTITY = ("case", "device", "family", "variant", "delegate", "threads")
_TRIED = frozenset(("ok", "failed", "incomplete"))


def compare(base: Run | Sequence[Run], new: Run, *, same_within: float = 0.03) -> pd.DataFrame:
    """One row per case of either run; of several base runs the last is the one whose cases these are.

    ratio = new / base of typical launches, with its 95 % interval (_low, _high). base_ms, new_ms: medians over
    launches, of the `statistic` of each launch that both sides have. p: adjusted for all cases compared, so that at
    most 5 % of whole comparisons have a false verdict. more_rounds: so many more would tell a difference as large as
    the one seen, or that there is none beyond `same_within`; `frame.attrs["detectable"]`: the change of a typical case,
    a fraction, that is found in 80 % of such comparisons, None where nothing says.

    One base run tells how launches differ within it, and not how runs of the same thing do: `frame.attrs["bases"]` is
    how many there were. Of three and more base_ms is the median over runs, and new is held against the spread of runs.
    `frame.attrs["canaries"]` is new / base of each device's canary (`ratio`), and how far from 1 that is still the same
    speed (`allowed`).

    verdict: faster, slower, same, cannot tell; gone: measured in the base, and neither measured nor left out on
    purpose in the new run; left out; only in new; not measured in either. `why` says why for all but faster, slower
    and same. Times are compared only where both are headline numbers of the same executor, and another model file or
    tool never makes one faster or slower: what it changes cannot be told from the rest. `doubts` are those of the
    comparison, then those of both sides. Raises NothingToDo where no case was launched in both runs, InputError for two
    base runs, which cannot tell how runs differ.
    """
    bases = (base,) if isinstance(base, Run) else tuple(base)
    if len(bases) == 2:
        raise InputError("two base runs do not tell how runs of the same thing differ", remedy="give one, or three")
    statistics = common_statistics([*bases, new], lambda cell: cell.case)
    olds, now = [_by_case(run.cases_by(statistics)) for run in bases], _by_case(new.cases_by(statistics))
    old = olds[-1]
    if not any(_tried(old.get(case)) and _tried(now.get(case)) for case in old):
        raise NothingToDo(f"{bases[-1].folder} and {new.folder} have no case in common", remedy=_examples(old, now))
    if len(bases) == 1:
        ratios, detectable = _ratios(old, now, same_within)
    else:
        old, ratios, detectable = _ratios_of_runs(olds, now, same_within)
    by_canary = speeds(bases[-1].canaries, new.canaries)
    samples = "launches" if len(bases) == 1 else "runs"
    rows = [_row(old.get(case), now.get(case), new, ratios.get(case), samples) for case in dict.fromkeys([*old, *now])]
    frame = typed([_with_speed(row, by_canary.get(row["device"])) for row in rows], COMPARISON)
    frame.attrs |= {"detectable": detectable, "bases": len(bases)}
    frame.attrs["canaries"] = {device: asdict(speed) for device, speed in by_canary.items()}
    return frame


def _with_speed(row: dict[str, Any], speed: Speed | None) -> dict[str, Any]:
    """A row of a device that was faster or slower as a whole, as its canary says, with that as its first doubt."""
    doubt = speed.doubt(row["device"]) if speed else None
    return row if doubt is None else row | {"doubts": (doubt, *row["doubts"])}


def regressions(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that must fail a build: slower, gone, or a number that the new run does not have any more."""
    return frame[frame["regressed"]]


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """How many cases have each verdict, gravest first."""
    return {verdict: n for verdict in VERDICTS if (n := int((frame["verdict"] == verdict).sum()))}


def _by_case(cases: pd.DataFrame) -> dict[str, pd.Series]:
    return {str(row["case"]): row for _, row in cases.iterrows()}


def _tried(row: pd.Series | None) -> bool:
    return row is not None and row["status"] in _TRIED


def _measured(row: pd.Series | None) -> bool:
    return row is not None and row["status"] == "ok"


def _examples(old: dict[str, pd.Series], now: dict[str, pd.Series]) -> str:
    sides = [next((case for case, row in side.items() if _tried(row)), "none") for side in (old, now)]
    return f"launched were, for example, {sides[0]} in the base and {sides[1]} in the new run"


def _ratios(
    old: dict[str, pd.Series], now: dict[str, pd.Series], same_within: float
) -> tuple[dict[str, tuple[Ratio, int | None]], float | None]:
    """The times of all cases that may be compared, with how many more rounds would tell; and what could be found.

    Cases whose model file or tool is another get no verdict, and cost the others none of their power.
    """
    pairs: dict[str, Pair] = {}
    others: dict[str, Pair] = {}
    for case in old.keys() & now.keys():
        base, new = old[case], now[case]
        if _measured(base) and _tried(new) and not (_lost(base, new) or _incomparable(base, new)):
            kind = others if other_file(base, new) or other_tool(base, new) else pairs
            kind[case] = base["samples_ms"], new["samples_ms"]
    ordered = sorted(pairs)
    together = compare_all([pairs[case] for case in ordered], same_within=same_within)
    power = power_of([pairs[case] for case in ordered], same_within=same_within)
    found = dict(zip(ordered, zip(together, power.more_rounds, strict=True), strict=True))
    alone = {case: (compare_times(*pair, same_within=same_within), None) for case, pair in others.items()}
    return found | alone, power.detectable


def _ratios_of_runs(
    olds: Sequence[dict[str, pd.Series]], now: dict[str, pd.Series], same_within: float
) -> tuple[dict[str, pd.Series], dict[str, tuple[Ratio, int | None]], float | None]:
    """The last base's rows with the medians over runs, the ratios of the cases that all base runs measured, and what
    could be found.
    """
    last = olds[-1]
    cases = [
        case for case in sorted(last.keys() & now.keys()) if all(_one_thing(old.get(case), now[case]) for old in olds)
    ]
    if not cases:
        return last, {}, None
    medians = np.array([[float(old[case]["median_ms"]) for case in cases] for old in olds])
    news = np.array([float(now[case]["median_ms"]) for case in cases])
    devices = [str(last[case]["device"]) for case in cases]
    found = compare_runs(medians, news, devices, same_within=same_within)
    typical = dict(zip(cases, np.median(medians, axis=0), strict=True))
    rows = {
        case: row.where(row.index != "median_ms", typical.get(case, row["median_ms"])) for case, row in last.items()
    }
    ratios: dict[str, tuple[Ratio, int | None]] = {
        case: (ratio, None) for case, ratio in zip(cases, found, strict=True)
    }
    return rows, ratios, detectable_between_runs(medians, devices, same_within=same_within)


def _one_thing(base: pd.Series | None, new: pd.Series) -> bool:
    """Whether two rows are of the same file and tool, and may be compared."""
    return (
        base is not None
        and _measured(base)
        and _measured(new)
        and not _incomparable(base, new)
        and not (other_file(base, new) or other_tool(base, new))
    )


def _row(
    base: pd.Series | None, new: pd.Series | None, run: Run, ratio: tuple[Ratio, int | None] | None, samples: str
) -> dict[str, Any]:
    """A row of the comparison; `samples` are what differences are held against: launches, or runs."""
    known = next(row for row in (new, base) if row is not None)
    row: dict[str, Any] = {key: known[key] for key in _IDENTITY}
    statistic = next((said for side in (base, new) if side is not None and (said := _text(side["statistic"]))), None)
    row |= {"statistic": statistic, "base_ms": _median(base), "new_ms": _median(new)}
    row |= dict.fromkeys(("ratio", "ratio_low", "ratio_high", "p", "more_rounds"), math.nan)
    row |= {"why": "", "regressed": False, "doubts": doubts_of(base, new)}
    if base is None or new is None or not (_measured(base) and _tried(new)):
        return row | _without_a_pair(base, new, run)
    if lost := _lost(base, new):
        return row | {"verdict": "cannot tell", "why": lost, "regressed": True}
    if why := _incomparable(base, new):
        return row | {"verdict": "cannot tell", "why": why}
    if ratio is None:
        return row | {
            "verdict": "cannot tell",
            "why": "not every base run measured it with this file, tool and delegate",
        }
    return row | _compared(base, new, *ratio, samples)


def _without_a_pair(base: pd.Series | None, new: pd.Series | None, run: Run) -> dict[str, Any]:
    """The verdict on a case that has no number in the base, or was not launched in the new run."""
    if base is not None and _measured(base):
        deliberate, why = _absence(str(base["case"]), new, run)
        return {"verdict": "left out" if deliberate else "gone", "why": why, "regressed": not deliberate}
    if _measured(new):
        failed = base is not None and _tried(base)
        why = "the base has no number: " + (
            _text(base["error"]) or "not run" if base is not None else "not in its plan"
        )
        return {"verdict": "cannot tell" if failed else "only in new", "why": why}
    either = next((row for row in (new, base) if _tried(row)), new if new is not None else base)
    why = "" if either is None else _text(either["error"]) or str(either["status"])
    return {"verdict": "not measured", "why": f"no number in either run: {why}"}


def _absence(case: str, row: pd.Series | None, new: Run) -> tuple[bool, str]:
    """Whether the new run leaves a case out on purpose, and why it has no launch of it."""
    manifest = new.manifest
    skip = next((skip for skip in manifest.skips if skip.case.id == case), None)
    if skip is not None:
        return skip.deliberate, f"skipped: {skip.reason}"
    if row is not None:
        return False, _text(row["error"]) or str(row["status"])
    selection = manifest.selection
    if not takes(case, selection.only, selection.skip):
        chosen = [f"--only {glob}" for glob in selection.only] + [f"--skip {glob}" for glob in selection.skip]
        return True, f"not selected: {' '.join(chosen)}"
    absent = next((device for device in manifest.devices if case.startswith(f"{device.name}/")), None)
    if absent is not None and absent.error:
        return False, f"its device was not used: {absent.error}"
    return False, "the new run has no such case"


def _lost(base: pd.Series, new: pd.Series) -> str:
    """What the new run does not do any more that the base did; "" where nothing is lost."""
    if not _measured(new):
        return f"fails now: {_text(new['error']) or 'no reason recorded'}"
    lesser = {"full": {"partial", "none", "unavailable", "mixed"}, "partial": {"none", "unavailable", "mixed"}}
    if new["verdict"] in lesser.get(base["verdict"], ()):
        return f"delegation was {base['verdict']}, is {new['verdict']}: ran on {new['executor']}"
    return ""


def _incomparable(base: pd.Series, new: pd.Series) -> str:
    """Why two numbers must not be compared; "" where they may."""
    if base["executor"] != new["executor"]:
        return f"base ran on {base['executor']}, new on {new['executor']}"
    for name, row in (("base", base), ("new", new)):
        if not row["headline"]:
            return f"the {name} number is no headline number: {_no_headline(row)}"
    if not (base["samples_ms"] and new["samples_ms"]):
        return "there is no statistic of a launch that both sides have"
    return ""


def _no_headline(row: pd.Series) -> str:
    if row["verdict"] in {"full", "partial"}:
        return "its launches were throttled or hot"
    return "nothing says what ran" if row["verdict"] == "unknown" else f"delegation {row['verdict']}"


def _compared(base: pd.Series, new: pd.Series, found: Ratio, more_rounds: int | None, samples: str) -> dict[str, Any]:
    low, high = found.interval or (math.nan, math.nan)
    other = other_file(base, new) or other_tool(base, new)
    verdict, why = found.verdict, ""
    if verdict == "cannot tell":
        why = _uncertain(base, new, found, more_rounds, samples)
    elif verdict != "same" and other is not None:
        verdict, why = "cannot tell", f"{other.kind}: {other.text}"
    return {
        "ratio": found.value,
        "ratio_low": low,
        "ratio_high": high,
        "p": math.nan if found.p is None else found.p,
        "more_rounds": math.nan if more_rounds is None or verdict != "cannot tell" else more_rounds,
        "verdict": verdict,
        "why": why,
        "regressed": verdict == "slower",
    }


def _uncertain(base: pd.Series, new: pd.Series, found: Ratio, more_rounds: int | None, samples: str) -> str:
    if found.interval is None:
        return f"{base['launches']} and {new['launches']} launches: four a side are the least, five are better"
    more = "" if more_rounds is None else f"; about {more_rounds} more round{'s' * (more_rounds != 1)} would tell"
    if found.interval.low <= 1 <= found.interval.high:
        return f"the spread of the {samples} is wider than the difference{more}"
    return f"the difference is too near to what chance or the threshold allows among all cases{more}"


def _median(row: pd.Series | None) -> float:
    return math.nan if row is None else float(row["median_ms"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
