"""A comparison as text: in one line, as JSON, as Markdown for a pull request, as JUnit's XML for a test report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree as Xml

import pandas as pd

from benchbench.analysis.columns import COMPARISON
from benchbench.analysis.compare import counts, nothing_judged, of_itself
from benchbench.analysis.compare_quantities import QuantityChange
from benchbench.analysis.comparison_doubts import BETWEEN
from benchbench.analysis.gate import Failing
from benchbench.analysis.same_speed import Speed
from benchbench.values import formatting
from benchbench.values.visible import visible

MOST_BYTES = 60_000  # of a text in Markdown: a comment on GitHub holds 65,536 characters, and may say more
MOST_ROWS = 100  # of one of its tables
MOST_DEVICES = 10  # whose speed is told in a line
WITHOUT_A_PAIR = ("left out", "only in new", "not measured")
NOTHING = "nothing could be judged"
FOUND = "4 times in 5"  # as often as `familywise.POWER` says


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows a table in Markdown shows, and one that is folded under it."""

    rows: int
    folded: int


LIMITS = tuple(Limits(*most) for most in ((MOST_ROWS, MOST_ROWS), (MOST_ROWS, 25), (MOST_ROWS, 5), (25, 5), (5, 1)))


def in_short(frame: pd.DataFrame, changes: Sequence[QuantityChange], failing: Failing) -> str:
    """How many cases have each verdict, how many fail a build, and what the comparison could have found."""
    found = ", ".join(f"{n} {verdict}" for verdict, n in counts(frame).items())
    told = f"{formatting.counted(len(frame), 'case')}: {found}; {outcome(frame, failing)}"
    passed = int(((frame["verdict"] == "slower") & ~frame["case"].isin(list(failing))).sum())
    told += f"; {passed} slower, which --fail-on lets pass" if passed else ""
    detectable = frame.attrs.get("detectable")
    if detectable is not None:
        told += f"; a change of {formatting.percent(detectable, 1)} of a typical case would have been found {FOUND}"
    disturbed = int(frame["left_out"].sum())
    told += f"; {_disturbed(disturbed)} count for nothing" if disturbed else ""
    canaries = {
        device: " and ".join(Speed(**canary).text for canary in own)
        for device, own in frame.attrs.get("canaries", {}).items()
    }
    told += "".join(f"; {device} was {text}" for device, text in [*canaries.items()][:MOST_DEVICES])
    told += f"; {len(canaries) - MOST_DEVICES} more devices have canaries" if len(canaries) > MOST_DEVICES else ""
    if frame.attrs["bases"] == 1:
        return f"{told}; one base run does not tell how runs of the same thing differ"
    alone = frame.attrs["alone"]
    one = "held against one base run alone, which does not tell how runs of the same thing differ"
    told += f"; {formatting.counted(alone, 'case')} {one}" if alone else ""
    others = ", ".join(_by_the_last_alone(changes))
    return f"{told}; held against the last base run alone: {others}" if others else told


def _by_the_last_alone(changes: Sequence[QuantityChange]) -> list[str]:
    """Of several base runs: which quantities are held against one of them, and of how many cases where not of all."""
    of_all = Counter(change.quantity.label for change in changes)
    alone = Counter(change.quantity.label for change in changes if change.bases == 1)
    return [
        label if n == of_all[label] else f"{label} of {formatting.counted(n, 'case')}" for label, n in alone.items()
    ]


def outcome(frame: pd.DataFrame, failing: Failing) -> str:
    """What it comes to: regressions, none, none that could be seen, or that nothing was judged, or could be."""
    if failing:
        return formatting.counted(len(failing), "regression")
    if of_itself(frame):
        return "base and new are one run, or copies of it, which says nothing of a change"
    if nothing_judged(frame):
        return f"{NOTHING}, which is no pass"
    paired = frame[~frame["verdict"].isin(WITHOUT_A_PAIR)]
    return "no regression found, and none ruled out" if (paired["verdict"] == "cannot tell").all() else "no regressions"


