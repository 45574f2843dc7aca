"""benchbench: on-device benchmarks across hardware delegates, with numbers that can be believed.

The functions behind the commands:

    folder = benchbench.run("matrix.toml")      # or run_models(["a.tflite", "b.tflite"], delegates=["xnnpack", "gpu"])
    run = benchbench.load(folder)
    run.cases                                   # pandas frames: a row a case; run.trials, run.classes, run.confusion
    run.plot()                                  # each launch of a case on a matplotlib Axes
    benchbench.figure("latency", run)           # a figure of the page, which saves itself

They are imported when they are used, so that `benchbench --help` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbench.analysis.compare import compare, regressions
    from benchbench.analysis.frames import Run, load
    from benchbench.analysis.history import changes, read_history, run_folders
    from benchbench.analysis.recommend import recommend
    from benchbench.config.matrix import load_matrix
    from benchbench.demo import run_demo
    from benchbench.execution.first_matrix import init
    from benchbench.execution.inventory_changes import add_device, clean
    from benchbench.execution.selection import Selection, all_devices
    from benchbench.execution.status import device_status
    from benchbench.importing.logs import read_logs
    from benchbench.importing.run_folder import import_logs
    from benchbench.pipeline import (
        plan_matrix,
        quantize,
        resume,
        run,
        run_again,
        run_matrix,
        run_models,
    )
    from benchbench.report.figure import figure
    from benchbench.report.figures.drawing import FigureFiles
    from benchbench.report.page import write_report
    from benchbench.run_folder.baselines import baseline, baselines, set_baseline
    from benchbench.runtimes.models import inspect
    from benchbench.values.errors import BenchbenchError

_HOME = {
    "benchbench.analysis.compare": ("compare", "regressions"),
    "benchbench.analysis.frames": ("Run", "load"),
    "benchbench.analysis.history": ("changes", "read_history", "run_folders"),
    "benchbench.analysis.recommend": ("recommend",),
    "benchbench.config.matrix": ("load_matrix",),
    "benchbench.demo": ("run_demo",),
    "benchbench.execution.first_matrix": ("init",),
    "benchbench.execution.inventory_changes": ("add_device", "clean"),
    "benchbench.execution.selection": ("Selection", "all_devices"),
    "benchbench.execution.status": ("device_status",),
    "benchbench.importing.logs": ("read_logs",),
    "benchbench.importing.run_folder": ("import_logs",),
    "benchbench.pipeline": (
        *("plan_matrix", "quantize"),
        *("resume", "run", "run_again", "run_matrix", "run_models"),
    ),
    "benchbench.report.figure": ("figure",),
    "benchbench.report.figures.drawing": ("FigureFiles",),
    "benchbench.report.page": ("write_report",),
    "benchbench.run_folder.baselines": ("baseline", "baselines", "set_baseline"),
    "benchbench.runtimes.models": ("inspect",),
    "benchbench.values.errors": ("BenchbenchError",),
}
_MODULES = {name: module for module, names in _HOME.items() for name in names}
__all__ = [
    "BenchbenchError",
    "FigureFiles",
    "Run",
    "Selection",
    "add_device",
    "all_devices",
    "baseline",
    "baselines",
    "changes",
    "clean",
    "compare",
    "import_logs",
    "init",
    "inspect",
    "load",
    "load_matrix",
    "device_status",
    "figure",
    "plan_matrix",
    "quantize",
    "read_history",
    "read_logs",
    "recommend",
    "regressions",
    "resume",
    "run",
    "run_again",
    "run_demo",
    "run_folders",
    "run_matrix",
    "run_models",
    "set_baseline",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'benchbench' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
