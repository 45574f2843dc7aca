"""Run folders as tidy frames: one row a trial, one row a case. Times in ms, memory in MB, temperatures in °C."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchbench.doubts import throttle_flags
from benchbench.errors import InputError
from benchbench.outcome import Memory, Outcome
from benchbench.summary import Cell, ran, summarize

FORMAT = 1
_PHASES = ("init", "first", "warmup_mean", "mean", "min", "max", "std", "p5", "median", "p95", "typical")
_TIMES = tuple(f"{phase}_ms" for phase in _PHASES)
_COUNTS = ("runs", "runs_asked", "threads_got")
_WHOLE = frozenset(("threads", "round", "position", "kernels", "attempts", "exit_code", *_COUNTS))
_WHOLE |= {"nodes_delegated", "nodes_total", "partitions"}


class _Manifest(BaseModel):
    """run.json as far as it is read here: newer fields pass through, known ones have their shape checked."""

    model_config = ConfigDict(extra="allow")

    format: int = FORMAT
    name: str = ""
    id: str = ""
    created: str | None = None
    benchbench: str | None = None
    seed: int | None = None
    host: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, Any] = Field(default_factory=dict)
    matrix: dict[str, Any] = Field(default_factory=dict)
    measure: dict[str, Any] = Field(default_factory=dict)
    devices: list[dict[str, Any]] = Field(default_factory=list)
    variants: list[dict[str, Any]] = Field(default_factory=list)
    cases: list[dict[str, Any]] = Field(default_factory=list)
    trials: list[dict[str, Any]] = Field(default_factory=list)
    skips: list[dict[str, Any]] = Field(default_factory=list)
    tools: list[dict[str, Any]] = Field(default_factory=list)
    notes: list[Any] = Field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """One run folder, read: its manifest, and the last outcome of every trial."""

    folder: Path
    manifest: dict[str, Any]
    outcomes: tuple[Outcome, ...]

    @property
    def id(self) -> str:
        return self.manifest["id"] or self.folder.name

    @property
    def name(self) -> str:
        return self.manifest["name"] or self.folder.name

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """What the plan says about each case, by case id; from the outcome alone where the plan does not know it."""
        planned = {str(case.get("id")): _cell(case, self.manifest) for case in self.manifest["cases"]}
        unplanned = {o.case: _cell_of(o) for o in self.outcomes if o.case not in planned}
        return planned | unplanned

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row a trial that has an outcome, in the order of the outcomes."""
        return _frame([_trial_row(self, outcome) for outcome in self.outcomes], _trial_columns())

    @cached_property
    def cases(self) -> pd.DataFrame:
        """One row a case with an outcome, in the plan's order: median over launches, interval, verdict, doubts."""
        groups: dict[str, list[Outcome]] = {case: [] for case in self.cells}
        for outcome in self.outcomes:
            groups[outcome.case].append(outcome)
        cooldown = (self.manifest["measure"].get("cooldown") or {}).get("below_c")
        seed = self.manifest["seed"] or 0
        rows = [
            {"run": self.id, **summarize(self.cells[case], group, cooldown_c=cooldown, seed=seed)}
            for case, group in groups.items()
            if group
        ]
        return _frame(rows, ("run", *summarize(Cell(), [], cooldown_c=None, seed=0)))


def load(path: Path | str) -> Run:
    """Read a run folder. A torn last line of outcomes.jsonl is left out; the last line of a trial counts.

    Raises InputError, naming file, line and remedy, where something is missing or is not what it should be.
    """
    folder = Path(path)
    return Run(folder, _manifest(folder / "run.json"), _outcomes(folder / "outcomes.jsonl"))


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = _Manifest.model_validate(json.loads(_text(path)))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {key}: {first['msg']}", remedy="restore the file as benchbench wrote it") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: {error.msg}", remedy="restore it as benchbench wrote it") from None
    if manifest.format > FORMAT:
        raise InputError(f"{path}: format {manifest.format} is newer than this benchbench", remedy="update benchbench")
    return manifest.model_dump()


def _outcomes(path: Path) -> tuple[Outcome, ...]:
    if not path.exists():
        return ()
    lines = _text(path).split("\n")
    found: dict[str, Outcome] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            outcome = Outcome.model_validate_json(line)
        except ValidationError as error:
            # Every whole line ends with a newline, so what follows the last one was cut by a kill or a full disk.
            if number == len(lines):
                break
            problem = error.errors()[0]
            key = ".".join(str(part) for part in problem["loc"])
            what = f"{key}: {problem['msg']}" if key else problem["msg"]
            raise InputError(f"{path}:{number}: {what}", remedy="remove that line, then --resume the run") from None
        found.pop(outcome.trial, None)
        found[outcome.trial] = outcome
    return tuple(found.values())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: {reason}", remedy="give the folder of a run, with run.json in it") from None