def about_sides(frame: pd.DataFrame) -> list[str]:
    """In a line each: base runs that could not be held against for some cases, and what differs besides the times."""
    told = [
        f"base run {one['folder']} left out for {formatting.counted(one['cases'], 'case')}: {one['why']}"
        for one in frame.attrs["bases_left_out"]
    ]
    doubts = [doubt for row in frame["doubts"] for doubt in row if doubt.kind in BETWEEN]
    first = {doubt.kind: doubt for doubt in reversed(doubts)}
    for kind, doubt in first.items():
        cases = sum(any(one.kind == kind for one in row) for row in frame["doubts"])
        told.append(
            f"{kind} ({cases} of {formatting.counted(len(frame), 'case')}): {doubt.text}. Remedy: {doubt.remedy}."
        )
    return told


def _disturbed(launches: int) -> str:
    return formatting.counted(launches, "disturbed launch", "disturbed launches")


def as_json(frame: pd.DataFrame, changes: Sequence[QuantityChange], failing: Failing) -> dict[str, Any]:
    """Plain JSON values: the verdict, what fails and why, every case, and every other quantity; null = no number.

    `regressed` of a case says, as `failing` does, what fails by the gates that were given.
    """
    whole = [name for name, column in COMPARISON.items() if column.dtype == "Int64"]
    cases = [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        | {key: None if pd.isna(row[key]) else int(row[key]) for key in whole}
        | {"doubts": [asdict(doubt) for doubt in row["doubts"]], "regressed": row["case"] in failing}
        for row in frame.to_dict("records")
    ]
    quantities = [
        {"case": one.case, "quantity": one.quantity.case_column, "base": one.base, "new": one.new}
        | {"verdict": one.verdict, "p": one.p, "worse_by": one.worse_by, "left_out": one.left_out}
        | {"bases": one.bases}
        for one in changes
    ]
    verdict = "regression" if failing else "nothing judged" if nothing_judged(frame) else "no regression"
    told: dict[str, Any] = {
        **{key: frame.attrs[key] for key in ("base_runs", "new_run")},
        "verdict": verdict,
        "regressions": len(failing),
        "failing": failing,
    }
    told |= {key: frame.attrs.get(key) for key in ("detectable", "bases", "bases_left_out", "canaries")} | {
        "counts": counts(frame)
    }
    return told | {"cases": cases, "quantities": quantities}


def fitting(text: Callable[[Limits], str]) -> str:
    """The text with the most rows that a comment holds."""
    *longer, shortest = (text(limits) for limits in LIMITS)
    return next((one for one in longer if len(one.encode()) <= MOST_BYTES), shortest)


def as_markdown(frame: pd.DataFrame, changes: Sequence[QuantityChange], failing: Failing) -> str:
    """For a pull request, as much of it as a comment holds."""
    return fitting(lambda limits: markdown_of(frame, changes, failing, limits))


