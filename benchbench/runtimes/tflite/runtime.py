"""LiteRT and TFLite: the runtime of .tflite files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchbench.device_script.protocol import DelegateRequest
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.runtimes.base import RecordedLaunch, Runtime, Target, Toolchain
from benchbench.runtimes.cache import cache_folder
from benchbench.runtimes.interpreters import Interpreter
from benchbench.runtimes.tflite.backends import BACKENDS, UNASKED
from benchbench.runtimes.tflite.backends.compiled import COMPILED, mismatch
from benchbench.runtimes.tflite.quantize.schemes import SCHEMES
from benchbench.runtimes.tflite.remarks import remarks
from benchbench.runtimes.tool import Fetched, Tool
from benchbench.values.backend import Backend
from benchbench.values.case import Variant
from benchbench.values.device import Adb, Device, RunnerKind, ToolChoice, Traits
from benchbench.values.model import ModelInfo

if TYPE_CHECKING:
    from benchbench.device.session import Session
    from benchbench.runtimes.contents import Contents
    from benchbench.runtimes.quantizing.quantizer import Quantizer  # numpy: slow to import

REFERENCES: Mapping[str, DelegateRequest] = MappingProxyType(
    {
        "reference": InterpreterDelegate(xnnpack=False, kernels="reference"),
        "builtin": InterpreterDelegate(xnnpack=False),
    }
)


class Tflite(Runtime):
    """What is true of LiteRT alone; what reads flatbuffers is slow to import."""

    title = "LiteRT"
    format = "tflite"
    suffixes = (".tflite",)
    backends = BACKENDS
    usual_backend = UNASKED
    # tflite-runtime was built for numpy 1 and serves Pythons before 3.9.
    packages = (("ai-edge-litert",), ("tflite-runtime", "numpy<2"))
    host_packages = ("ai-edge-litert",)
    schemes = SCHEMES
    fed_by_launch = frozenset({"benchmark_model"})
    telling = ("elegate", "Num threads", "Replacing ", " will run on the ", "erializ", "cache", " environment")
    log_tool = "benchmark_model"
    tiny_model = Path(__file__).with_name("tiny.tflite")  # a convolution, its activation, a mean and a softmax
    canary_model = Path(__file__).with_name("canary.tflite")  # four convolutions: 7.5 million multiplications

    def inspect(self, path: Path) -> ModelInfo:
        from benchbench.runtimes.tflite.model.inspect import inspect

        return inspect(path)

    def presumed_runner(self, device: Device) -> RunnerKind:
        return device.runner or ("benchmark_model" if isinstance(device.address, Adb) else "python")

    def prepare(self, session: Session, traits: Traits, choice: ToolChoice) -> tuple[Traits, Toolchain]:
        from benchbench.runtimes.tflite.prepare import prepare

        return prepare(session, traits, choice)

    def look_at_python(self, session: Session, python: str) -> Interpreter:
        from benchbench.runtimes.script_on_device import look_at_python
        from benchbench.runtimes.tflite.prepare import PYTHON

        return look_at_python(session, python, PYTHON)

    def tools(self) -> tuple[Tool, ...]:
        from benchbench.runtimes.tflite.tools import known

        return known(cache_folder())

    def fetch_tool(self, traits: Traits, choice: ToolChoice, progress: Fetched | None) -> Tool:
        from benchbench.runtimes.tflite.tools import Build, find

        wanted = Build(traits.os, traits.arch, choice.generation, choice.version)
        return find(wanted, given=None, cache=cache_folder(), allow_download=True, progress=progress)

    def read_log(self, text: str | bytes) -> Sequence[RecordedLaunch]:
        from benchbench.runtimes.tflite.benchmark_model.log_parser import read_text

        return [RecordedLaunch(launch.reading, launch.graph) for launch in read_text(text)]

    def quantizer(self) -> Quantizer:
        from benchbench.runtimes.quantizing.family import make_family
        from benchbench.runtimes.tflite.quantize.quantize import TfliteConverters

        return partial(make_family, TfliteConverters())

    def ordinary_kernels(self) -> DelegateRequest:
        return InterpreterDelegate(xnnpack=True)

    def contents(self, info: ModelInfo, name: str) -> Contents:
        from benchbench.runtimes.tflite.model.contents import TfliteContents

        return TfliteContents(info, name)

    def mismatch(self, variant: Variant, backend: Backend) -> str | None:
        return mismatch(variant.scheme, backend)

    def remarks(self, variant: Variant, backends: Sequence[Backend], targets: Sequence[Target]) -> tuple[str, ...]:
        return remarks(variant, backends, [(target, self.runner_on(target)) for target in targets])

    def references(self, variant: Variant) -> Mapping[str, DelegateRequest]:
        return {} if variant.scheme in COMPILED else REFERENCES
