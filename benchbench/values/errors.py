"""Everything that can go wrong, as one tree. Which exit code belongs to which: `commands/exit_codes.py`.

BenchbenchError               passes?  try again at once?
├── InputError                  no       no       a file, key or argument of the user's
├── NothingToDo                 no       no       the selection or the plan is empty, or two runs have nothing in common
├── DeviceError                 no       no       a device, reached but unusable
│   ├── Unreachable             yes      no       no link could be made, for as long as patience lasted
│   ├── LinkLost                yes      yes      the link was there and went away
│   ├── TransferFailed          yes      yes      a file did not arrive whole
│   ├── JobGone                 yes      yes      the device was restarted, or another's for a while
│   ├── StoreLost               yes      yes      files that were put on the device are gone from it
│   ├── JobKilled               yes      no       something on the device killed the job
│   ├── DeviceFull              yes      no       the device's disk has no room left
│   ├── DeviceBusy              yes      no       another controller holds the device
│   ├── Unauthorized            no       no       the device or host refused us, or its key is unknown
│   ├── TooMuchOutput           no       no       a command said more than a device has any reason to say
│   └── Late                    no       no       a command outlived its deadline and was killed
├── ToolError                   no       no       a measuring tool cannot be had or used
└── HostError                   no       no       this host's disk or memory is at its end

What passes is tried again by a resumed run; what may pass at once is tried again within the run, too.
"""

from __future__ import annotations

import errno
import signal

# What the operating system says when it is this host that has no more to give, whatever path was asked for.
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_EXHAUSTED = FULL | {errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


class BenchbenchError(Exception):
    """The root: one line that says what happened, and one that says what to do about it."""

    transient = False  # it may pass: a resumed run tries again
    retry_now = False  # it may have passed already: worth another attempt within the run

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = "; ".join(line for line in message.splitlines() if line.strip())  # a device may say more
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class Interrupted(KeyboardInterrupt):
    """The command is to end, by a signal or as if by one; `remedy` says how to go on with what it was doing."""

    def __init__(self, number: int = signal.SIGINT, remedy: str = "") -> None:
        super().__init__(remedy)
        self.number = number
        self.remedy = remedy

    @classmethod
    def of(cls, error: KeyboardInterrupt, remedy: str) -> Interrupted:
        """The same interruption, with a way to go on."""
        return cls(error.number if isinstance(error, Interrupted) else signal.SIGINT, remedy)


class InputError(BenchbenchError):
    """A matrix, device file, model, log or argument is wrong; names the file and the key."""


class NothingToDo(BenchbenchError):
    """The selection leaves nothing to run or to show."""


class DeviceError(BenchbenchError):
    """A device cannot do what was asked; the message names the device."""


class Unreachable(DeviceError):
    """No link to the device could be made."""

    transient = True


class LinkLost(DeviceError):
    """The link went away while it was in use; what ran on the device may still run."""

    transient = True
    retry_now = True


class TransferFailed(DeviceError):
    """A file did not arrive whole."""

    transient = True
    retry_now = True


class Unauthorized(DeviceError):
    """The device refused us, or we refuse it because its host key is not known."""


class JobGone(DeviceError):
    """What ran on the device was ended: it was restarted, or another controller had it for a while."""

    transient = True
    retry_now = True


class StoreLost(DeviceError):
    """Files that were put on the device are gone from it; they can be put there again."""

    transient = True
    retry_now = True


class JobKilled(DeviceError):
    """Something on the device killed the job: its memory ran out, or a person did it."""

    transient = True


class DeviceFull(DeviceError):
    """The device's disk has no room left."""

    transient = True


class DeviceBusy(DeviceError):
    """Another controller holds the device; no reason to try at once again, but a resumed run may find it free."""

    transient = True


class HoldLost(DeviceBusy):
    """The device refused a verb: it was restarted, or another controller has taken it since."""


class SameMachine(DeviceError):
    """Another device of the same run leads to this very machine, and is used."""


class Late(DeviceError):
    """A command outlived its deadline and was killed on the device."""


class TooMuchOutput(DeviceError):
    """A command said more than a device has any reason to say; it ends at its time limit at the latest."""


class ToolError(BenchbenchError):
    """A measuring tool, library or converter cannot be had or used."""


class Unsupported(ToolError):
    """The tool that is there has no way to do what was asked: a trial that needs it is skipped."""


class HostError(BenchbenchError):
    """This host cannot go on: its disk is full, or its memory does not suffice."""


def exhausted(error: OSError) -> bool:
    """Whether the operating system has no more disk, memory or handles to give."""
    return error.errno in _EXHAUSTED


def file_error(error: OSError, what: str, *, remedy: str = "") -> InputError | HostError:
    """Why `what` could not be done with a file of this host: its disk or memory, else the path that was named."""
    reason = f"{what}: {error.strerror or error}"
    if exhausted(error):
        return HostError(reason, remedy="free some space" if error.errno in FULL else "")
    return InputError(reason, remedy=remedy)