def markdown_of(frame: pd.DataFrame, changes: Sequence[QuantityChange], failing: Failing, limits: Limits) -> str:
    """What fails and what changed as a table, the rest folded under it, and all of it in one line above."""
    rows = frame[~frame["verdict"].isin(WITHOUT_A_PAIR)].to_dict("records")
    fails = [row for row in rows if row["case"] in failing]
    changed = [row for row in rows if row["case"] not in failing and row["verdict"] in {"faster", "slower", "gone"}]
    told_apart = {row["case"] for row in (*fails, *changed)}
    rest = [row for row in rows if row["case"] not in told_apart]
    parts = [f"**benchbench: {outcome(frame, failing)}.** {in_short(frame, changes, failing)}"]
    if fails or changed:
        parts.append(_table([*fails, *changed], failing, limits.rows))
    told = [f"- {escaped(str(change))}" for change in changes if change.verdict in {"better", "worse"}]
    if told:
        parts.append("\n".join(["Beside latency:", "", *told[: limits.rows]]) + left_out(told, limits.rows))
    if sides := [f"- {escaped(line)}" for line in about_sides(frame)]:
        parts.append("\n".join(sides[: limits.rows]) + left_out(sides, limits.rows))
    for verdict, words in (("same", "without a change"), ("cannot tell", "that cannot be told")):
        if alike := [row for row in rest if row["verdict"] == verdict]:
            summary = f"<summary>{formatting.counted(len(alike), 'case')} {words}</summary>"
            parts.append(f"<details>{summary}\n\n{_table(alike, failing, limits.folded)}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Any], failing: Failing, most: int) -> str:
    lines = ["| case | base | new | new / base | verdict |", "|---|--:|--:|--:|---|"]
    for row in rows[:most]:
        base, new = (formatting.time(row[side]) if pd.notna(row[side]) else "–" for side in ("base_ms", "new_ms"))
        numbers = [row[key] for key in ("ratio", "ratio_low", "ratio_high")]
        ratio, low, high = (formatting.number(value, 4) if pd.notna(value) else "–" for value in numbers)
        interval = f"{ratio} [{low}, {high}]" if low != "–" else ratio
        why = formatting.in_a_line(why_in_words(row, failing))
        verdict = f"**{row['verdict']}**" if row["case"] in failing else row["verdict"]
        told = f"{verdict}: {escaped(why)}" if why else verdict
        lines.append(f"| {escaped(row['case'])} | {base} | {new} | {interval} | {told} |")
    return "\n".join(lines) + left_out(rows, most)


def left_out(rows: Sequence[Any], most: int) -> str:
    """What is said under rows of which not all are shown."""
    left = len(rows) - most
    return f"\n\n{left} more: see `report.json`, or `--json`." if left > 0 else ""


def why_in_words(row: Any, failing: Failing) -> str:
    """What stands beside a verdict: why it fails a build, or no more can be said, and which launches do not count."""
    why = ("; ".join(failing.get(row["case"], ())) or str(row["why"])).removeprefix(f"{row['verdict']}: ")
    without = f"without {_disturbed(row['left_out'])}" if row["left_out"] else ""
    return "; ".join(part for part in (why, without) if part)


def escaped(text: str) -> str:
    """Text of a cell or a list: it neither ends there, nor is any of it markup."""
    return " ".join("".join(f"\\{mark}" if mark in "\\|`<[*" else mark for mark in visible(text)).split())


def _times(row: Any) -> tuple[str, ...]:
    """The times of both sides, and the interval of their ratio."""
    times = [formatting.time(row[side]) for side in ("base_ms", "new_ms")]
    ends = [formatting.number(row[end], 4) for end in ("ratio_low", "ratio_high") if pd.notna(row[end])]
    interval = (f"95 % interval of new / base: {' to '.join(ends)}",) if ends else ()
    return (f"base {times[0]}, new {times[1]}", *interval)


def as_junit(frame: pd.DataFrame, failing: Failing) -> str:
    """One test a case: failed where it fails a build, skipped where nothing can be told."""
    untold = set(frame.loc[frame["verdict"].isin((*WITHOUT_A_PAIR, "cannot tell")), "case"]) - failing.keys()
    counts = {"tests": len(frame), "failures": len(failing), "skipped": len(untold)}
    suite = Xml.Element("testsuite", {"name": "benchbench compare", **{key: str(n) for key, n in counts.items()}})
    for row in frame.to_dict("records"):
        case = row["case"]
        seconds = {"time": f"{row['new_ms'] / 1000:.9f}"} if pd.notna(row["new_ms"]) else {}
        test = Xml.SubElement(suite, "testcase", {"classname": row["device"], "name": visible(case), **seconds})
        if case in failing:
            failure = Xml.SubElement(test, "failure", {"message": visible("; ".join((*failing[case], *_times(row))))})
            failure.text = visible(why_in_words(row, failing))
        elif case in untold:
            Xml.SubElement(test, "skipped", {"message": visible(f"{row['verdict']}: {row['why']}")})
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
