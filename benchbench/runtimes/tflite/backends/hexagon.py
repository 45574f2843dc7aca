"""Qualcomm's Hexagon DSP through TFLite's (archived) Hexagon delegate."""

from __future__ import annotations

from typing import Literal

from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind, Traits


class Hexagon(Backend):
    """The Hexagon DSP; `library_folder` holds libhexagon_interface.so and the libhexagon_nn_skel*.so on the phone."""

    kind: Literal["hexagon"] = "hexagon"
    library_folder: str = "/data/local/tmp"
    profiling: bool = False
    name_in_tool = "Hexagon"

    def files_needed(self, library: str | None) -> tuple[str, ...]:
        return (library or self.library_folder,)

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        if traits.os != "android" or traits.arch not in {"arm64", "arm"}:
            return "the Hexagon delegate exists on Android phones with a Qualcomm SoC only"
        if runner != "benchmark_model":
            return 'the Hexagon delegate needs runner = "benchmark_model"'
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        return (
            "--use_hexagon=true",
            f"--hexagon_lib_path={library or self.library_folder}",
            *(("--hexagon_profiling=true",) if self.profiling else ()),
            "--use_xnnpack=true",
        )

    def litert_flags(self, library: str | None) -> None:
        return None

    def request(self, library: str | None) -> None:
        return None
