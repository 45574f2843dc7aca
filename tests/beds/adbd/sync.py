"""Files on the device: ADB's sync service (STAT, LIST, SEND and RECV, and the stats of v2)."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from tests.beds.adbd.protocol import Gone, Stream

if TYPE_CHECKING:
    from tests.beds.adbd.device import Device

_CHUNK = 64 * 1024
_HEADER = struct.Struct("<4sI")


async def serve_sync(device: Device, stream: Stream) -> None:
    """Answer requests until QUIT or the end of the stream."""
    while True:
        kind, length = _HEADER.unpack(await stream.read_exactly(_HEADER.size))
        if kind == b"QUIT":
            return
        name = (await stream.read_exactly(length)).decode("utf-8", "surrogateescape")
        if kind == b"STAT":
            await stream.write(_stat(device.path(name)))
        elif kind in {b"STA2", b"LST2"}:
            await stream.write(_stat_v2(kind, device.path(name)))
        elif kind == b"LIST":
            await stream.write(_list(device.path(name)))
        elif kind == b"RECV":
            await _send_file(stream, device.path(name))
        elif kind == b"SEND":
            target, _, mode = name.rpartition(",")
            await _Arrival(device, stream, device.path(target), int(mode) & 0o777).take()
        else:
            await _fail(stream, f"unknown command {kind!r}")
            return


async def _fail(stream: Stream, reason: str) -> None:
    await stream.write(_HEADER.pack(b"FAIL", len(reason.encode())) + reason.encode())


def _stat(path: Path) -> bytes:
    try:
        found = path.lstat()
    except OSError:
        return struct.pack("<4s3I", b"STAT", 0, 0, 0)
    return struct.pack("<4s3I", b"STAT", found.st_mode, found.st_size % 2**32, int(found.st_mtime))


def _stat_v2(kind: bytes, path: Path) -> bytes:
    try:
        s = path.stat() if kind == b"STA2" else path.lstat()
    except OSError as error:
        return struct.pack("<4sI", kind, error.errno or errno.EIO) + bytes(64)
    who = (s.st_dev, s.st_ino, s.st_mode, s.st_nlink, s.st_uid, s.st_gid)
    when = (int(s.st_atime), int(s.st_mtime), int(s.st_ctime))
    return struct.pack("<4sIQQ4IQqqq", kind, 0, *who, s.st_size, *when)


def _list(path: Path) -> bytes:
    answer = bytearray()
    for entry in sorted(path.iterdir()) if path.is_dir() else ():
        name = os.fsencode(entry.name)
        answer += b"DENT" + _stat(entry)[4:] + struct.pack("<I", len(name)) + name
    return bytes(answer) + b"DONE" + bytes(16)


async def _send_file(stream: Stream, path: Path) -> None:
    try:
        with path.open("rb") as file:
            while data := file.read(_CHUNK):
                await stream.write(_HEADER.pack(b"DATA", len(data)) + data)
    except OSError as error:
        await _fail(stream, f"open failed: {os.strerror(error.errno or errno.EIO)}")
        return
    await stream.write(_HEADER.pack(b"DONE", 0))


class _Arrival:
    """A file on its way in. As adbd does: a failure is told at once, the rest swallowed, what was written
    unlinked."""

    def __init__(self, device: Device, stream: Stream, path: Path, mode: int) -> None:
        self._device = device
        self._stream = stream
        self._path = path
        self._mode = mode
        self._error = ""
        self._told = False

    async def take(self) -> None:
        descriptor = self._create()
        try:
            await self._swallow(descriptor)
        except Gone:
            self._error = "cut off"
            raise
        finally:
            if descriptor is not None:
                os.close(descriptor)
                if self._error:
                    self._path.unlink(missing_ok=True)
        if not self._error:
            await self._stream.write(_HEADER.pack(b"OKAY", 0))

    async def _swallow(self, descriptor: int | None) -> None:
        written = 0
        await self._report()
        while True:
            kind, length = _HEADER.unpack(await self._stream.read_exactly(_HEADER.size))
            if kind == b"DONE":
                return
            data = await self._stream.read_exactly(length)
            written += length
            if not self._error and descriptor is not None:
                self._write(descriptor, data, written)
                await self._report()

    def _create(self) -> int | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.is_dir():
                self._path.unlink(missing_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, self._mode)
            os.fchmod(descriptor, self._mode)
        except OSError as error:
            self._error = f"couldn't create file: {os.strerror(error.errno or errno.EIO)}"
            return None
        return descriptor

    def _write(self, descriptor: int, data: bytes, written: int) -> None:
        try:
            if self._device.quota is not None and written > self._device.quota:
                raise OSError(errno.ENOSPC, "")
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            self._error = f"write failed: {os.strerror(error.errno or errno.EIO)}"

    async def _report(self) -> None:
        if self._error and not self._told:
            self._told = True
            await _fail(self._stream, self._error)
