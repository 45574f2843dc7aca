"""What a device measures .onnx files with: our script over the ONNX Runtime of its Python."""

from __future__ import annotations

from pathlib import Path

from benchbench.device.session import Session
from benchbench.runtimes.base import Toolchain
from benchbench.runtimes.onnxruntime.backends import BACKENDS
from benchbench.runtimes.onnxruntime.backends.providers import Provider
from benchbench.runtimes.onnxruntime.runner import OnnxRunner
from benchbench.runtimes.script_on_device import Sought, find_python
from benchbench.values.device import Traits
from benchbench.values.errors import ToolError

NAME, PACKAGE, EXTRA = "ONNX Runtime", "onnxruntime", "onnx"
PYTHON = Sought(NAME, PACKAGE, EXTRA, ("onnxruntime",))


def prepare(session: Session, traits: Traits) -> tuple[Traits, Toolchain]:
    """The script over the first Python with ONNX Runtime; the traits with the kinds of providers that it has.

    Raises ToolError where no Python has it.
    """
    name = session.device.name
    if traits.os == "android":
        remedy = "none is published; .onnx models run on boards and on this machine"
        raise ToolError(f"{name}: no tool runs .onnx models on phones", remedy=remedy)
    plugins = _plugins(session)
    try:
        probe, script = find_python(session, traits, Sought(NAME, PACKAGE, EXTRA, ("onnxruntime", *plugins)))
    except ToolError as error:
        if error.transient or traits.arch in {"arm64", "x86_64"}:
            raise
        remedy = "install a 64-bit system on it, or name a Python with your own build as `python`"
        raise ToolError(f"{name}: no ONNX Runtime is published for {traits.abi}", remedy=remedy) from error
    there = tuple(dict.fromkeys([*traits.accelerators, *probe.accelerators]))
    seen = traits.model_copy(update={"accelerators": there})
    return seen, Toolchain(OnnxRunner(), script, Path(script).stem, str(probe.runtime), probe.executable)


def _plugins(session: Session) -> list[str]:
    """Where plug-ins may be, as the probe is asked: what the device's file names goes before Python packages."""
    providers = {kind: backend for kind, backend in BACKENDS.items() if issubclass(backend, Provider)}
    places = {kind: f"package:{backend.module}" for kind, backend in providers.items() if backend.module}
    named = {name.partition(":")[0]: path for name, path in session.libraries.items()}  # by kind or label
    places |= {kind: path for kind, path in named.items() if kind in providers}
    return [f"{kind}={place}" for kind, place in places.items()]
