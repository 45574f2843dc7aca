"""A server with one file, which can behave as badly as real ones do."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchbench.runtimes.tflite.tools import Build, find
from benchbench.runtimes.tool import Tool


def elf(machine: int = 183, interpreter: bytes = b"/system/bin/linker64\0", size: int = 300_000) -> bytes:
    """A 64-bit little-endian ELF file with one program header that names its interpreter."""
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    if not interpreter:
        head = head[:56] + struct.pack("<H", 0) + head[58:]
    program = struct.pack("<IIQQQQQQ", 3, 4, 64 + 56, 0, 0, len(interpreter), len(interpreter), 1)
    body = head + program + interpreter
    noise = hashlib.shake_128(b"code").digest(size - len(body))
    return body + noise


@dataclass
class Shelf:
    """A server's one file, how it behaves, and what it was asked."""

    content: bytes = field(default_factory=elf)
    ranges: bool = True
    honours_if_range: bool = True
    etag: str | None = '"one"'
    cut_after: list[int] = field(default_factory=list)  # bytes sent before the connection is cut, per request
    status: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        shelf, asked = self.shelf, self.headers.get("Range")
        shelf.asked.append((self.path, asked))
        if shelf.status is not None:
            self.send_error(shelf.status)
            return
        same = not shelf.honours_if_range or self.headers.get("If-Range") == shelf.etag
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and shelf.ranges and same else 0
        if start > len(shelf.content):
            self.send_error(416)
            return
        rest = shelf.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(shelf.content) - 1}/{len(shelf.content)}")
        if shelf.etag:
            self.send_header("ETag", shelf.etag)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: shelf.cut_after.pop(0)] if shelf.cut_after else rest)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at what was asked, not at stderr."""


@contextmanager
def serving(shelf: Shelf) -> Iterator[Shelf]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"shelf": shelf}))
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def phone_tool(cache: Path, url: str | None = None, version: str = "2.2.0", **more: Any) -> Tool:
    settings: dict[str, Any] = {"given": None, "allow_download": True, "base_url": url} | more
    return find(Build("android", "arm64", "litert", version), cache=cache, **settings)


def place(cache: Path, version: str = "2.2.0") -> Path:
    return cache / "tools" / "litert" / version / "android_arm64" / "benchmark_model"
