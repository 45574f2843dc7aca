"""benchbench: on-device benchmarks across hardware delegates, with numbers that can be believed.

The functions behind the commands. They are imported when they are used, so that `benchbench --help` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbench.api import (
        add_device,
        clean,
        import_logs,
        plan_matrix,
        resume,
        run,
        run_matrix,
    )
    from benchbench.comparison import compare, regressions
    from benchbench.demo import run_demo
    from benchbench.errors import BenchbenchError
    from benchbench.frames import Run, load
    from benchbench.importing import read_logs
    from benchbench.look import look_at
    from benchbench.matrix import load_matrix
    from benchbench.models.inspect import inspect
    from benchbench.models.quantize import quantize
    from benchbench.recommendation import recommend
    from benchbench.report.page import write_report
    from benchbench.selection import Selection, all_devices

_HOME = {
    **dict.fromkeys(("add_device", "clean", "import_logs", "plan_matrix"), "benchbench.api"),
    **dict.fromkeys(("resume", "run", "run_matrix"), "benchbench.api"),
    **dict.fromkeys(("compare", "regressions"), "benchbench.comparison"),
    "run_demo": "benchbench.demo",
    "BenchbenchError": "benchbench.errors",
    **dict.fromkeys(("Run", "load"), "benchbench.frames"),
    "read_logs": "benchbench.importing",
    "look_at": "benchbench.look",
    "load_matrix": "benchbench.matrix",
    "inspect": "benchbench.models.inspect",
    "quantize": "benchbench.models.quantize",
    "recommend": "benchbench.recommendation",
    "write_report": "benchbench.report.page",
    **dict.fromkeys(("Selection", "all_devices"), "benchbench.selection"),
}
__all__ = [
    "BenchbenchError",
    "Run",
    "Selection",
    "add_device",
    "all_devices",
    "clean",
    "compare",
    "import_logs",
    "inspect",
    "load",
    "load_matrix",
    "look_at",
    "plan_matrix",
    "quantize",
    "read_logs",
    "recommend",
    "regressions",
    "resume",
    "run",
    "run_demo",
    "run_matrix",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'benchbench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
