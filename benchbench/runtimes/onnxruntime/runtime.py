"""ONNX Runtime: the runtime of .onnx files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchbench.device_script.protocol import DelegateRequest
from benchbench.runtimes.base import RecordedLaunch, Runtime, Target, Toolchain
from benchbench.runtimes.interpreters import Interpreter
from benchbench.runtimes.onnxruntime.backends import BACKENDS, Cpu
from benchbench.runtimes.onnxruntime.backends.base import PERF_TEST
from benchbench.runtimes.onnxruntime.quantize.schemes import SCHEMES
from benchbench.values.backend import Backend
from benchbench.values.case import Variant
from benchbench.values.device import Device, RunnerKind, ToolChoice, Traits
from benchbench.values.model import ModelInfo

if TYPE_CHECKING:
    from benchbench.device.session import Session
    from benchbench.runtimes.contents import Contents
    from benchbench.runtimes.quantizing.quantizer import Quantizer  # numpy: slow to import

ON_HOST = tuple(package for package in ("onnxruntime", "onnx") if find_spec(package) is not None)  # of the extra


class OnnxRuntime(Runtime):
    """What is true of ONNX Runtime alone; the packages of the extra are imported where they are used."""

    title = "ONNX Runtime"
    format = "onnx"
    suffixes = (".onnx",)
    name_ending = ".onnx"
    backends = BACKENDS
    usual_backend = Cpu.kind_name()
    packages = (("onnxruntime",), ())  # not for 32-bit boards, nor for musl
    host_packages = ON_HOST
    schemes = SCHEMES
    log_tool = PERF_TEST
    tiny_model = Path(__file__).with_name("tiny.onnx")  # a convolution, its activation, a mean and a softmax
    canary_model = Path(__file__).with_name("canary.onnx")  # four convolutions: 7.5 million multiplications

    def inspect(self, path: Path) -> ModelInfo:
        from benchbench.runtimes.onnxruntime.model.inspect import inspect

        return inspect(path)

    def presumed_runner(self, device: Device) -> RunnerKind:
        return PERF_TEST if device.onnxruntime_perf_test and device.runner != "python" else "python"

    def prepare(self, session: Session, traits: Traits, choice: ToolChoice) -> tuple[Traits, Toolchain]:
        from benchbench.runtimes.onnxruntime.prepare import prepare

        return prepare(session, traits, self.presumed_runner(session.device))

    def look_at_python(self, session: Session, python: str) -> Interpreter:
        from benchbench.runtimes.onnxruntime.prepare import PYTHON
        from benchbench.runtimes.script_on_device import look_at_python

        return look_at_python(session, python, PYTHON)

    def read_log(self, text: str | bytes) -> Sequence[RecordedLaunch]:
        from benchbench.runtimes.onnxruntime.recorded import read_text

        return read_text(text)

    def read_profile(self, text: str | bytes) -> RecordedLaunch | None:
        from benchbench.runtimes.onnxruntime.recorded.profile_file import read_profile

        return read_profile(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)

    def quantizer(self) -> Quantizer:
        from benchbench.runtimes.onnxruntime.quantize.quantize import OnnxConverters
        from benchbench.runtimes.quantizing.family import make_family

        return partial(make_family, OnnxConverters())

    def ordinary_kernels(self) -> DelegateRequest:
        return Cpu().request(None)

    def contents(self, info: ModelInfo, name: str) -> Contents:
        from benchbench.runtimes.onnxruntime.model.contents import OnnxContents

        return OnnxContents(info, name)

    def has_references(self, variant: Variant) -> bool:
        return "onnxruntime" in ON_HOST

    def remarks(self, variant: Variant, backends: Sequence[Backend], targets: Sequence[Target]) -> tuple[str, ...]:
        """That this host's ONNX Runtime does not know it: a device may have another."""
        from benchbench.runtimes.models import inspect

        return tuple(f"{variant.id}: {note}" for note in inspect(variant.path).notes)

    def references(self, variant: Variant) -> Mapping[str, DelegateRequest]:
        """CPU kernels on the graph as it stands in the file, then as ONNX Runtime optimises it."""
        if not self.has_references(variant):
            return {}
        from benchbench.runtimes.onnxruntime.model.dimensions import dimensions_of

        fixed = dimensions_of(variant) or None
        kernels = {"unoptimised": Cpu(optimization="disable"), "optimised": Cpu()}
        return {name: replace(cpu.request(None), dimensions=fixed) for name, cpu in kernels.items()}
