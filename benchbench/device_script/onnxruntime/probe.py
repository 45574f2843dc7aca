"""What this interpreter has of ONNX Runtime: its version, built-in providers, and those that plug-ins bring."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from ..errors import first_line
from .errors import in_words
from .runtime import BUILT_IN_UNASKED, OnnxRuntime, device_words, package_library

if TYPE_CHECKING:
    from collections.abc import Mapping


def probe(plugins: Mapping[str, str]) -> dict[str, Any]:
    """What this interpreter has, for the host.

    `plugins`: by a key of the host's, the path of a plug-in's library, or `package:NAME`. Among the accelerators are
    the providers that are built in by their own names, and the keys of plug-ins that are there, whose evidence says
    which devices they offer.
    """
    said: dict[str, Any] = {"python": sys.version.split()[0], "executable": sys.executable}
    try:
        runtime = OnnxRuntime()
    except ImportError as error:
        return dict(said, runtime=None, accelerators=[], evidence={"runtime": str(error)})
    built_in = [name for name in runtime.built_in if name not in BUILT_IN_UNASKED]
    evidence = dict.fromkeys(built_in, f"built into {runtime.label}")
    there = []
    for key, where in plugins.items():
        library = package_library(where[len("package:") :]) if where.startswith("package:") else where
        if library is None:
            continue
        there.append(key)
        evidence[key] = _plugin(runtime, library)
    return dict(said, runtime=runtime.label, accelerators=built_in + there, evidence=evidence)


def _plugin(runtime: OnnxRuntime, library: str) -> str:
    before = {device.ep_name for device in runtime.devices()}
    try:
        runtime.register(library)
    except Exception as error:
        return first_line(error, in_words)
    offered = [device for device in runtime.devices() if device.ep_name not in before]
    return f"{os.path.basename(library)} offers {device_words(offered) or 'no device'}"
