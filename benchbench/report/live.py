"""The report of a run that goes on, served to this machine's browsers: renewed between trials, while somebody looks."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchbench.execution.progress import RunProgress, outcome_line
from benchbench.execution.scheduler import Begun, Done, Event
from benchbench.values.formatting import duration
from benchbench.values.visible import visible

LOOKED_S = 30  # after a request somebody is looking
SHARE = 0.05  # of the time of a run, at most, that goes into renewing the page
LAST_LOOK_S = 5  # for browsers to fetch the report once the run has ended
_NOT_YET = (
    b'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    b'<meta name="viewport" content="width=device-width, initial-scale=1"><title>benchbench</title>'
    b'<p style="font: 15px/1.55 system-ui, sans-serif">The report comes after the trial that is under way.</p>'
)
_SHELL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class LiveReport:
    """A server on loopback, from `with` on; what it shows has a token in its address, and nothing else answers.

    The page is made in the thread that tells of the run, and on this machine no trial is under way meanwhile.
    """

    def __init__(self) -> None:
        self._token = secrets.token_urlsafe(16)
        self._begun: Begun | None = None
        self._page, self._number, self._made, self._wrong = _NOT_YET, 0, "", ""
        self._status: dict[str, Any] = {"ended": False, "devices": [], "last": [], "doubts": {}, "said": ""}
        self._looked_s = -float(LOOKED_S)
        self._renewed_s, self._cost_s = time.monotonic(), 0.0
        self._fetched = threading.Event()  # the report of the run that has ended
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self._token}/"

    def __enter__(self) -> LiveReport:
        for library in ("benchbench.analysis.frames", "benchbench.report.page"):
            import_module(library)  # takes seconds, which must not be between two trials
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="report", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """The report that was written last is shown before the server goes, unless somebody is in a hurry."""
        written = self._begun.folder / "index.html" if self._begun else None
        if written is not None and written.is_file() and not (kind and issubclass(kind, KeyboardInterrupt)):
            self._publish(written.read_bytes())
            self._status = self._status | {"ended": True}
            if self._somebody_looks():
                self._fetched.wait(LAST_LOOK_S)
        self._server.shutdown()
        self._server.server_close()

    def hear(self, event: Event, progress: RunProgress) -> None:
        """What has happened, and what it adds up to."""
        if isinstance(event, Begun):
            self._begun = event
        self._status = self._told(progress)
        if isinstance(event, Done) and self._begun and self._may_renew(progress, self._begun.here):
            self._renew(self._begun.folder)

    def _told(self, progress: RunProgress) -> dict[str, Any]:
        devices = [
            {
                "name": name,
                "done": device.done,
                "total": device.total,
                "failed": device.failed,
                "left": duration(device.left_s(progress.now_s)) if device.done < device.total else "",
                "now": device.trial.id if device.trial else "",
            }
            for name, device in progress.devices.items()
        ]
        last = [outcome_line(outcome) for outcome in progress.last]
        folder = str(self._begun.folder.absolute()) if self._begun else ""
        told = {"name": progress.plan.name, "folder": folder, "devices": devices, "last": last}
        return told | {"ended": False, "doubts": dict(progress.doubts), "said": progress.said}

    def _somebody_looks(self) -> bool:
        return time.monotonic() - self._looked_s < LOOKED_S

    def _may_renew(self, progress: RunProgress, here: frozenset[str]) -> bool:
        """Whether it is worth its while, and no trial is under way on this machine."""
        rested = time.monotonic() - self._renewed_s >= self._cost_s * (1 / SHARE - 1)
        return self._somebody_looks() and rested and all(progress.devices[name].trial is None for name in here)

    def _renew(self, folder: Path) -> None:
        from benchbench.analysis.frames import load
        from benchbench.report.page import render
        from benchbench.report.results import Results

        began = time.monotonic()
        try:
            self._publish(render(Results((load(folder),))).encode())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the page, the run goes on
            self._wrong = f"The report could not be renewed: {visible(str(error))}"
        self._renewed_s = time.monotonic()
        self._cost_s = self._renewed_s - began

    def _publish(self, page: bytes) -> None:
        self._made = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._page, self._number, self._wrong = page, self._number + 1, ""

    def answer(self, path: str) -> tuple[bytes, str, Sequence[tuple[str, str]]] | None:
        """The content, its type and headers of its own; None: there is nothing."""
        token, _, name = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        self._looked_s = time.monotonic()
        match name:
            case "":
                shell = (files("benchbench.report") / "templates" / "live.html").read_bytes()
                return shell, "text/html; charset=utf-8", [("Content-Security-Policy", _SHELL_POLICY)]
            case "page":
                if self._status["ended"]:
                    self._fetched.set()
                return self._page, "text/html; charset=utf-8", ()
            case "status":
                told = self._status | {"page": {"number": self._number, "made": self._made, "wrong": self._wrong}}
                return json.dumps(told).encode(), "application/json", ()
        log = self._log(name)
        return None if log is None else (log, "text/plain; charset=utf-8", ())

    def _log(self, name: str) -> bytes | None:
        """A raw log that the page leads to."""
        folder, _, log = unquote(name).partition("/")
        if folder != "logs" or self._begun is None or log in {"", ".", ".."} or "/" in log:
            return None
        path = self._begun.folder / folder / log
        return path.read_bytes() if path.is_file() else None


def _handler(live: LiveReport) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            port = live.port
            known = self.headers.get("Host") in {f"127.0.0.1:{port}", f"localhost:{port}"}  # no name of another's
            found = live.answer(self.path) if known else None
            if found is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            content, kind, headers = found
            self.send_response(HTTPStatus.OK)
            for header, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
                ("X-Content-Type-Options", "nosniff"),
                *headers,
            ):
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The terminal is for the run."""

    return Handler
