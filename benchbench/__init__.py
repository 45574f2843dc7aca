"""benchbench: on-device benchmarks across hardware delegates, with numbers that can be believed.

The functions behind the commands. They are imported when they are used, so that `benchbench --help` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchbench.analysis.compare import compare, regressions
    from benchbench.analysis.frames import Run, load
    from benchbench.analysis.history import changes, read_history
    from benchbench.analysis.recommend import recommend
    from benchbench.config.matrix import load_matrix
    from benchbench.demo import run_demo
    from benchbench.execution.selection import Selection, all_devices
    from benchbench.execution.status import device_status
    from benchbench.importing.logs import read_logs
    from benchbench.pipeline import (
        add_device,
        clean,
        import_logs,
        plan_matrix,
        quantize,
        resume,
        run,
        run_matrix,
    )
    from benchbench.report.page import write_report
    from benchbench.runtimes.models import inspect
    from benchbench.values.errors import BenchbenchError

_HOME = {
    **dict.fromkeys(("add_device", "clean", "import_logs", "plan_matrix"), "benchbench.pipeline"),
    **dict.fromkeys(("resume", "run", "run_matrix"), "benchbench.pipeline"),
    **dict.fromkeys(("compare", "regressions"), "benchbench.analysis.compare"),
    **dict.fromkeys(("changes", "read_history"), "benchbench.analysis.history"),
    "run_demo": "benchbench.demo",
    "BenchbenchError": "benchbench.values.errors",
    **dict.fromkeys(("Run", "load"), "benchbench.analysis.frames"),
    "read_logs": "benchbench.importing.logs",
    "device_status": "benchbench.execution.status",
    "load_matrix": "benchbench.config.matrix",
    "inspect": "benchbench.runtimes.models",
    "quantize": "benchbench.pipeline",
    "recommend": "benchbench.analysis.recommend",
    "write_report": "benchbench.report.page",
    **dict.fromkeys(("Selection", "all_devices"), "benchbench.execution.selection"),
}
__all__ = [
    "BenchbenchError",
    "Run",
    "Selection",
    "add_device",
    "all_devices",
    "changes",
    "clean",
    "compare",
    "import_logs",
    "inspect",
    "load",
    "load_matrix",
    "device_status",
    "plan_matrix",
    "quantize",
    "read_history",
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
