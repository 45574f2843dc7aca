"""What this interpreter is and which accelerators can exist; every "yes" and "no" with its evidence."""

from __future__ import annotations

import ctypes
import glob
import os
import sys
from typing import Any

import numpy as np

from ..protocol import FORMAT
from .runtime import Runtime


def probe() -> dict[str, Any]:
    """One line about this interpreter, for the host."""
    said = {"format": FORMAT, "python": sys.version.split()[0], "executable": sys.executable, "numpy": np.__version__}
    try:
        runtime = Runtime()
    except ImportError as error:
        return {**said, "runtime": None, "accelerators": [], "evidence": {"runtime": str(error)}}
    found = {"gpu": _gpu(runtime), "npu": _npu(runtime), "edgetpu": _edgetpu()}
    return {
        **said,
        "runtime": runtime.label,
        "accelerators": [name for name, (there, _) in found.items() if there],
        "evidence": {name: why for name, (_, why) in found.items()},
    }


def _gpu(runtime: Runtime) -> tuple[bool, str]:
    found = glob.glob(os.path.join(runtime.folder, "libLiteRt*Accelerator.*"))
    if not found:
        return False, f"no libLiteRt…Accelerator library in {runtime.label}"
    names = ", ".join(sorted(os.path.basename(path) for path in found))
    if sys.platform == "darwin":
        return True, names
    missing = _not_loadable("libvulkan.so.1")
    return (False, f"{names} is there, but {missing}") if missing else (True, names + " and libvulkan.so.1")


def _npu(runtime: Runtime) -> tuple[bool, str]:
    plugins = glob.glob(os.path.join(runtime.folder, "vendors", "*", "dispatch", "libLiteRtDispatch_*.so"))
    if not plugins:
        return False, f"no LiteRT dispatch library in {runtime.label}"
    said = []
    for path in sorted(plugins):
        vendor = os.path.basename(os.path.dirname(os.path.dirname(path)))
        missing = _vendor_runtime_missing(vendor)
        if not missing:
            return True, f"{os.path.basename(path)} and its runtime"
        said.append(f"{vendor}: {missing}")
    return False, "; ".join(said)


def _vendor_runtime_missing(vendor: str) -> str | None:
    from importlib.util import find_spec

    if vendor == "intel_openvino":
        return None if find_spec("openvino") else "openvino is not installed (pip install ai-edge-litert-sdk-intel)"
    return _not_loadable("libQnnHtp.so") if vendor == "qualcomm" else "its runtime is not known to this script"


def _edgetpu() -> tuple[bool, str]:
    missing = _not_loadable("libedgetpu.1.dylib" if sys.platform == "darwin" else "libedgetpu.so.1")
    return (False, missing) if missing else (True, "libedgetpu can be loaded")


def _not_loadable(library: str) -> str | None:
    """The reason; None when the library can be loaded."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error)
    return None
