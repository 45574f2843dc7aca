"""What a device measures .onnx files with: our script over ONNX Runtime in its Python, or a build of its own tool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchbench.device.session import Session
from benchbench.device.store import sha256_of
from benchbench.runtimes.base import Toolchain
from benchbench.runtimes.binary import ask, matches
from benchbench.runtimes.onnxruntime.backends import BACKENDS
from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST
from benchbench.runtimes.onnxruntime.backends.providers import Provider
from benchbench.runtimes.onnxruntime.perf_test.capabilities import providers_argv, read_help, read_left_out
from benchbench.runtimes.onnxruntime.perf_test.runner import PerfTestRunner
from benchbench.runtimes.onnxruntime.runner import OnnxRunner
from benchbench.runtimes.script_on_device import Sought, find_python
from benchbench.values.account import expanded
from benchbench.values.device import RunnerKind, Traits
from benchbench.values.errors import InputError, ToolError

NAME, PACKAGE, EXTRA = "ONNX Runtime", "onnxruntime", "onnx"
PYTHON = Sought(NAME, PACKAGE, EXTRA, ("onnxruntime",))
TINY = Path(__file__).with_name("tiny.onnx")


def prepare(session: Session, traits: Traits, kind: RunnerKind) -> tuple[Traits, Toolchain]:
    """The tool that the device's file names, or the script over the first Python with ONNX Runtime.

    With the traits, and the kinds of providers that such a Python has. Raises ToolError where it cannot be had.
    """
    name = session.device.name
    if kind == PERF_TEST:
        return traits, native(session, traits, expanded(session.device.onnxruntime_perf_test or "", f"{name}: {kind}"))
    if traits.os == "android":
        remedy = f"none is published: build {PERF_TEST} and name it in the device's file as `{PERF_TEST}`"
        raise ToolError(f"{name}: no tool runs .onnx models on phones", remedy=remedy)
    plugins = _plugins(session)
    try:
        probe, script = find_python(session, traits, Sought(NAME, PACKAGE, EXTRA, ("onnxruntime", *plugins)))
    except ToolError as error:
        if error.transient or traits.arch in {"arm64", "x86_64"}:
            raise
        remedy = f"install a 64-bit system on it, or name your own build: a Python, or a `{PERF_TEST}`"
        raise ToolError(f"{name}: no ONNX Runtime is published for {traits.abi}", remedy=remedy) from error
    there = tuple(dict.fromkeys([*traits.accelerators, *probe.accelerators]))
    seen = traits.model_copy(update={"accelerators": there})
    return seen, Toolchain(OnnxRunner(), script, Path(script).stem, str(probe.runtime), probe.executable)


def native(session: Session, traits: Traits, path: Path) -> Toolchain:
    """The user's build, staged, and asked for its options and for each provider that it names."""
    if not path.is_file():
        raise InputError(f"{session.device.name}: {PERF_TEST}: {path} is not there", remedy="give the binary's path")
    if reason := matches(path, traits.os, traits.arch):
        raise ToolError(f"{path} {reason}", remedy=f"give an {PERF_TEST} built for {traits.os} {traits.arch}")
    tool = session.store.stage_tool(path, executable=True)
    asked = ask(session, (tool, "--help"))
    able = read_help(asked.stdout, asked.stderr, asked.exit_code)
    named = (backend for backend in BACKENDS.values() if issubclass(backend, Provider) and backend.provider)
    known = {backend.example().perf_test_name for backend in named}
    if names := sorted(known & able.providers):
        tiny = session.store.stage_tool(TINY)
        said = ask(session, providers_argv(tool, tiny, names), timeout_s=300)
        able = replace(able, left_out=read_left_out(said.text))
    return Toolchain(PerfTestRunner(able), tool, sha256_of(path), f"{PERF_TEST} (given)")


def _plugins(session: Session) -> list[str]:
    """Where plug-ins may be, as the probe is asked: what the device's file names goes before Python packages."""
    providers = {kind: backend for kind, backend in BACKENDS.items() if issubclass(backend, Provider)}
    places = {kind: f"package:{backend.module}" for kind, backend in providers.items() if backend.module}
    named = {name.partition(":")[0]: path for name, path in session.libraries.items()}  # by kind or label
    places |= {kind: path for kind, path in named.items() if kind in providers}
    return [f"{kind}={place}" for kind, place in places.items()]
