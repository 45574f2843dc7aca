"""A file over HTTP, whole or not at all; a cut download goes on where it stopped.

The going on is by hand: requests itself begins each download from the first byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchbench.runtimes.tool import Fetched
from benchbench.values.atomic import put_in_place
from benchbench.values.errors import ToolError

if TYPE_CHECKING:
    from requests import Response, Session

_TIMEOUTS_S = (10.0, 30.0)  # to connect, and between two pieces
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class _Part:
    """What has arrived so far, and the server's mark of the version it is a part of."""

    data: Path
    mark: Path

    def size(self) -> int:
        return self.data.stat().st_size if self.data.exists() and self.mark.exists() else 0

    def validator(self) -> str:
        return self.mark.read_text("utf-8")

    def begin(self, validator: str | None) -> None:
        self.data.write_bytes(b"")
        if validator is None:
            self.mark.unlink(missing_ok=True)  # a part of who knows what cannot be continued
        else:
            self.mark.write_text(validator, "utf-8")

    def discard(self) -> None:
        self.mark.unlink(missing_ok=True)
        self.data.unlink(missing_ok=True)


def download(url: str, target: Path, progress: Fetched | None, *, remedy: str) -> None:
    """Bring `url` to `target`; raises ToolError with `remedy` when it cannot be had.

    A cut connection is taken up again at once while each attempt gains ground, else by the next call: `target.part`
    stays, which `atomic` would remove. Range and If-Range as in RFC 9110, sections 13.1.5 and 14: a file that changed,
    or a server without ranges, starts from the beginning.
    """
    import requests

    part = _Part(target.with_name(target.name + ".part"), target.with_name(target.name + ".part.version"))
    with requests.Session() as session:
        while True:
            before = part.size()
            try:
                _receive(session, url, part, progress)
                break
            except requests.RequestException as error:
                if part.size() > before:
                    continue
                raise ToolError(f"{url} cannot be had: {_reason(error)}", remedy=remedy) from error
    put_in_place(part.data, target)
    part.discard()


def _receive(session: Session, url: str, part: _Part, progress: Fetched | None) -> None:
    """One request for what is missing; raises requests' errors when the connection is cut."""
    import requests

    offset = part.size()
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": part.validator()}
    with session.get(url, headers=headers, stream=True, timeout=_TIMEOUTS_S) as response:
        if offset and response.status_code in {206, 416} and not _continues(response, offset, part):
            part.discard()
            _receive(session, url, part, progress)
            return
        response.raise_for_status()
        if response.status_code != 206 or not offset:
            offset = 0
            part.begin(_validator(response))
        total = _total(response, offset)
        with part.data.open("ab") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                offset += len(chunk)
                if progress is not None:
                    progress(offset, total)
    if total is not None and offset != total:
        raise requests.ConnectionError(f"the connection ended after {offset} of {total} bytes")


def _continues(response: Response, offset: int, part: _Part) -> bool:
    """Whether the answer is the rest of what we have; some servers honour Range but not If-Range."""
    span = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    whole = response.status_code == 206 and span is not None and int(span[1]) == offset
    return whole and _validator(response) == part.validator()


def _validator(response: Response) -> str | None:
    etag = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):  # If-Range takes strong validators only
        return etag
    return response.headers.get("Last-Modified")


def _total(response: Response, offset: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return offset + int(length) if length.isdecimal() else None


def _reason(error: Exception) -> str:
    """The innermost cause in a few words, not the chain of wrappers around it."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}"
    while isinstance(inner := error.__cause__ or error.__context__, Exception):
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
