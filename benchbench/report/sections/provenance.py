"""What the numbers were made of: files, tools, data, settings."""

from __future__ import annotations

import json
from pathlib import Path

from benchbench.report.results import Results
from benchbench.report.sections.base import Section
from benchbench.values.preprocessing import Preprocessing


def section(results: Results) -> Section:
    runs = []
    for run in results.runs:
        m = run.manifest
        known = {"run": run.id, "created": m.created, "benchbench": m.benchbench, "seed": m.seed}
        known |= {f"host: {key}": value for key, value in m.host.items()} | m.versions
        methods = run.trials["percentile_method"].dropna().unique() if len(run.trials) else ()
        known["percentile method"] = ", ".join(methods) or None
        files = [(v.family, v.name, v.scheme, v.size_mb, v.sha256) for v in m.variants]
        tools = [(tool.name, tool.version, tool.sha256) for tool in m.tools]
        measure = m.measure and m.measure.model_dump(mode="json")
        runs.append(
            {
                "name": results.labels[run.id],
                "facts": {key: value for key, value in known.items() if value is not None},
                "files": files,
                "tools": tools,
                "datasets": [
                    (d.family, Path(d.dataset).name, d.samples, _fed(d.preprocessing), d.sha256) for d in m.datasets
                ],
                "matrix": json.dumps({"matrix": m.matrix, "measure": measure}, indent=2, ensure_ascii=False),
                "notes": [*run.remarks, *m.notes],
            }
        )
    return Section("provenance", "Provenance", "provenance.html", content={"runs": runs})


def _fed(preprocessing: Preprocessing | None) -> str:
    """What a sample goes through before it is fed, and quantized by the input's own scale where that is integer."""
    if preprocessing is None:
        return "as they are"
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (preprocessing.mean, preprocessing.std))
    return f"as (x × {preprocessing.scale:g} − {mean}) / {std}"
