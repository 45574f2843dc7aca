"""ADB's transport protocol: messages, streams with one packet in flight each way, authorisation."""

from __future__ import annotations

import asyncio
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.beds.adbd.device import Device

CNXN, AUTH, OPEN, OKAY, WRTE, CLSE = (
    int.from_bytes(name, "little") for name in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"WRTE", b"CLSE")
)
AUTH_TOKEN, AUTH_SIGNATURE, AUTH_PUBLIC_KEY = 1, 2, 3
VERSION_WITHOUT_CHECKSUM = 0x01000001
MAX_PAYLOAD = 1024 * 1024
_HEADER = struct.Struct("<6I")


class Gone(Exception):
    """The stream or the whole connection has ended."""


class Stream:
    """One service that the host has opened."""

    def __init__(self, connection: Connection, local_id: int, remote_id: int) -> None:
        self._connection = connection
        self.local_id = local_id
        self.remote_id = remote_id
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.acknowledged = asyncio.Event()
        self.closed = asyncio.Event()
        self._buffer = bytearray()

    async def read(self) -> bytes:
        """The next payload, b"" at the end; acknowledged only when taken, so that back-pressure reaches the host."""
        if self.closed.is_set() and self.incoming.empty():
            return b""
        if data := await self.incoming.get():
            await self._connection.send(OKAY, self.local_id, self.remote_id)
        return data

    async def read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not (data := await self.read()):
                raise Gone
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def write(self, data: bytes | bytearray) -> None:
        limit = self._connection.max_payload
        for start in range(0, len(data), limit):
            if self.closed.is_set():
                raise Gone
            self.acknowledged.clear()
            await self._connection.send(WRTE, self.local_id, self.remote_id, data[start : start + limit])
            await self.acknowledged.wait()
        if self.closed.is_set():
            raise Gone

    def end(self) -> None:
        """The host has closed the stream, or the connection is gone."""
        self.closed.set()
        self.acknowledged.set()
        self.incoming.put_nowait(b"")

    async def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            with suppress(Gone, OSError):
                await self._connection.send(CLSE, self.local_id, self.remote_id)
        self._connection.streams.pop(self.local_id, None)


class Connection:
    """One adb server that has connected to the device."""

    def __init__(self, device: Device, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._device = device
        self._reader = reader
        self.writer = writer
        self.streams: dict[int, Stream] = {}
        self.max_payload = 4096
        self._next_id = 1
        self._online = False
        self._token = b""
        self._services: set[asyncio.Task[None]] = set()

    async def send(self, command: int, first: int, second: int, data: bytes | bytearray = b"") -> None:
        await self._device.hold(len(data))
        self.writer.write(_HEADER.pack(command, first, second, len(data), 0, command ^ 0xFFFFFFFF))
        if data:
            self.writer.write(data)
        await self.writer.drain()

    async def serve(self) -> None:
        """Read messages until the link ends, then end every stream."""
        try:
            while True:
                header = await self._reader.readexactly(_HEADER.size)
                command, first, second, length, _checksum, _magic = _HEADER.unpack(header)
                data = await self._reader.readexactly(length) if length else b""
                await self._device.hold(length)
                await self._handle(command, first, second, data)
        except (asyncio.IncompleteReadError, OSError, Gone):
            pass
        finally:
            for stream in list(self.streams.values()):
                stream.end()
            if self._services:
                await asyncio.wait(self._services)
            self.writer.close()

    async def introduce(self) -> None:
        """Tell the host what we are: from now on the device is online there."""
        self._online = True
        await self.send(CNXN, VERSION_WITHOUT_CHECKSUM, MAX_PAYLOAD, self._device.banner)

    async def _handle(self, command: int, first: int, second: int, data: bytes) -> None:
        if command == CNXN:
            self.max_payload = min(second, MAX_PAYLOAD)
            await self._greet()
        elif command == AUTH:
            await self._authorise(first, data)
        elif command == OPEN and self._online:
            task = asyncio.create_task(self._open(first, data.rstrip(b"\0").decode("utf-8", "surrogateescape")))
            self._services.add(task)
            task.add_done_callback(self._services.discard)
        elif command == WRTE and second not in self.streams:
            await self.send(CLSE, 0, first)
        elif stream := self.streams.get(second):
            if command == OKAY:
                stream.remote_id = first
                stream.acknowledged.set()
            elif command == WRTE:
                stream.incoming.put_nowait(data)
            elif command == CLSE:
                del self.streams[second]
                stream.end()

    async def _greet(self) -> None:
        if self._device.mute:
            return
        if self._device.auth == "none":
            await self.introduce()
        else:
            await self._challenge()

    async def _challenge(self) -> None:
        self._token = os.urandom(20)
        await self.send(AUTH, AUTH_TOKEN, 0, self._token)

    async def _authorise(self, kind: int, data: bytes) -> None:
        if kind == AUTH_SIGNATURE and self._device.knows(self._token, data):
            await self.introduce()
        elif kind == AUTH_PUBLIC_KEY:  # the phone shows "Allow USB debugging?"
            self._device.asked_to_allow(self, data.rstrip(b"\0"))
        else:
            await self._challenge()

    async def _open(self, remote_id: int, name: str) -> None:
        service = self._device.service(name)
        if service is None:
            await self.send(CLSE, 0, remote_id)
            return
        stream = Stream(self, self._next_id, remote_id)
        self._next_id += 1
        self.streams[stream.local_id] = stream
        with suppress(Gone, OSError):
            await self.send(OKAY, stream.local_id, remote_id)
            await service(stream)
        await stream.close()
