"""What a backend says beside where the device script runs it."""

from __future__ import annotations

from typing import ClassVar

from benchbench.device_script.protocol import DelegateRequest
from benchbench.values.backend import Backend


class ScriptBackend(Backend):
    """A backend that the script may have; what it does not override, it does not have there."""

    remarks: ClassVar[tuple[tuple[str, str], ...]] = ()  # words in the script's evidence, what a reader must know then

    def request(self, library: str | None) -> DelegateRequest | None:
        """The `delegate` part of a request to the script; None = it has no such delegate."""
        return None
