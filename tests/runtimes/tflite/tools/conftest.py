"""A server with one tool on its shelf."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runtimes.tflite.tools.shelf import Shelf, serving


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("BENCHBENCH_TOOLS_URL", raising=False)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving(Shelf()) as shelf:
        yield shelf
