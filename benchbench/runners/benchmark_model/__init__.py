"""benchmark_model, the native tool: two generations of it, every dialect of its output, and never a wrong label."""

from __future__ import annotations

from benchbench.runners.benchmark_model.generation import Generation, read_usage, usage_argv
from benchbench.runners.benchmark_model.runner import BenchmarkModelRunner

__all__ = ["BenchmarkModelRunner", "Generation", "usage_argv", "read_usage"]
