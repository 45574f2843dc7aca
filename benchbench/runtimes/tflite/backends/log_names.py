"""What the output of benchmark_model calls a delegate: in flags, echoes, log lines, traces and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that only one delegate's presence explains: which event it is, and its pattern.

    A line without the fixed `words` is not looked at. What the events mean is in `benchmark_model/verdict.py`.
    """

    event: str
    words: str
    pattern: str


@dataclass(frozen=True, slots=True)
class LogNames:
    """The names of one delegate."""

    flags: tuple[str, ...] = ()  # flags that ask for it, which the echo of the parameters repeats
    echoes: tuple[tuple[str, str], ...] = ()  # other labels of the echo, and the parameter that each is
    words: tuple[str, ...] = ()  # beside its kind, in small letters: its API on a system, a word for its processor
    kernels: tuple[str, ...] = ()  # how the name of its kernel begins, in small letters and digits only
    kernel_words: str = ""  # a pattern for the names of its other kernels, which begin like nobody's
    operators: str = ""  # a pattern for its operators in a profile, which stand there instead of its kernel
    lines: tuple[LogLine, ...] = ()
    harmless: tuple[str, ...] = ()  # patterns of lines that look like errors and end nothing
    unasked: bool = False  # comes with a model's operators, whatever was asked for
    plugin: bool = False  # loaded from a shared library, which names the kernel


def summary_row(title: str) -> str:
    """The pattern of a row in the summary of benchmark_model_performance_options."""
    return rf"(?P<title>{title}) *: *(?P<result>count=| ?failed!)"


# Delegates of benchmark_model that no matrix can ask for; other people's logs name them.
FOREIGN: Mapping[str, LogNames] = {
    "coreml": LogNames(flags=("use_coreml",), kernels=("tflitecoremldelegate",)),
    "ynnpack": LogNames(flags=("use_ynnpack",), kernels=("tfliteynnpackdelegate",)),
    "flex": LogNames(words=("select",), kernels=("tfliteflexdelegate",), unasked=True),
    "stable_delegate": LogNames(
        flags=("stable_delegate_settings_file",),
        words=("stable",),
        lines=(
            LogLine("unavailable", "stable", r"(?:Invalid TFLiteSettings for the|Failed to load) (?P<name>stable)[ _]"),
        ),
        plugin=True,
    ),
}