def _cell(case: dict[str, Any], manifest: dict[str, Any]) -> Cell:
    device: dict[str, Any] = next((d for d in manifest["devices"] if d.get("name") == case.get("device")), {})
    clusters = (device.get("traits") or {}).get("clusters") or []
    named = {f"{v.get('family')}.{v.get('name')}": v for v in manifest["variants"]}
    variant = named.get(str(case.get("variant")), {})
    return Cell(
        case=str(case.get("id")),
        device=str(case.get("device") or ""),
        family=str(case.get("family") or variant.get("family") or ""),
        variant=str(case.get("name") or variant.get("name") or case.get("variant") or ""),
        scheme=case.get("scheme") or variant.get("scheme"),
        delegate=str(case.get("delegate") or ""),
        kind=case.get("kind"),
        threads=case.get("threads"),
        affinity=case.get("affinity"),
        size_mb=variant.get("size_mb"),
        sha256=variant.get("sha256"),
        cores=sum(len(cluster.get("cores", ())) for cluster in clusters) or None,
    )


def _cell_of(outcome: Outcome) -> Cell:
    family, _, name = outcome.variant.rpartition(".")
    asked = outcome.delegation.asked
    return Cell(
        case=outcome.case,
        device=outcome.device,
        family=family,
        variant=name,
        delegate=asked or "",
        kind=asked,
        threads=outcome.measurement.threads,
        size_mb=outcome.measurement.model_mb,
    )


def _trial_row(run: Run, outcome: Outcome) -> dict[str, Any]:
    measured, delegation = outcome.measurement, outcome.delegation
    before, after = outcome.before, outcome.after
    cell = run.cells[outcome.case]
    return {
        "run": run.id,
        **{key: getattr(cell, key) for key in _CELL},
        "round": outcome.round,
        "position": outcome.position,
        "trial": outcome.trial,
        "status": outcome.status,
        "verdict": delegation.verdict,
        "evidence": delegation.evidence,
        "executor": ran(outcome),
        **{key: getattr(delegation, key) for key in _DELEGATION},
        "runner": outcome.runner,
        "tool": measured.tool,
        **{f"{phase}_ms": _ms(getattr(measured.timings, phase)) for phase in _PHASES},
        "percentile_method": measured.timings.percentile_method,
        "runs": measured.runs,
        "runs_asked": measured.runs_asked,
        "threads_got": measured.threads,
        **measured.memory.model_dump(),
        "temperature_before_c": before.temperature_c if before else None,
        "temperature_after_c": after.temperature_c if after else None,
        "throttled": ", ".join(throttle_flags(outcome)),
        "load_before": before.load if before else None,
        "profiled": measured.profile is not None,
        **{f"accuracy_{key}": value for key, value in outcome.accuracy.items()},
        **{key: getattr(outcome, key) for key in _OUTCOME},
    }


_CELL = ("device", "family", "variant", "scheme", "delegate", "kind", "threads", "affinity", "case")
_DELEGATION = ("nodes_delegated", "nodes_total", "partitions", "remainder")
_OUTCOME = ("started", "wall_s", "tool_s", "attempts", "exit_code", "error", "remedy", "log")


def _trial_columns() -> tuple[str, ...]:
    head = ("run", *_CELL, "round", "position", "trial", "status", "verdict", "evidence", "executor", *_DELEGATION)
    middle = ("runner", "tool", *_TIMES, "percentile_method", *_COUNTS, *Memory.model_fields)
    tail = ("temperature_before_c", "temperature_after_c", "throttled", "load_before", "profiled", *_OUTCOME)
    return (*head, *middle, *tail)


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Rows as a frame whose columns exist and have their types also where no row has a value."""
    extra = dict.fromkeys(key for row in rows for key in row if key not in columns)
    frame = pd.DataFrame(rows, columns=[*columns, *extra])
    for name in frame.columns:
        if name in _WHOLE or name.startswith("launches"):
            frame[name] = frame[name].astype("Int64")
        elif name.endswith(("_ms", "_mb", "_c", "_s", "cv", "load_before")) and name != "samples_ms":
            frame[name] = frame[name].astype("float64")
        elif frame[name].isna().all():
            frame[name] = frame[name].astype("str")
    return frame


def _ms(us: float | None) -> float | None:
    return None if us is None else us / 1000
