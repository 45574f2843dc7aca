"""An external delegate: any shared library with TFLite's plugin interface, and its options."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal, Self

from pydantic import Field, field_validator

from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.backends.log_names import LogLine, LogNames
from benchbench.values.device import RunnerKind, Traits


class External(TfliteBackend):
    """A delegate in a shared library on the device with TFLite's plugin interface."""

    kind: Literal["external"] = "external"
    path: str = Field(min_length=1, description="The path of the library on the device.")
    name: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9._-]+$", description="What case ids call it. [the library's name]"
    )
    options: dict[str, str] = Field(default_factory=dict, description="The library's own options.")
    library_form = "file"
    color = "#a07850"
    compiled_schemes = frozenset({"edgetpu", "ethos-u", "neutron", "vsi-npu"})
    log_names = LogNames(
        flags=("external_delegate_path",),
        lines=(LogLine("unavailable", "external delegate from", r"Unable to load external delegate from"),),
        plugin=True,
    )

    @field_validator("options", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()}

    @classmethod
    def example(cls) -> Self:
        return cls(path="any.so")

    @property
    def label(self) -> str:
        file = PurePosixPath(self.path).name
        stem = self.name or file.split(".so")[0].removeprefix("lib") or file
        return f"external:{''.join(c if c.isalnum() or c in '._-' else '_' for c in stem)}"

    @property
    def library(self) -> str | None:
        return self.path

    def takes_custom_op(self, op: str) -> bool:
        return True  # whatever its library claims

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if runner != "benchmark_model":
            return None
        # The tool splits at ';' and ':' and silently drops what does not split into two.
        for key, value in self.options.items():
            if any(mark in key + value for mark in ";:"):
                return f"benchmark_model would drop option {key!r}, which contains ';' or ':': use runner = \"python\""
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        options = ";".join(f"{key}:{value}" for key, value in self.options.items())
        return (
            f"--external_delegate_path={library or self.path}",
            *((f"--external_delegate_options={options}",) if options else ()),
            "--use_xnnpack=true",
        )

    def request(self, library: str | None) -> InterpreterDelegate:
        return InterpreterDelegate(xnnpack=True, library=library or self.path, options=self.options)
