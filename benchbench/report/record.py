"""report.json: what the page says, for programs; its fields are documented in reports/README.md."""

from __future__ import annotations

import math
from typing import Any, Literal

import pandas as pd
from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema

from benchbench.analysis.comparison_text import as_json
from benchbench.analysis.rows import Row
from benchbench.report.results import Results
from benchbench.values.device import Frozen

FORMAT: Literal[1] = 1


class ReasonRecord(Frozen):
    """Cases without a number for one and the same reason."""

    became: str = Field(description="failed, skipped or not run.")
    count: int = Field(description="How many cases.")
    where: str = Field(description="What they have in common.")
    text: str = Field(description="The reason.")


class RunEntry(Frozen):
    """A run of the report."""

    id: str = Field(description="As in the column `run` of the cases.")
    label: str = Field(description="What the page calls it: its name and date.")
    name: str = Field(description="Its name.")
    created: str | None = Field(description="When it was made: UTC, ISO 8601.")
    folder: str = Field(description="The name of its folder.")
    cells: int = Field(description="Cells of its matrix on its devices, selected or not.")
    counts: dict[str, int] = Field(description="How many selected cases were measured, failed, skipped or not run.")
    reasons: tuple[ReasonRecord, ...] = Field(description="Why the others have no number.")
    over_budget: tuple[str, ...] = Field(description="The limits of its `[[budget]]` that cases do not keep.")


class RecommendationEntry(Frozen):
    """What to ship on one device, of one model family."""

    run: str = Field(description="The run's id.")
    device: str = Field(description="The device's name.")
    family: str = Field(description="The model family.")
    case: str | None = Field(description="The case; null where none can be recommended.")
    choice: str = Field(description="The case in words, or why there is none.")
    claims: tuple[str, ...] = Field(description="Its time, gains and costs, in words.")
    evidence: tuple[str, ...] = Field(description="What that rests on.")
    doubts: tuple[str, ...] = Field(description="What speaks against it, and against every case of the device.")
    pitfalls: tuple[str, ...] = Field(description="What to keep away from there.")


class ComparisonEntry(Frozen):
    """The last run against those before it: what `compare --json` prints."""

    base_runs: tuple[str, ...] = Field(description="The ids of the base runs.")
    new_run: str = Field(description="The id of the run that is held against them.")
    verdict: Literal["regression", "no regression", "nothing judged"] = Field(
        description="Whether any case fails a build; nothing judged: no case has times that may be compared."
    )
    regressions: int = Field(description="How many do.")
    failing: dict[str, tuple[str, ...]] = Field(description="Why, by case.")
    detectable: float | None = Field(description="The change that would have been found 4 times in 5, a fraction.")
    bases: int = Field(description="How many base runs there are.")
    bases_left_out: tuple[dict[str, Any], ...] = Field(
        description="Base runs that some cases could not be held against: `run` (its id), `folder` (its name), `cases` "
        "(how many) and `why`."
    )
    canaries: dict[str, tuple[dict[str, float], ...]] = Field(
        description="By device, of its canary with one thread and with the most (`threads`): new / base (`ratio`), how "
        "far from 1 is the same speed (`allowed`), and the share of the new run's that were off (`off`)."
    )
    counts: dict[str, int] = Field(description="How many cases have each verdict.")
    cases: tuple[dict[str, Any], ...] = Field(description="A row a case: the columns of `comparison` above.")
    quantities: tuple[dict[str, Any], ...] = Field(
        description="Memory, size, initialisation and accuracy: `case`, `quantity` (its column), `base`, `new`, "
        "`verdict`, `p`, `worse_by` (the least by which it is worse at 95 % confidence: a fraction of the base, "
        "or of the samples; below zero where it may be better), `left_out` (launches that were disturbed) and `bases` "
        "(how many base runs it is held against)."
    )


class ReportRecord(Frozen):
    """Results of one run or several. null: nobody said."""

    format: Literal[1] = Field(default=FORMAT, description="Of this file: a number that changes with its fields.")
    runs: tuple[RunEntry, ...] = Field(description="In the order in which they were named.")
    recommendations: tuple[RecommendationEntry, ...] = Field(description="One a run, device and family.")
    cases: tuple[dict[str, Any], ...] = Field(
        description="A row a case: the columns of `cases` above; `samples_ms` is a list of numbers, and `doubts` one "
        "of tables with `kind`, `text` and `remedy`."
    )
    comparison: ComparisonEntry | None = Field(default=None, description="Of several runs.")


def report_schema() -> dict[str, Any]:
    """The JSON Schema of report.json."""
    schema = ReportRecord.model_json_schema(mode="serialization")
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "report.json"}


def report_record(results: Results) -> ReportRecord:
    """All that the page says of its cases, as plain values."""
    tallies = [tally for _, tally in results.tallies]
    return ReportRecord(
        runs=tuple(
            RunEntry(
                id=run.id,
                label=results.labels[run.id],
                name=run.name,
                created=run.manifest.created,
                folder=run.folder.name,
                cells=tally.cells,
                counts=tally.counts,
                reasons=tuple(
                    ReasonRecord(became=one.became, count=one.count, where=one.where, text=one.text)
                    for one in tally.reasons
                ),
                over_budget=tuple(map(str, results.over_budget.get(run.id, ()))),
            )
            for run, tally in zip(results.runs, tallies, strict=True)
        ),
        recommendations=tuple(
            RecommendationEntry(
                run=one.run,
                device=one.device,
                family=one.family,
                case=one.case,
                choice=one.choice,
                claims=one.claims,
                evidence=one.evidence,
                doubts=(*one.doubts, *one.shared),
                pitfalls=one.pitfalls,
            )
            for one in results.recommendations
        ),
        cases=tuple(_plain(row) for row in results.rows),
        comparison=_comparison(results),
    )


def _comparison(results: Results) -> ComparisonEntry | None:
    found = results.comparison
    if found is None:
        return None
    return ComparisonEntry(**as_json(found.frame, found.changes, found.failing))


def _plain(row: Row) -> dict[str, Any]:
    """A row of the frame of cases as JSON has it."""
    own = {"samples_ms", "doubts", "place"}
    whole = {str(key): _value(value) for key, value in row.items() if key not in own}
    doubts = [{"kind": one.kind, "text": one.text, "remedy": one.remedy} for one in row["doubts"]]
    return whole | {"samples_ms": [float(time) for time in row["samples_ms"]], "doubts": doubts}


def _value(value: Any) -> Any:
    if value is None or pd.isna(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value
