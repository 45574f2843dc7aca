"""Names of what is in a run folder: nothing that a matrix or a trial is called can lead out of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

REPORTS = Path("reports")  # where runs land, unless another place is named


def slug(text: str, length: int = 60) -> str:
    """A name for a folder or file: nothing in it can leave the folder it is put in."""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", text).strip("-.")[:length].rstrip("-.") or "run"


def file_name(trial: str, suffix: str) -> str:
    """A name for a file of a trial, no other trial's: with a digest where not all of the id could be kept."""
    readable = trial.replace("/", "__")
    kept = slug(readable, 200)
    whole = kept == readable and "__" not in trial
    digest = "" if whole else "." + hashlib.sha256(trial.encode()).hexdigest()[:8]
    return f"{kept}{digest}{suffix}"
