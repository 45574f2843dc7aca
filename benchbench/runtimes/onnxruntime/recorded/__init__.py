"""What others measured with ONNX Runtime: outputs of onnxruntime_perf_test, and its profiles."""

from __future__ import annotations

from collections.abc import Sequence

from benchbench.runtimes.base import RecordedLaunch
from benchbench.runtimes.onnxruntime.recorded.perf_test import read_output
from benchbench.runtimes.onnxruntime.recorded.profile_file import read_profile


def read_text(text: str | bytes) -> Sequence[RecordedLaunch]:
    """The launches in a text, in order; a profile is one. None where it is neither."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    profiled = read_profile(plain)
    return read_output(plain) if profiled is None else (profiled,)
