"""ONNX Runtime in this Python: its version, the providers built into it, and those that plug-ins bring."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import first_line
from .errors import in_words

if TYPE_CHECKING:
    pass

CPU = "CPUExecutionProvider"
BUILT_IN_UNASKED = {CPU, "AzureExecutionProvider"}  # the latter calls a service: it computes nothing here


class OnnxRuntime:
    """The package; raises ImportError where it is not installed, or not for this Python and numpy."""

    def __init__(self) -> None:
        try:
            self.package: Any = __import__("onnxruntime")
            self.package.InferenceSession  # noqa: B018  # a folder of that name is a package, too
        except Exception as error:  # one built for another numpy raises AttributeError or SystemError
            said = f"{type(error).__name__}: {first_line(error, in_words)}"
            raise ImportError(f"no ONNX Runtime can be imported (pip install onnxruntime): {said}") from error
        self.label = f"onnxruntime {self.package.__version__}"

    @property
    def built_in(self) -> tuple[str, ...]:
        """The providers that this build has."""
        return tuple(self.package.get_available_providers())

    def register(self, library: str) -> None:
        """Load a plug-in's library; raises what ONNX Runtime raises."""
        if not hasattr(self.package, "register_execution_provider_library"):
            raise NotImplementedError(f"plug-in providers need onnxruntime >= 1.23; here is {self.label}")
        self.package.register_execution_provider_library(os.path.basename(library), library)

    def devices(self, provider: str | None = None) -> list[Any]:
        """The devices that providers offer: all, or those of one."""
        if not hasattr(self.package, "get_ep_devices"):
            return []
        found = self.package.get_ep_devices()
        return [device for device in found if provider in (None, device.ep_name)]


def package_library(package: str | None) -> str | None:
    """The plug-in's library in a Python package that brings one; None where the package is not installed."""
    if package is None:
        return None
    try:
        return str(__import__(package).get_library_path())
    except ImportError:
        return None


def device_words(devices: list[Any]) -> str:
    """Devices in words: who offers which."""
    names = [f"{found.ep_name} on {found.device.type.name} ({found.device.vendor})" for found in devices]
    return ", ".join(names)
