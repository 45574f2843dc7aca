"""The only thing that can execute such a model: waiting."""

from __future__ import annotations

from typing import Literal

from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind, Traits


class Sleep(Backend):
    """Waits in the tool's own process; it is what others would be compared with, if there were others."""

    kind: Literal["sleep"] = "sleep"
    color = "#8a5a2b"
    processor = "cpu"
    is_delegate = False

    @property
    def fallback(self) -> str:
        return self.kind

    def unsupported_reason(self, traits: Traits, runner: RunnerKind) -> str | None:
        return None
