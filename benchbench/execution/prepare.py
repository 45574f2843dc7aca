"""What a device measures with: for each runtime a toolchain, or why it has none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from benchbench.device.session import Session
from benchbench.execution.libraries import libraries_on
from benchbench.runtimes import FORMATS, runtime_of, runtime_of_backend
from benchbench.runtimes.base import Target, Toolchain
from benchbench.values.backend import Backend
from benchbench.values.device import Device, ToolChoice, Traits
from benchbench.values.errors import DeviceError, ToolError


@dataclass(frozen=True, slots=True)
class PreparedDevice:
    """A device as it was found: its traits, and by format its toolchain or why it has none."""

    device: Device
    traits: Traits
    toolchains: Mapping[str, Toolchain]
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def problem(self) -> str | None:
        """Why nothing can be measured there; None = something can."""
        return None if self.toolchains else "; ".join(self.problems.values())

    @property
    def target(self) -> Target:
        runners = {name: toolchain.runner.kind for name, toolchain in self.toolchains.items()}
        return Target(self.device, self.traits, runners, problems=self.problems)

    def unsupported_reason(self, delegate: Backend) -> str | None:
        """Why a delegate cannot run there: for the device's sake, or for what its tool was built with."""
        name = runtime_of_backend(delegate.kind).format
        if (toolchain := self.toolchains.get(name)) is None:
            return self.problems.get(name, "nothing to measure with")
        runner = toolchain.runner
        return delegate.unsupported_reason(self.traits, runner.kind) or runner.unsupported_reason(delegate)


def prepare_device(session: Session, choice: ToolChoice, formats: Collection[str] = FORMATS) -> PreparedDevice:
    """Probe the device, and prepare the toolchain of each format. Raises what is transient."""
    traits = session.probe()
    device = session.device = session.device.at_home(traits.home)
    session.libraries = libraries_on(session)
    toolchains: dict[str, Toolchain] = {}
    problems: dict[str, str] = {}
    for name in formats:
        try:
            traits, toolchains[name] = runtime_of(name).prepare(session, traits, choice)
        except (ToolError, DeviceError) as error:
            if error.transient:
                raise
            problems[name] = str(error)
    return PreparedDevice(device, traits, toolchains, problems)
