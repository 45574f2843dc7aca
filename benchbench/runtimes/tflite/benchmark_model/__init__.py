"""benchmark_model, the native tool: two generations of it, every dialect of its output, and never a wrong label."""

from __future__ import annotations

from benchbench.runtimes.tflite.benchmark_model.capabilities import Capabilities, read_usage, usage_argv
from benchbench.runtimes.tflite.benchmark_model.runner import BenchmarkModelRunner

__all__ = ["BenchmarkModelRunner", "Capabilities", "usage_argv", "read_usage"]
