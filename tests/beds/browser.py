"""A headless Chromium that a test drives, over the two pipes of its debugging protocol: no port, no further package."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
_QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-extensions", "--remote-debugging-pipe"),
]
_PATIENCE_S = 60


class BrowserError(Exception):
    """What the browser answered in place of a result."""


@dataclass
class Page:
    """One tab. `said` is what the console of its page said, `asked` every address that this asked for."""

    _write: int
    _read: int
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _buffer: bytes = b""
    _number: int = 0
    _session: str | None = None

    def open(self, page: Path | str, *, width: int = 1300, height: int = 900, dark: bool = False) -> None:
        """Open a file, with a window of so many CSS pixels, and wait until all is drawn."""
        self.resize(width, height)
        self.call("Emulation.setEmulatedMedia", features=[_media("prefers-color-scheme", "dark" if dark else "light")])
        self.call("Page.navigate", url="about:blank")
        self.wait_for("location.href === 'about:blank'")
        self.said.clear()
        self.asked.clear()
        self.call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        self.wait_for("document.readyState === 'complete' && !location.href.startsWith('about:')")
        self.drawn()

    def drawn(self) -> None:
        self.wait_for("!document.querySelector('[data-figure]') || document.documentElement.dataset.ready === 'yes'")

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserError(found["exceptionDetails"].get("exception", {}).get("description", str(found)))
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not self.run(condition):
            if time.monotonic() > until:
                raise BrowserError(f"never came true: {condition}; the console says {self.said}")
            time.sleep(0.05)

    def picture(self, path: Path, element: str | None = None) -> None:
        """A PNG of the window, or of one element."""
        clip = {}
        if element is not None:
            box = self.run(
                f"(() => {{ const b = document.querySelector({element!r}).getBoundingClientRect();"
                " return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height}; })()"
            )
            clip = {"clip": {**box, "scale": 1}, "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"]))

    def printed(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._message()
            if found.get("id") == self._number:
                if "error" in found:
                    raise BrowserError(f"{method}: {found['error']}")
                result: dict[str, Any] = found["result"]
                return result
            self._noted(found)

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            got = os.read(self._read, 1 << 20)
            if not got:
                raise BrowserError("the browser is gone")
            self._buffer += got
        one, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(one)
        return found

    def _noted(self, event: dict[str, Any]) -> None:
        about = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(one.get("value", one.get("description"))) for one in about["args"]))
            case "Runtime.exceptionThrown":
                self.said.append(str(about["exceptionDetails"].get("exception", {}).get("description", about)))
            case "Log.entryAdded":
                self.said.append(about["entry"]["text"])
            case "Network.requestWillBeSent":
                self.asked.append(about["request"]["url"])

    def attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")


def _media(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A Chromium with one tab, whose profile is this folder."""
    to_browser, from_test = os.pipe()
    to_test, from_browser = os.pipe()

    def descriptors() -> None:
        # The protocol's pipes are descriptors 3 and 4; moved up first, so that neither overwrites the other.
        for wanted, got in ((3, os.dup(to_browser)), (4, os.dup(from_browser))):
            os.dup2(got, wanted)

    command = [str(CHROMIUM), *_QUIET, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=descriptors, close_fds=False,  # noqa: PLW1509 - it moves descriptors and no more
    )  # fmt: skip
    for ours in (to_browser, from_browser):
        os.close(ours)
    try:
        page = Page(from_test, to_test)
        page.attach()
        yield page
    finally:
        with contextlib.suppress(BrowserError, OSError):
            page._session = None
            page.call("Browser.close")
        for ours in (from_test, to_test):
            os.close(ours)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
