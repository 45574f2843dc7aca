"""A report and a Chromium that the tests of one process share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from benchbench.report import write_report
from tests.beds.browser import CHROMIUM, Page, browser
from tests.report.believable import full_matrix
from tests.report.builder import variant

HOSTILE = "<script>alert(1)</script>"
LONG = "n" * 200


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a matrix with a good and a bad day, and names that want to break out."""
    folder = tmp_path_factory.mktemp("run")
    hostile = [variant(scheme="int8", name=name) for name in (HOSTILE, LONG, "int8_$x$ </script><!-- 量化")]
    full_matrix(folder, devices=("pixel8", "rpi5"), extra=hostile, rounds=5)
    write_report([load(folder)], folder)
    return folder


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: install chromium")
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(report: Path, chromium: Page) -> Page:
    """The report, with nothing selected."""
    chromium.said.clear()
    if chromium.run("location.pathname") != str(report / "index.html") or chromium.run("innerWidth") != 1300:
        chromium.open(report / "index.html")
    chromium.run("location.hash = '#'")
    chromium.run("new Promise(done => setTimeout(done, 50))")
    chromium.drawn()
    return chromium
