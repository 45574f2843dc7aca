"""Qualcomm's Hexagon DSP through TFLite's (archived) Hexagon delegate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.backends.log_names import LogLine, LogNames, summary_row
from benchbench.values.device import RunnerKind, Traits


class Hexagon(TfliteBackend):
    """The Hexagon DSP."""

    kind: Literal["hexagon"] = "hexagon"
    library_folder: str = Field(
        default="/data/local/tmp",
        description="The folder on the phone with libhexagon_interface.so and the libhexagon_nn_skel*.so.",
    )
    profiling: bool = Field(default=False, description="The delegate's own profiling, which slows it.")
    library_form = "folder"
    color = "#8c74c9"
    processor = "accelerator"
    libraries_from = "libhexagon_interface.so beside Google's benchmark_model, Qualcomm's libhexagon_nn_skel"
    log_names = LogNames(
        flags=("use_hexagon",),
        kernels=("tflitehexagondelegate",),
        lines=(LogLine("option", "hexagon", summary_row("dsp w/ hexagon")),),
    )

    def files_needed(self, library: str | None) -> tuple[str, ...]:
        return (library or self.library_folder,)

    def obstacle(self, traits: Traits, runner: RunnerKind) -> str | None:
        if traits.os != "android" or traits.arch not in {"arm64", "arm"}:
            return "the Hexagon delegate exists on Android phones with a Qualcomm SoC only"
        return None

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        return (
            "--use_hexagon=true",
            f"--hexagon_lib_path={library or self.library_folder}",
            *(("--hexagon_profiling=true",) if self.profiling else ()),
            "--use_xnnpack=true",
        )
