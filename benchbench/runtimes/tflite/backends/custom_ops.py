"""Custom and Flex operators: who brings kernels for them."""

from __future__ import annotations

from benchbench.values.device import RunnerKind

BUILT_IN = {"AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess"}  # every resolver has them
_MEDIAPIPE = {"Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"}
BY_DELEGATE = {  # what a delegate takes although the runtime has no kernel for it
    "xnnpack": _MEDIAPIPE,
    "gpu": _MEDIAPIPE | {"Resampler"},
}
TAKE_ANY = {"external", "npu"}  # whatever a vendor's library claims


def unresolved(custom: tuple[str, ...], delegate: str) -> tuple[str, ...]:
    """The custom operators that neither the runtimes nor a delegate of this kind are known to have a kernel for."""
    if delegate in TAKE_ANY:
        return ()
    return tuple(op for op in custom if op not in BUILT_IN | BY_DELEGATE.get(delegate, set()))


def has_flex(runner: RunnerKind, runtime: str | None, tool: str | None) -> bool:
    """Whether a tool has TensorFlow's kernels: the full package does, and Google's builds with Flex in their name."""
    if runner == "python":
        return (runtime or "").startswith("tensorflow ")
    return "flex" in (tool or "").lower()
