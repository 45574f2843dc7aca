"""Everything that can go wrong, as one tree.

BenchbenchError                     exit code  retry?
├── InputError                          2        no    a file, key or argument of the user's
├── NothingToDo                         3        no    the selection or the plan is empty
├── DeviceError                         4        no    a device, reached but unusable
│   ├── Unreachable                     4        yes   no link could be made
│   ├── LinkLost                        4        yes   the link was there and went away
│   ├── TransferFailed                  4        yes   a file did not arrive whole
│   ├── Unauthorized                    4        no    the device or host refused us, or its key is unknown
│   ├── DeviceBusy                      4        no    another controller holds the device
│   ├── SameMachine                     4        no    another device of the run is this very machine
│   └── Late                            4        no    a command outlived its deadline and was killed
└── ToolError                           5        no    a measuring tool cannot be had or used
"""

from __future__ import annotations


class BenchbenchError(Exception):
    """The root: one line that says what happened, and one that says what to do about it."""

    exit_code = 1
    transient = False

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = "; ".join(line for line in message.splitlines() if line.strip())  # a device may say more
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class InputError(BenchbenchError):
    """A matrix, device file, model, log or argument is wrong; names the file and the key."""

    exit_code = 2


class NothingToDo(BenchbenchError):
    """The selection leaves nothing to run or to show."""

    exit_code = 3


class DeviceError(BenchbenchError):
    """A device cannot do what was asked; the message names the device."""

    exit_code = 4


class Unreachable(DeviceError):
    """No link to the device could be made."""

    transient = True


class LinkLost(DeviceError):
    """The link went away while it was in use; what ran on the device may still run."""

    transient = True


class TransferFailed(DeviceError):
    """A file did not arrive whole."""

    transient = True


class Unauthorized(DeviceError):
    """The device refused us, or we refuse it because its host key is not known."""


class DeviceBusy(DeviceError):
    """Another controller holds the device."""


class SameMachine(DeviceError):
    """Another device of the same run leads to this very machine, and is used."""


class Late(DeviceError):
    """A command outlived its deadline and was killed on the device."""


class ToolError(BenchbenchError):
    """A measuring tool, library or converter cannot be had or used."""

    exit_code = 5
