"""Two runs, case by case: what got faster, slower, is gone or cannot be told, and why; and what is to fail a build."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from benchbench.analysis.columns import COMPARISON, typed
from benchbench.analysis.comparison_doubts import doubts_of, other_device, other_model, other_tool
from benchbench.analysis.copies import refuse_copies
from benchbench.analysis.frames import Run, common_statistics, load
from benchbench.analysis.intervals import Ratio, checked_share
from benchbench.analysis.judging import Judged, judge_cases
from benchbench.analysis.pairs import incomparable, lost, measured, text, tried
from benchbench.analysis.same_speed import Speeds, other_speed, speeds
from benchbench.plan import takes
from benchbench.values.doubt import Doubt
from benchbench.values.errors import InputError, NothingToDo
from benchbench.values.formatting import counted

VERDICTS = ("slower", "gone", "lost", "cannot tell", "faster", "same", "left out", "only in new", "not measured")
_IDENTITY = ("case", "device", "family", "variant", "delegate", "threads")


def compare(
    base: Run | str | Path | Sequence[Run | str | Path], new: Run | str | Path, *, same_within: float = 0.03
) -> pd.DataFrame:
    """One row per case of either run; of several base runs the last is the one whose cases these are.

    base, new: runs, or the paths of their folders. ratio = new / base of typical launches, with its 95 % interval
    (_low, _high). base_ms, new_ms: medians over launches, of the `statistic` of each launch that both sides have. p:
    adjusted for all cases compared, so that at most 5 % of whole comparisons have a false verdict. more_rounds, or of
    three and more base runs more_runs: so many more would tell a difference as large as the one seen, or that there is
    none beyond `same_within`; `frame.attrs["detectable"]`: the change of a typical case, a fraction, that is found in
    80 % of such comparisons, None where nothing says.

    One base run tells how launches differ within it, and not how runs of the same thing do. Of several each case is
    held against those that measured it with the same file, tool and delegate: of three and more base_ms is the
    geometric mean of the runs' medians, and new is held against the spread of runs; of fewer the newest is the base.
    `frame.attrs`: `base_runs`, `new_run` are their ids, `bases` is how many base runs there are, `alone` how many cases
    are held against one of them, and `bases_left_out` says of which base run how many cases could not be held against
    it, and why. `canaries` has of each device, for its canary with one thread and with the most (`threads`), new / base
    (`ratio`), how far from 1 that is still the same speed (`allowed`), and the share of the new run's that were off
    (`off`).

    verdict: faster, slower, same, cannot tell; lost: it fails now, or its delegate takes less of the graph; gone:
    measured in the base, and neither measured nor left out on purpose in the new run; left out; only in new; not
    measured in either. `why` says why for all but faster, slower and same; `left_out` counts the launches of both sides
    that were disturbed and do not count. Times are compared only where both are headline numbers of the same executor,
    and another model file, size of inputs or tool never makes one faster or slower: what it changes cannot be told from
    the rest. Nor is anything faster or slower, and no p told, on a device that was so itself, by its canaries. `doubts`
    are those of the comparison, then those of both sides. Raises NothingToDo where no case was launched in both runs,
    InputError for no base run, for two, which cannot tell how runs differ, and for one that is given twice.
    """
    checked_share(same_within, "same_within")
    given = (base,) if isinstance(base, Run | str | Path) else tuple(base)
    bases, last = tuple(map(_as_run, given)), _as_run(new)
    _check(bases, last)
    statistics = common_statistics([*bases, last], lambda cell: cell.case)
    olds, now = [_by_case(run.cases_by(statistics)) for run in bases], _by_case(last.cases_by(statistics))
    if not any(tried(old.get(case)) and tried(row) for old in olds for case, row in now.items()):
        raise NothingToDo(f"{bases[-1].folder} and {last.folder} have no case in common", remedy=_examples(olds, now))
    judged = judge_cases(olds, now, same_within)
    old = olds[-1] | {case: one.base for case, one in judged.cases.items()}
    by_canary = speeds([run.canaries for run in bases], last.canaries)
    rows = [
        _row(old.get(case), now.get(case), last, judged.cases.get(case), by_canary)
        for case in dict.fromkeys([*old, *now])
    ]
    machines = _other_machines(bases, last)
    disturbed = [_disturbed(run) for run in (*bases, last)]
    for row in rows:
        row["doubts"] = (*_about_device(row, machines, by_canary), *row["doubts"])
        row["left_out"] = _left_out(row["case"], judged.cases.get(row["case"]), disturbed)
    frame = typed(rows, COMPARISON)
    frame.attrs |= {"detectable": judged.detectable, "bases": len(bases), "base_runs": [run.id for run in bases]}
    frame.attrs |= {"alone": judged.alone, "new_run": last.id}
    frame.attrs |= {"canaries": {device: [*map(asdict, of_device)] for device, of_device in by_canary.items()}}
    frame.attrs["bases_left_out"] = [
        {"run": bases[one.run].id, "folder": bases[one.run].folder.name, "cases": one.cases, "why": one.why}
        for one in judged.left_out
    ]
    return frame


def _as_run(given: Run | str | Path) -> Run:
    return given if isinstance(given, Run) else load(given)


def _check(bases: Sequence[Run], new: Run) -> None:
    """Raises InputError for base runs that cannot tell how runs of the same thing differ."""
    if not bases:
        raise InputError("there is no base run", remedy="give one, or three")
    refuse_copies((*bases, new) if len(bases) > 1 else bases)  # one run may be held against itself
    if len(bases) == 2:
        raise InputError("two base runs do not tell how runs of the same thing differ", remedy="give one, or three")


def _other_machines(bases: Sequence[Run], new: Run) -> dict[str, Doubt]:
    """Of the devices that are another machine than in a base run."""
    found: dict[str, Doubt] = {}
    for device in new.manifest.devices:
        others = (other_device(run.manifest, new.manifest, device.name) for run in reversed(bases))
        if other := next((doubt for doubt in others if doubt is not None), None):
            found[device.name] = other
    return found


def _about_device(row: Mapping[str, Any], machines: Mapping[str, Doubt], by_canary: Speeds) -> tuple[Doubt, ...]:
    """What a case's device was besides: another machine, and faster or slower as a whole."""
    told = (machines.get(str(row["device"])), other_speed(row, by_canary))
    return tuple(doubt for doubt in told if doubt is not None)


