"""Files to and from a phone over ADB's sync service.

Format: AOSP packages/modules/adb, SYNC.TXT and file_sync_protocol.h: four letters and a little-endian length or value.
Spoken by hand for the reasons that adb_server.py gives.
"""

from __future__ import annotations

import os
import select
import struct
import time
from stat import S_IFREG
from typing import BinaryIO

from benchbench.transports.adb_server import AdbFailure, Link
from benchbench.transports.deadline import Deadline

_CHUNK = 64 * 1024  # the protocol's largest


def mode_and_size(link: Link, path: str, deadline: Deadline) -> tuple[int, int]:
    """A file's mode and its size modulo 2**32; (0, 0) where there is none."""
    link.send(_message(b"STAT", path), deadline)
    _kind, mode, size, _mtime = struct.unpack("<4s3I", link.read(16, deadline))
    return mode, size


def send(link: Link, source: BinaryIO, target: str, mode: int, deadline: Deadline) -> None:
    """Write a file on the phone; raises AdbFailure with the phone's reason, which may come before the file's end."""
    link.send(_message(b"SEND", f"{target},{S_IFREG | mode}"), deadline)
    while chunk := source.read(_CHUNK):
        link.send(struct.pack("<4sI", b"DATA", len(chunk)) + chunk, deadline)
        if select.select([link.socket], [], [], 0)[0]:
            break
    else:
        link.send(struct.pack("<4sI", b"DONE", int(time.time())), deadline)
    kind, length = struct.unpack("<4sI", link.read(8, deadline))
    if kind != b"OKAY":
        raise AdbFailure(link.read(length, deadline).decode("utf-8", "replace"))


def receive(link: Link, source: str, target: BinaryIO, deadline: Deadline) -> int:
    """Read a file of the phone into `target`; its size. Raises AdbFailure with the phone's reason."""
    link.send(_message(b"RECV", source), deadline)
    while True:
        kind, length = struct.unpack("<4sI", link.read(8, deadline))
        if kind == b"DONE":
            return target.tell()
        data = link.read(length, deadline)
        if kind != b"DATA":
            raise AdbFailure(data.decode("utf-8", "replace"))
        target.write(data)


def _message(kind: bytes, path: str) -> bytes:
    name = os.fsencode(path)
    return struct.pack("<4sI", kind, len(name)) + name
