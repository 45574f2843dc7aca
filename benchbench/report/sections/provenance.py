"""What the numbers were made of: files, tools, data, settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchbench.report.results import Results
from benchbench.report.sections.base import Section


def section(results: Results) -> Section:
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
