"""Files of this host that have their name whole or not at all, also where the program or the power ends."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

PARTS = ".part-*"  # what a program leaves that is killed while it writes


@contextmanager
def atomic(target: Path, *, mode: int | None = None) -> Iterator[BufferedRandom]:
    """A file to write (and read) that replaces `target` when the block ends well; else nothing is left of it.

    It is written under another name in the same folder, is on the disk before it gets its own, and has that name on
    the disk when the block has ended. `mode` = the usual one, less the umask.
    """
    part = target.with_name(PARTS.replace("*", secrets.token_hex(8)))
    try:
        with part.open("x+b") as file:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        part.replace(target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def put_in_place(made: Path, target: Path) -> None:
    """Give a file or folder that was made elsewhere in the file system its name, once all of it is on the disk.

    For what others write: a download that goes on where it was cut, a folder that a family of models is made in.
    """
    for path in (made, *made.rglob("*")):
        _sync(path)
    made.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot, of a folder
            raise
    finally:
        os.close(opened)
