"""Whether a delegate can really be made on a device: tried there with a tiny model, once a boot, and its own words.

Libraries that are there say little: a GPU without a driver, an Edge TPU that is not plugged in, an NPU that refuses its
own runtime are seen only when the delegate is made.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from benchbench.device.session import Session
from benchbench.execution.prepare import PreparedDevice
from benchbench.runtimes import BACKENDS, KINDS, backend_type, runtime_of_backend
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import Variant
from benchbench.values.device import Frozen, under
from benchbench.values.errors import DeviceError, ToolError
from benchbench.values.measurement_settings import MeasurementSettings
from benchbench.values.outcome import LaunchResult

_MEASURE = MeasurementSettings(
    rounds=1, runs=1, min_seconds=0, max_seconds=30, warmup_runs=1, warmup_min_seconds=0, timeout_seconds=120
)


class Possible(Frozen):
    """Whether a delegate can be used on a device, and what says so; `said` "" = it needs nothing but the runtime."""

    possible: bool
    said: str = ""


class _Kept(Frozen):
    """What was tried in one boot with the same toolchains, as it is kept on the device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    boot_id: str
    toolchain: str
    tried: dict[str, Possible]


def possible_delegates(session: Session, prepared: PreparedDevice) -> dict[str, Possible]:
    """Every kind of delegate, tried where making it can fail; from the device's own record within one boot."""
    known = _recalled(session, prepared)
    found = {kind: _by_traits(kind, prepared) or known.get(kind) for kind in KINDS}
    answers = {kind: answer or _tried(session, kind, prepared) for kind, answer in found.items()}
    if any(answer is None for answer in found.values()):
        _keep(session, prepared, {kind: answers[kind] for kind in KINDS if BACKENDS[kind].tried_out})
    return answers


def _by_traits(kind: str, prepared: PreparedDevice) -> Possible | None:
    """What need not be tried; None = it must be."""
    why = prepared.unsupported_reason(BACKENDS[kind].example())
    if why is not None:
        return Possible(possible=False, said=why)
    return None if BACKENDS[kind].tried_out else Possible(possible=True)


def _tried(session: Session, kind: str, prepared: PreparedDevice) -> Possible:
    """Raises LinkLost and what else ends a session; all that is the delegate's own is an answer."""
    delegate, runtime = BACKENDS[kind].example(), runtime_of_backend(kind)
    if (model := runtime.tiny_model) is None:
        return Possible(possible=True)
    toolchain = prepared.toolchains[runtime.format]
    library = delegate.library_on(session.libraries)
    work = LaunchSpec(
        variant=_variant(runtime.format, model),
        model=session.stage(model),
        delegate=delegate,
        threads=1,
        measure=_MEASURE,
        tool=toolchain.tool,
        python=toolchain.python,
        library=library and under(prepared.traits.home, library),
    )
    try:
        job = toolchain.runner.job(work)
        job = replace(job, env={**job.env, **session.device.env})
        with tempfile.TemporaryDirectory(prefix="benchbench-") as room:
            result = session.run(f"try-{kind}", job, outputs_to=Path(room))
        return judged(kind, toolchain.runner.read(work, result.raw))
    except ToolError as error:
        return Possible(possible=False, said=str(error))


def _variant(model_format: str, model: Path) -> Variant:
    about = {"family": "tiny", "name": "tiny", "scheme": "float32", "sha256": "", "size_mb": 0, "nodes": 1}
    return Variant.model_validate(about | {"format": model_format, "path": str(model)})


def judged(kind: str, reading: LaunchResult) -> Possible:
    """Made and used, or why not; one that leaves a model alone that was not compiled for it was made."""
    took = reading.delegation
    said = took.evidence or reading.error or "it gave no reason"
    if reading.status != "ok":
        return Possible(possible=False, said=said)
    if took.verdict in {"full", "partial"}:
        return Possible(possible=True, said=said)
    if backend_type(kind).only_compiled and took.verdict == "none":
        return Possible(possible=True, said="the delegate was made; it takes models that are compiled for it")
    return Possible(possible=False, said=f"a tiny model ran, but not there: {said}")


def _recalled(session: Session, prepared: PreparedDevice) -> Mapping[str, Possible]:
    """What the device keeps of an earlier try; nothing where it is of another boot or toolchain."""
    done = session.transport.run(["cat", _place(session)], timeout_s=30)
    try:
        kept = _Kept.model_validate_json(done.stdout)
    except ValidationError:
        return {}
    fits = kept.boot_id == prepared.traits.boot_id and kept.toolchain == _toolchain(session, prepared)
    return kept.tried if fits else {}


def _keep(session: Session, prepared: PreparedDevice, tried: Mapping[str, Possible]) -> None:
    if prepared.traits.boot_id is None:
        return
    kept = _Kept(boot_id=prepared.traits.boot_id, toolchain=_toolchain(session, prepared), tried=dict(tried))
    with tempfile.TemporaryDirectory(prefix="benchbench-") as room:
        path = Path(room, "tried.json")
        path.write_text(kept.model_dump_json(), encoding="utf-8")
        with suppress(DeviceError):  # then it is tried again next time
            session.transport.push(path, _place(session))


def _place(session: Session) -> str:
    return f"{session.workdir}/store/tried.json"


def _toolchain(session: Session, prepared: PreparedDevice) -> str:
    """What an answer holds for: the tools, their Python and runtime, and what the device's file says of libraries."""
    device = session.device
    tools = [[tool.tool_sha256, tool.tool_version, tool.python] for tool in prepared.toolchains.values()]
    about = [*tools, device.env, dict(session.libraries)]
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
