"""One device that adb servers can connect to, and what can happen to it."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tests.beds.adbd.protocol import MAX_PAYLOAD, Connection, Stream
from tests.beds.adbd.shell import run_shell
from tests.beds.adbd.sync import serve_sync

Auth = Literal["none", "ask", "deny"]
FEATURES = ("shell_v2", "cmd", "stat_v2", "fixed_push_mkdir", "fixed_push_symlink_timestamp")


class Device:
    """adbd and its phone; everything here happens in the asyncio loop it was started in.

    `root` is put before the paths of file transfers, `wrap` before the shell of every command. `auth` "ask" waits for
    `allow()` before it lets a new key in, "deny" for ever.
    """

    def __init__(
        self,
        *,
        root: Path,
        wrap: Sequence[str],
        shell: str,
        env: Mapping[str, str],
        model: str,
        features: Sequence[str] = FEATURES,
        auth: Auth = "none",
    ) -> None:
        self.wrap = tuple(wrap)
        self.shell = shell
        self.auth = auth
        self.mute = False  # accepts connections and never answers: "offline"
        self.quota: int | None = None  # bytes that fit into a file before the disk is full
        self.rate: float | None = None  # bytes per second, each way
        self.port = 0
        self.opened: list[str] = []  # every service that a host has asked for
        self._root = root
        self._env = dict(env)
        self._model = model.replace(" ", "_")
        self._features = tuple(features)
        self._keys: list[bytes] = []
        self._waiting: tuple[Connection, bytes] | None = None
        self._connections: set[Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._reaping: set[asyncio.Task[int]] = set()
        self._server: asyncio.Server | None = None
        self._thawed = asyncio.Event()
        self._thawed.set()

    @property
    def banner(self) -> bytes:
        properties = f"ro.product.name=bench;ro.product.model={self._model};ro.product.device=bench"
        return f"device::{properties};features={','.join(self._features)}".encode()

    async def start(self) -> None:
        """Listen, on the same port after a `vanish`."""
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, limit=4 * MAX_PAYLOAD, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def vanish(self) -> None:
        """The link is gone and nobody listens; what runs is told as adbd tells it."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.thaw()
        for connection in self._connections:
            connection.writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving)

    async def reaped(self) -> None:
        """Return when everything that adbd has started has ended."""
        if self._reaping:
            await asyncio.wait(self._reaping)

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    async def allow(self) -> None:
        """The user taps "Allow" for the key that asked last."""
        if self._waiting is None:
            raise RuntimeError("no key has asked")
        connection, key = self._waiting
        self._keys.append(key)
        await connection.introduce()

    def asked_to_allow(self, connection: Connection, key: bytes) -> None:
        if self.auth == "ask":
            self._waiting = (connection, key)

    def knows(self, token: bytes, signature: bytes) -> bool:
        return any(_signed(key, token, signature) for key in self._keys)

    async def hold(self, size: int) -> None:
        """Where a frozen or slow device makes the link wait."""
        if self.rate is not None:
            await asyncio.sleep(size / self.rate)
        await self._thawed.wait()

    def path(self, name: str) -> Path:
        return self._root / name.lstrip("/")

    def service(self, name: str) -> Callable[[Stream], Awaitable[None]] | None:
        self.opened.append(name)
        kind, _, rest = name.partition(":")
        if kind == "sync":
            return lambda stream: serve_sync(self, stream)
        if kind == "exec" or kind.split(",")[0] == "shell":
            v2 = "v2" in kind.split(",")
            return lambda stream: run_shell(self, stream, rest, v2=v2)
        return None

    async def spawn(
        self, argv: Sequence[str], *, stdin: socket.socket, stdout: socket.socket, stderr: socket.socket
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=stdin.fileno(),
            stdout=stdout.fileno(),
            stderr=stderr.fileno(),
            env=self._env,
            start_new_session=True,
            cwd=self._root,
        )
        reaping = asyncio.create_task(process.wait())
        self._reaping.add(reaping)
        reaping.add_done_callback(self._reaping.discard)
        return process

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(self, reader, writer)
        self._connections.add(connection)
        self._serving.add(task)
        try:
            await connection.serve()
        finally:
            self._connections.discard(connection)
            self._serving.discard(task)


def _signed(key: bytes, token: bytes, signature: bytes) -> bool:
    """Whether a token was signed with an adb key: base64 of a little-endian RSA-2048 structure (libcrypto_utils)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

    raw = base64.b64decode(key.split()[0])
    modulus = int.from_bytes(raw[8:264], "little")
    exponent = int.from_bytes(raw[520:524], "little")
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    try:
        public.verify(signature, token, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))
    except InvalidSignature:
        return False
    return True
