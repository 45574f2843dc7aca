"""Custom and Flex operators: who brings kernels for them."""

from __future__ import annotations

from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind

BUILT_IN = {"AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess"}  # every resolver has them
MEDIAPIPE = {"Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"}


def unresolved(custom: tuple[str, ...], delegate: Backend) -> tuple[str, ...]:
    """The custom operators that neither the runtimes nor this delegate are known to have a kernel for."""
    return tuple(op for op in custom if op not in BUILT_IN and not delegate.takes_custom_op(op))


def has_flex(runner: RunnerKind, runtime: str | None, tool: str | None) -> bool:
    """Whether a tool has TensorFlow's kernels: the full package does, and Google's builds with Flex in their name."""
    if runner == "python":
        return (runtime or "").startswith("tensorflow ")
    return "flex" in (tool or "").lower()
