"""Commands on the device: shell protocol v2, and the raw one of old phones (`shell:`, `exec:`)."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.beds.adbd.protocol import Gone, Stream

if TYPE_CHECKING:
    from tests.beds.adbd.device import Device

_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_HEADER = struct.Struct("<BI")


async def run_shell(device: Device, stream: Stream, command: str, *, v2: bool) -> None:
    """Run a command in the device's shell until it ends, or the host goes away.

    As adbd does: stdin and stdout are one socket pair, the child has its own session, and when the host goes away v2
    sends SIGHUP to the shell's process alone, the raw services nothing.
    """
    argv = [*device.wrap, device.shell, "-c", command]
    own_out, their_out = socket.socketpair()
    own_err, their_err = socket.socketpair()
    try:
        process = await device.spawn(argv, stdin=their_out, stdout=their_out, stderr=their_err if v2 else their_out)
    finally:
        their_out.close()
        their_err.close()
    pipes = {_STDOUT: own_out, _STDERR: own_err} if v2 else {_STDOUT: own_out}
    pumps = [asyncio.create_task(_pump(pipe, kind, stream, v2=v2)) for kind, pipe in pipes.items()]
    output = asyncio.gather(*pumps)
    source = asyncio.create_task(_feed(stream, own_out, v2=v2))
    both: set[asyncio.Future[Any]] = {output, source}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if output.done() and output.exception() is None:
            code = await process.wait()
            if v2:
                await stream.write(_HEADER.pack(_EXIT, 1) + bytes([code if code >= 0 else 128 - code]))
        elif v2 and process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGHUP)
    finally:
        # Where one pump fails the other goes on: it would still wait for a socket whose number the next command gets.
        await _cancel((*pumps, *both))
        own_out.close()
        own_err.close()


async def _pump(pipe: socket.socket, kind: int, stream: Stream, *, v2: bool) -> None:
    pipe.setblocking(False)
    loop = asyncio.get_running_loop()
    while True:
        try:
            data = await loop.sock_recv(pipe, 1 << 16)
        except OSError:  # the child ended with input unread: a socket pair says "connection reset"
            return
        if not data:
            return
        await stream.write(_HEADER.pack(kind, len(data)) + data if v2 else data)


async def _feed(stream: Stream, pipe: socket.socket, *, v2: bool) -> None:
    """Pass stdin on; ends only when the host has closed the stream."""
    loop = asyncio.get_running_loop()
    with suppress(Gone):
        while True:
            if v2:
                kind, length = _HEADER.unpack(await stream.read_exactly(_HEADER.size))
                data = await stream.read_exactly(length)
            elif data := await stream.read():
                kind = _STDIN
            else:
                return
            with suppress(OSError):  # a program need not read its input
                if kind == _STDIN:
                    await loop.sock_sendall(pipe, data)
                elif kind == _CLOSE_STDIN:
                    pipe.shutdown(socket.SHUT_WR)


async def _cancel(futures: Sequence[asyncio.Future[Any]]) -> None:
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
