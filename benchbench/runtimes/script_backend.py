"""What a backend says beside where the device script runs it."""

from __future__ import annotations

from typing import ClassVar

from benchbench.device_script.protocol import DelegateRequest
from benchbench.runtimes.cache_lines import CacheLines
from benchbench.values.backend import Backend


class ScriptBackend(Backend):
    """A backend that the script may have; what it does not override, it does not have there."""

    cache_lines: ClassVar[CacheLines] = CacheLines()  # of the script, and of whatever other tool has it
    remarks: ClassVar[tuple[tuple[str, str], ...]] = ()  # words in the script's evidence, what a reader must know then

    def request(self, library: str | None) -> DelegateRequest | None:
        """The `delegate` part of a request to the script; None = it has no such delegate."""
        return None

    def keeping(self, request: DelegateRequest, folder: str) -> DelegateRequest | None:
        """That part, with the folder to keep in what the delegate compiles; None = the script cannot."""
        return None