def _disturbed(run: Run) -> Counter[str]:
    """How many launches of each case do not count, since they were disturbed."""
    return Counter(o.case for o in run.outcomes if o.timed and o.status == "ok" and o.trial in run.disturbances)


def _left_out(case: str, judged: Judged | None, disturbed: Sequence[Counter[str]]) -> int:
    """Of the new run, which is the last, and the base runs that a case is held against."""
    *bases, new = disturbed
    places = judged.runs if judged and judged.runs else (-1,)
    return new[case] + sum(bases[place][case] for place in places)


def nothing_judged(frame: pd.DataFrame) -> bool:
    """Whether no case could be put to a test: none has a p-value, or a verdict that says something of the new run."""
    told = frame["verdict"].isin({"slower", "gone", "lost", "faster", "same"}) | frame["p"].notna()
    return not bool(told.any())


def of_itself(frame: pd.DataFrame) -> bool:
    """Whether both sides are one run, or copies of it."""
    return bool(frame.attrs["base_runs"] == [frame.attrs["new_run"]])


def regressions(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that fail a build where no gate says otherwise: slower, gone, or lost."""
    return frame[frame["regressed"]]


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """How many cases have each verdict, gravest first."""
    return {verdict: n for verdict in VERDICTS if (n := int((frame["verdict"] == verdict).sum()))}


def _by_case(cases: pd.DataFrame) -> dict[str, pd.Series]:
    return {str(row["case"]): row for _, row in cases.iterrows()}


def _examples(olds: Sequence[Mapping[str, pd.Series]], now: Mapping[str, pd.Series]) -> str:
    sides = [next((case for case, row in side.items() if tried(row)), "none") for side in (olds[-1], now)]
    return f"launched were, for example, {sides[0]} in the base and {sides[1]} in the new run"


def _row(
    base: pd.Series | None, new: pd.Series | None, run: Run, judged: Judged | None, by_canary: Speeds
) -> dict[str, Any]:
    known = next(row for row in (new, base) if row is not None)
    row: dict[str, Any] = {key: known[key] for key in _IDENTITY}
    statistic = next((said for side in (base, new) if side is not None and (said := text(side["statistic"]))), None)
    row |= {"statistic": statistic, "base_ms": _median(base), "new_ms": _median(new)}
    row |= dict.fromkeys(("ratio", "ratio_low", "ratio_high", "p", "more_rounds", "more_runs"), math.nan)
    row |= {"why": "", "regressed": False, "doubts": doubts_of(base, new)}
    if base is None or new is None or not (measured(base) and tried(new)):
        return row | _without_a_pair(base, new, run)
    if why := lost(base, new):
        return row | {"verdict": "lost", "why": why, "regressed": True}
    if why := incomparable(base, new):
        return row | {"verdict": "cannot tell", "why": why}
    if judged is None:
        raise AssertionError(row["case"])
    return row | _compared(base, new, judged, other_speed(row, by_canary))


def _without_a_pair(base: pd.Series | None, new: pd.Series | None, run: Run) -> dict[str, Any]:
    """The verdict on a case that has no number in the base, or was not launched in the new run."""
    if base is not None and measured(base):
        deliberate, why = _absence(str(base["case"]), new, run)
        return {"verdict": "left out" if deliberate else "gone", "why": why, "regressed": not deliberate}
    if measured(new):
        failed = base is not None and tried(base)
        why = "the base has no number: " + (text(base["error"]) or "not run" if base is not None else "not in its plan")
        return {"verdict": "cannot tell" if failed else "only in new", "why": why}
    either = next((row for row in (new, base) if tried(row)), new if new is not None else base)
    why = "" if either is None else text(either["error"]) or str(either["status"])
    return {"verdict": "not measured", "why": f"no number in either run: {why}"}


def _absence(case: str, row: pd.Series | None, new: Run) -> tuple[bool, str]:
    """Whether the new run leaves a case out on purpose, and why it has no launch of it."""
    manifest = new.manifest
    skip = next((skip for skip in manifest.skips if skip.case.id == case), None)
    if skip is not None:
        return skip.deliberate, f"skipped: {skip.reason}"
    if row is not None:
        never = "in its plan, and no launch was made: the new run ended before, or still goes on"
        return False, never if row["status"] == "pending" else text(row["error"]) or str(row["status"])
    selection = manifest.selection
    if not takes(case, selection.only, selection.skip):
        chosen = [f"--only {glob}" for glob in selection.only] + [f"--skip {glob}" for glob in selection.skip]
        return True, f"not selected: {' '.join(chosen)}"
    absent = next((device for device in manifest.devices if case.startswith(f"{device.name}/")), None)
    if absent is not None and absent.error:
        return False, f"its device was not used: {absent.error}"
    return False, "the new run has no such case"


def _compared(base: pd.Series, new: pd.Series, judged: Judged, speed: Doubt | None) -> dict[str, Any]:
    found = judged.ratio
    low, high = found.interval or (math.nan, math.nan)
    other = other_model(base, new) or other_tool(base, new) or speed
    verdict, why, p = found.verdict, "", math.nan if found.p is None else found.p
    if verdict == "cannot tell":
        why = _uncertain(base, new, judged)
    elif verdict != "same" and other is not None:
        verdict, why = "cannot tell", f"{other.kind}: {other.text}"
        p = math.nan if other is speed else p
    return {
        "ratio": found.value,
        "ratio_low": low,
        "ratio_high": high,
        "p": p,
        "more_rounds": _advised(judged.more_rounds, verdict),
        "more_runs": _advised(judged.more_runs, verdict),
        "verdict": verdict,
        "why": why,
        "regressed": verdict == "slower",
    }


def _advised(more: int | None, verdict: str) -> float:
    return math.nan if more is None or verdict != "cannot tell" else more


def _uncertain(base: pd.Series, new: pd.Series, judged: Judged) -> str:
    found, rounds, runs = judged.ratio, judged.more_rounds, judged.more_runs
    if found.interval is None:
        return _without_an_interval(base, new, found)
    more = "" if rounds is None else f"; about {counted(rounds, 'more round')} would tell"
    more = more if runs is None else f"; about {counted(runs, 'more base run')} may tell"
    if found.interval.low <= 1 <= found.interval.high:
        return f"the spread of the {judged.samples} is wider than the difference{more}"
    return f"the difference is too near to what chance or the threshold allows among all cases{more}"


def _without_an_interval(base: pd.Series, new: pd.Series, found: Ratio) -> str:
    if math.isnan(found.value):
        return "a time of 0 or below has no ratio to another"
    launches = f"{counted(base['launches'], 'launch', 'launches')} in the base and {new['launches']} in the new run"
    return f"{launches} are too few for an interval: four a side are enough, five are better"


def _median(row: pd.Series | None) -> float:
    return math.nan if row is None else float(row["median_ms"])
