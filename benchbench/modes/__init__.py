"""Modes: what a trial measures. One file each; this union is their list, in the order in which a plan has them."""

from __future__ import annotations

from benchbench.modes.base import Mode
from benchbench.modes.canary import Canary
from benchbench.modes.latency import Latency
from benchbench.modes.outputs import Outputs
from benchbench.modes.profile import Profile

MODES: tuple[Mode, ...] = (Latency(), Canary(), Profile(), Outputs())
_BY_NAME = {mode.name: mode for mode in MODES}


def mode_of(purpose: str) -> Mode:
    """The mode of trials with this purpose; raises KeyError for one that nobody has."""
    return _BY_NAME[purpose]


def takes_outputs(purpose: str) -> bool:
    """Whether trials with this purpose take outputs, and so need the samples of a dataset."""
    return isinstance(mode_of(purpose), Outputs)
