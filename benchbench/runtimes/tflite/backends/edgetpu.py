"""The Coral Edge TPU, through libedgetpu as an external delegate; models must be compiled for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.backends.log_names import LogNames
from benchbench.values.device import RunnerKind, Traits


class EdgeTpu(TfliteBackend):
    """One Edge TPU of Coral; models must be compiled for it."""

    kind: Literal["edgetpu"] = "edgetpu"
    device: str | None = Field(
        default=None,
        pattern=r"^(usb|pci)?(:\d+)?$",
        description='As libedgetpu writes it: "usb", "usb:0", "pci:0", ":1". [the first it finds]',
    )
    path: str = Field(default="libedgetpu.so.1", description="The path of libedgetpu on the device.")
    library_form = "file"
    color = "#b65a9c"
    processor = "accelerator"
    tried_out = True
    compiled_schemes = frozenset({"edgetpu"})
    only_compiled = True
    libraries_from = "Coral's package libedgetpu1-std"
    log_names = LogNames(kernels=("edgetpudelegateforcustomop",), plugin=True)

    @property
    def label(self) -> str:
        return f"edgetpu:{self.device.replace(':', '')}" if self.device else "edgetpu"

    @property
    def library(self) -> str | None:
        return self.path

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if self.device and ":" in self.device and runner == "benchmark_model":
            return (
                'benchmark_model drops a \':\' in delegate options: use device = "usb" or "pci", or runner = "python"'
            )
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        options = (f"--external_delegate_options=device:{self.device}",) if self.device else ()
        return (f"--external_delegate_path={library or self.path}", *options, "--use_xnnpack=true")

    def request(self, library: str | None) -> InterpreterDelegate:
        options = {"device": self.device} if self.device else {}
        return InterpreterDelegate(xnnpack=True, library=library or self.path, options=options)
