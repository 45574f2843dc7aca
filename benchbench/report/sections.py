"""The sections of the page, one noun each: from results to what its template needs, or the reason for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchbench.analysis.doubts import Doubt, common_doubts
from benchbench.analysis.formatting import quality
from benchbench.analysis.recommend import Recommendation
from benchbench.analysis.tradeoffs import is_broken
from benchbench.report import charts
from benchbench.report.charts import Chart
from benchbench.report.classes import per_class
from benchbench.report.results import Results, profile_rows
from benchbench.report.rows import case_row, facts, tradeoff_table
from benchbench.values import formatting
from benchbench.values.quantities import PER_LAUNCH, of_group

NO_OUTPUTS = "No outputs were compared: give the model a dataset in the matrix."


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; with `empty`, that sentence stands in for it."""

    id: str
    title: str
    template: str
    about: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    charts: Sequence[Chart] = ()
    empty: str | None = None


def shared_doubts(results: Results) -> dict[str, tuple[Doubt, ...]]:
    """The doubts that every measured case of a place has: said once for the device, not again in each row."""
    return {
        str(place): common_doubts(cases.loc[cases["status"] == "ok", "doubts"])
        for place, cases in results.cases.groupby("place", sort=False)
    }


def summary(results: Results) -> Section:
    found = [(results.place(r.run, r.device), r) for r in results.recommendations]
    content = {
        "recommendations": [(place, r) for place, r in found if _says_something(r)],
        "nothing": list(dict.fromkeys(place for place, r in found if not _says_something(r))),
    }
    return Section("summary", "In short", "summary.html", content=content, empty=_nothing(results))


def _says_something(found: Recommendation) -> bool:
    return bool(found.case or found.traps or found.evidence)


def devices(results: Results) -> Section:
    shared = shared_doubts(results)
    cards = []
    for run in results.runs:
        for device in run.manifest["devices"]:
            place = results.place(run.id, str(device.get("name")))
            cards.append(
                {"place": place, "facts": facts(device), "error": device.get("error"), "doubts": shared.get(place, ())}
            )
    return Section(
        "devices",
        "What was run where",
        "devices.html",
        content={"cards": cards},
        empty=None if cards else "The run does not say anything about its devices: it was made from logs.",
    )


def latency(results: Results) -> Section:
    return Section(
        "latency",
        "Latency",
        "charts.html",
        f"The {_statistic(results)}, with its interval ({_intervals(results)}), at the fastest number of threads. A "
        "delegate has a bar only where it really took the graph; where something else ran, the row says what."
        + _pale(results),
        charts=[charts.latency(results, panel) for panel in results.panels],
        empty=_nothing(results),
    )


def cases(results: Results) -> Section:
    shared = shared_doubts(results)
    frame = results.cases
    headed = [one for one in PER_LAUNCH if one.heading and one.case and frame[one.case_column].notna().any()]
    rows = [case_row(row, headed, shared.get(row["place"], ())) for _, row in frame.iterrows()]
    content = {
        "rows": rows,
        "statistic": formatting.statistic_title(frame["statistic"]).capitalize(),
        "interval": formatting.interval_title(frame["launches"]).capitalize(),
        "quantities": headed,
    }
    return Section(
        "cases",
        "All cases",
        "cases.html",
        f"One row a case. A latency is the {_statistic(results)}. A number in parentheses is no number of the delegate "
        "that was asked for.",
        content=content,
        empty=_nothing(results),
    )


def accuracy(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.accuracy(results, panel))]
    tables = [table for panel in results.panels if (table := tradeoff_table(results, panel))]
    metrics = list(results.tradeoffs["metric"])
    none = "" if any(isinstance(metric, str) for metric in metrics) else NO_OUTPUTS
    return Section(
        "accuracy",
        f"Speed against {quality(metrics)}",
        "accuracy.html",
        "On the path that was timed: same variant, delegate and device. Brackets of a time are its "
        f"interval ({_intervals(results)}), of ratios and shares 95 % intervals; “cannot tell”: "
        "the launches are too few, or vary too much, to say which is faster." + (f" {none}" if none else ""),
        content={"tables": tables},
        charts=found,
        empty=None if tables else none or "There is nothing to compare with one another.",
    )


def classes(results: Results) -> Section:
    found = [known for panel in results.panels if (known := per_class(results, panel))]
    return Section(
        "classes",
        "Classes",
        "classes.html",
        "What quantization costs is seldom shared out evenly. Recall: the share of a class's samples that was found.",
        content={"panels": found},
        empty=None if found else "Nothing is known of single classes: give the model a dataset with labels.",
    )


def threads(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.threads(results, panel))]
    return Section(
        "threads",
        "Threads",
        "charts.html",
        f"Latency over the number of threads: the {_statistic(results)}." + _pale(results),
        charts=found,
        empty=None if found else "Only one number of threads was measured.",
    )


def phases(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.phases(panel, results))]
    return Section(
        "phases",
        "Phases",
        "charts.html",
        "Initialisation, first inference, warm-up and steady state of a launch, medians over launches."
        + _pale(results),
        charts=found,
        empty=None if found else "No case has a number that ran where it was asked to.",
    )


