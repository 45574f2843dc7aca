"""What differs between two sides of a comparison besides their times: the model file, and what measured it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchbench.values.doubt import Doubt

OTHER_FILE, OTHER_TOOL = "other model file", "other tool"


def doubts_of(base: pd.Series | None, new: pd.Series | None) -> tuple[Doubt, ...]:
    """What differs between the sides besides the time, then the doubts of each."""
    between = () if base is None or new is None else (other_file(base, new), other_tool(base, new))
    sides = [(name, row) for name, row in (("base", base), ("new", new)) if row is not None]
    own = [Doubt(doubt.kind, f"{name}: {doubt.text}", doubt.remedy) for name, row in sides for doubt in row["doubts"]]
    return (*(doubt for doubt in between if doubt is not None), *own)


def other_file(base: pd.Series, new: pd.Series) -> Doubt | None:
    if not _differ(base, new, "sha256"):
        return None
    files = ", then ".join(_text(row["sha256"])[:12] for row in (base, new))
    return Doubt(
        OTHER_FILE, f"sha256 {files}", "measure both runs with one file, or read the ratio as that of two models"
    )


def other_tool(base: pd.Series, new: pd.Series) -> Doubt | None:
    """Another name, version or binary of what measured; what a side does not say differs from nothing."""
    if base["status"] != "ok" or new["status"] != "ok":
        return None
    if not any(_differ(base, new, key) for key in ("tool", "tool_version", "tool_sha256")):
        return None
    remedy = "measure both runs with one binary (python: one benchbench and one runtime), to tell model from tool"
    return Doubt(OTHER_TOOL, f"{_tool(base)}, then {_tool(new)}", remedy)


def _tool(row: pd.Series) -> str:
    """What measured a case: its name, and the version and binary as far as they are known."""
    name, version, sha256 = (_text(row[key]) for key in ("tool", "tool_version", "tool_sha256"))
    file = "benchbench's script" if row["runner"] == "python" else "sha256"  # a runtime in Python is known by version
    more = [version] if version and version not in name else []
    more += [f"{file} {sha256[:12]}"] if sha256 else []
    return (name or "an unknown tool") + (f" ({', '.join(more)})" if more else "")


def _differ(base: pd.Series, new: pd.Series, key: str) -> bool:
    was, now = _text(base[key]), _text(new[key])
    return bool(was and now) and was != now


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
