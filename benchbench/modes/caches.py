"""Launches with a cache of what the delegate compiles: an empty one, or one that a launch before has filled.

Whether it was used is read from what is in its folder before and after, and from the tool's own lines.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from benchbench.device.agent import folder_name
from benchbench.device.temporary import FileState, TemporaryFolder
from benchbench.modes.base import Attempt
from benchbench.modes.launch import launched
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.backend import Cache
from benchbench.values.errors import DeviceError
from benchbench.values.outcome import CacheLine, CacheUse, Outcome

Files = Mapping[str, FileState]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A launch whose cache is as it was asked for: what the priming launch gave, and which files it has left."""

    spec: LaunchSpec
    job_name: str
    folder: TemporaryFolder | None = None  # of its cache
    primed: Outcome | None = None
    files: Files | None = None


@contextlib.contextmanager
def prepared(attempt: Attempt) -> Iterator[Prepared]:
    """The launch of an attempt with the folder of its cache, for as long as that is there; as it is where it has none.

    Raises as `launch` does.
    """
    asked = attempt.spec.delegate.caching
    if asked not in {"cold", "warm"}:
        yield Prepared(attempt.spec, attempt.trial.id)
        return
    # Named anew for each attempt: an earlier one may have left a cache that is full by now, or a job that used it.
    own = f"{attempt.trial.id} {secrets.token_hex(4)}"
    folder = TemporaryFolder(attempt.session, folder_name(f"{own} cache"))
    spec = replace(attempt.spec, cache=folder.make())
    try:
        if asked == "cold":
            yield Prepared(spec, own, folder)
        else:
            primed, _ = launched(attempt, _priming(spec), part="priming", job_name=f"{own} priming")
            yield Prepared(spec, own, folder, primed, folder.files())
    finally:
        with contextlib.suppress(DeviceError):  # it goes with the session's jobs
            folder.remove()


def _priming(spec: LaunchSpec) -> LaunchSpec:
    """The launch with as few inferences as there may be: what it compiles is the same."""
    few = {"runs": 1, "min_seconds": 0.0, "warmup_runs": 1, "warmup_min_seconds": 0.0}
    return replace(spec, measure=spec.measure.model_copy(update=few), profile=False)


def launch_with_cache(attempt: Attempt) -> Outcome:
    """The outcome of the launch of an attempt, with whether its cache was used and what that cost."""
    asked = attempt.spec.delegate.caching
    with prepared(attempt) as ready:
        if ready.primed is not None and ready.primed.status != "ok":
            return ready.primed.model_copy(update={"error": f"priming launch: {ready.primed.error}"})
        outcome, reading = launched(attempt, ready.spec, job_name=ready.job_name)
        if asked is None or ready.folder is None or outcome.status != "ok":
            return outcome
        after = ready.folder.files()
    use = _cold_use(after, reading.cache) if asked == "cold" else _warm_use(ready.files, after, reading.cache)
    return outcome.model_copy(
        update={"cache": use, "quantities": {**outcome.quantities, **_costs(use, outcome, ready.primed, after)}}
    )


def _costs(use: CacheUse, outcome: Outcome, primed: Outcome | None, files: Files | None) -> dict[str, float]:
    """Initialisation with an empty and with a full cache, in ms, where it was so; and how much is kept."""
    inits = {"cold": primed if use.asked == "warm" else outcome, "warm": outcome if use.asked == "warm" else None}
    found = {} if not use.used else {f"init_{state}_ms": _init_ms(told) for state, told in inits.items()}
    found["cache_mb"] = sum(file.size for file in files.values()) / 1e6 if files else None
    return {name: value for name, value in found.items() if value is not None}


def _init_ms(outcome: Outcome | None) -> float | None:
    init = outcome.measurement.timings.init if outcome else None
    return None if init is None else init / 1000


def _cold_use(after: Files | None, said: CacheLine | None) -> CacheUse:
    if said is not None and said.event != "missed":
        return _use("cold", said.event != "refused" and None, said.line)
    if after is None:
        return _use("cold", None, said.line if said else "the device does not tell what is in the cache's folder")
    return _use("cold", bool(after), _written(after) if after else "nothing was written to it")


def _warm_use(before: Files | None, after: Files | None, said: CacheLine | None) -> CacheUse:
    if said is not None:
        return _use("warm", said.event == "read", said.line)
    if before is None or after is None:
        return _use("warm", None, "the device does not tell what is in the cache's folder")
    if not before:
        return _use("warm", False, "the priming launch wrote nothing to it")
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        return _use("warm", False, f"{', '.join(changed)} was written again by the measured launch")
    return _use("warm", True, f"{_written(before)} by the priming launch, unchanged by the measured one")


def _use(asked: Cache, used: bool | None, evidence: str) -> CacheUse:
    return CacheUse(asked=asked, used=used, evidence=evidence)


def _written(files: Files) -> str:
    size = sum(file.size for file in files.values()) / 1e6
    return f"{len(files)} file{'s' * (len(files) != 1)} of {size:.3g} MB written"