def memory(results: Results) -> Section:
    found = [chart for panel in results.panels if (chart := charts.memory(panel, results))]
    return Section(
        "memory",
        "Memory",
        "charts.html",
        "Each kind by its own name; they measure different things and cannot be compared with one another."
        + _pale(results),
        charts=found,
        empty=None if found else "The tools gave no memory figures.",
    )


def profile(results: Results) -> Section:
    found = [charts.profile(panel.title, rows) for panel in results.panels if (rows := profile_rows(results, panel))]
    return Section(
        "profile",
        "Where the time goes",
        "charts.html",
        "Share of each op type in one inference, with op profiling on. A delegate's partition is one block.",
        charts=found,
        empty=None if found else "No op profile was taken: set profile = true in [measure].",
    )


def problems(results: Results) -> Section:
    trials = results.trials
    failed = trials[trials["status"] != "ok"]
    grouped = failed.fillna({"error": "no reason recorded", "remedy": ""}).groupby(
        ["run", "case", "error", "remedy"], sort=False
    )
    failures = [
        {
            "case": results.place(str(run), str(case)),
            "error": error,
            "remedy": remedy,
            "launches": len(group),
            "logs": list(group["log"].dropna())[:3],
        }
        for (run, case, error, remedy), group in grouped
    ]
    unreached = [
        {"name": device.get("name"), "error": device["error"]}
        for run in results.runs
        for device in run.manifest["devices"]
        if device.get("error")
    ]
    left = [(results.labels[run.id], len(run.manifest["trials"]) - len(run.outcomes)) for run in results.runs]
    content = {
        "failures": failures,
        "unreached": unreached,
        "left": [(name, count) for name, count in left if count > 0],
    }
    empty = None if any(content.values()) else "Nothing failed."
    return Section("problems", "Failures", "problems.html", content=content, empty=empty)


def conditions(results: Results) -> Section:
    found = [
        chart
        for place, trials in results.trials.groupby("place", sort=False)
        for condition in of_group("before")
        if (chart := charts.conditions(str(place), trials, condition))
    ]
    return Section(
        "conditions",
        "Conditions",
        "charts.html",
        "What each device went through in the order of its trials. A red triangle is a trial with a throttle flag; "
        "throttled and hot trials are left out of headline numbers.",
        charts=found,
        empty=None if found else "No conditions were recorded.",
    )


def provenance(results: Results) -> Section:
    runs = []
    for run in results.runs:
        m = run.manifest
        known = {"run": run.id, "created": m["created"], "benchbench": m["benchbench"], "seed": m["seed"]}
        known |= {f"host: {key}": value for key, value in m["host"].items()} | dict(m["versions"])
        methods = run.trials["percentile_method"].dropna().unique() if len(run.trials) else ()
        known["percentile method"] = ", ".join(methods) or None
        files = [
            (v.get("family"), v.get("name"), v.get("scheme"), v.get("size_mb"), v.get("sha256")) for v in m["variants"]
        ]
        tools = [(t.get("name"), t.get("version"), t.get("sha256")) for t in m["tools"]]
        runs.append(
            {
                "name": results.labels[run.id],
                "facts": {key: value for key, value in known.items() if value is not None},
                "files": files,
                "tools": tools,
                "datasets": [
                    (d["family"], Path(d["dataset"]).name, d["samples"], _fed(d["preprocessing"]), d["sha256"])
                    for d in m["datasets"]
                ],
                "matrix": json.dumps({"matrix": m["matrix"], "measure": m["measure"]}, indent=2, ensure_ascii=False),
                "notes": [
                    *run.remarks,
                    *(note if isinstance(note, str) else json.dumps(note, ensure_ascii=False) for note in m["notes"]),
                ],
            }
        )
    return Section("provenance", "Provenance", "provenance.html", content={"runs": runs})


def _fed(preprocessing: dict[str, Any] | None) -> str:
    """What a sample goes through before it is fed, and quantized by the input's own scale where that is integer."""
    if preprocessing is None:
        return "as they are"
    mean, std = (", ".join(f"{value:g}" for value in preprocessing[key]) for key in ("mean", "std"))
    return f"as (x × {preprocessing['scale']:g} − {mean}) / {std}"


SECTIONS: tuple[Callable[[Results], Section], ...] = (
    summary,
    devices,
    latency,
    cases,
    accuracy,
    classes,
    threads,
    phases,
    memory,
    profile,
    problems,
    conditions,
    provenance,
)


def _pale(results: Results) -> str:
    """What pale marks mean, where there are any."""
    if not any(is_broken(row) for _, row in results.cases.iterrows()):
        return ""
    return " Pale: an output is broken, so that these are the numbers of wrong answers."


def _statistic(results: Results) -> str:
    """What the latencies are, in a phrase."""
    coarse = "as not every tool here says a median, or says it finely enough"
    match formatting.statistic_title(results.cases["statistic"]):
        case "median":
            return "median over launches of each launch's median"
        case "mean":
            return f"median over launches of each launch's mean ({coarse})"
        case _:
            return f"median over launches of each launch's median, or of its mean where that is written ({coarse})"


def _intervals(results: Results) -> str:
    return formatting.intervals_explained(int(n) for n in results.cases["launches"])


def _nothing(results: Results) -> str | None:
    return None if len(results.tried) else "Nothing was measured: no trial has an outcome yet."
