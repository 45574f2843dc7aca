"""The fields of report.json in reports/README.md, which `make reference` writes there."""

from __future__ import annotations

from benchbench.config.reference import words
from benchbench.report.record import (
    ComparisonEntry,
    ReasonRecord,
    RecommendationEntry,
    ReportRecord,
    RunEntry,
)
from benchbench.values.device import Frozen

_TABLES: dict[str, type[Frozen]] = {
    "report.json": ReportRecord,
    "runs[]": RunEntry,
    "runs[].reasons[]": ReasonRecord,
    "recommendations[]": RecommendationEntry,
    "comparison": ComparisonEntry,
}


def report_fields() -> str:
    """A table of fields for each kind of table in report.json, as Markdown."""
    parts = []
    for place, model in _TABLES.items():
        fields = model.model_json_schema(mode="serialization")["properties"]
        rows = [f"| `{name}` | {words(field)} | {field['description']} |" for name, field in fields.items()]
        parts.append("\n".join([f"`{place}`: {model.__doc__}", "", "| field | value | |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"
