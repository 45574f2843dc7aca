"""The overview of many devices in a real browser: who scrolls in it knows which column and which row a cell is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from benchbench.report import write_report
from benchbench.values import formatting
from tests.beds.browser import Page
from tests.report.builder import launches, variant, write_run

TIMES_MS = {
    (f"phone{n:02d}", delegate): (10.0 + n) * slower
    for n in range(40)
    for delegate, slower in (("cpu", 1), ("xnnpack", 10), ("gpu", 100))
}
PLACES = {formatting.time(ms): place for place, ms in TIMES_MS.items()}  # of each cell, by its words
MODELS = [variant(scheme=scheme) for scheme in ("float32", "float16", "int8", "int4", "int16x8")]
DELEGATES = {delegate for _, delegate in PLACES.values()}
BOX = "document.querySelector('#overview .chart')"
# What is seen of these texts in the box: words, and where their middle is. What something covers is not seen.
SEEN = """(([selector, box]) => {{
  const inside = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  const middle = (b) => [(b.left + b.right) / 2, (b.top + b.bottom) / 2];
  return [...box.querySelectorAll(selector)].map((t) => [t.textContent, t.getBoundingClientRect(), t])
    .filter(([words, b]) => words && inside(b, box.getBoundingClientRect()))
    .filter(([, b, t]) => t.closest("svg").contains(document.elementFromPoint(...middle(b))))
    .map(([words, b]) => [words, ...middle(b)]);
}})([{!r}, {}])"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    outcomes = [
        launch
        for model in MODELS
        for (device, delegate), ms in TIMES_MS.items()
        for launch in launches([ms] * 2, model=model, device=device, delegate=delegate)
    ]
    return write_report([load(write_run(folder, outcomes, variants=MODELS))], folder)


def seen(page: Page, selector: str) -> list[tuple[str, float, float]]:
    found: list[tuple[str, float, float]] = [(a, b, c) for a, b, c in page.run(SEEN.format(selector, BOX))]
    return found


@pytest.mark.parametrize(("width", "dark"), [(1300, False), (1300, True), (390, False)])
def test_heads_and_names_stay_where_their_cells_are(report: Path, chromium: Page, width: int, dark: bool) -> None:
    chromium.open(report, width=width, dark=dark)
    chromium.run("document.querySelector('#overview figure').scrollIntoView({ behavior: 'instant', block: 'end' })")
    for down, across in ((400, 0), (500, 100), (1100, 0)):  # the last is in the second row of facets
        chromium.run(f"{BOX}.scrollTo({{ top: {down}, left: {across}, behavior: 'instant' }})")
        heads, names, cells = (
            seen(chromium, one) for one in (".heads text", ".names text", ".mark-text.role-mark text")
        )
        assert len(cells) > 20
        assert {words for words, *_ in heads} & {model.name for model in MODELS}
        for words, x, y in cells:
            device, delegate = PLACES[words]
            assert [name for name, _, at in names if abs(at - y) < 3] == [device], (words, x, y)
            above = [(at, head) for head, middle, at in heads if abs(middle - x) < 3 and at < y and head in DELEGATES]
            assert max(above)[1] == delegate, (words, x, y)
    assert chromium.run("document.documentElement.scrollWidth") <= width


def test_no_head_is_covered_where_nothing_is_scrolled(tmp_path: Path, chromium: Page) -> None:
    """Of a variant on one delegate the head is wider than its column, and begins left of it."""
    long, short = variant(name="dynamic-int8-of-onnx", scheme="int8"), variant()
    paths = [(long, "gpu"), *((short, delegate) for delegate in DELEGATES)]
    outcomes = [
        launch
        for device in ("pixel8", "test phone (stand-in)")
        for model, delegate in paths
        for launch in launches([10.0] * 2, model=model, device=device, delegate=delegate)
    ]
    chromium.open(write_report([load(write_run(tmp_path, outcomes, variants=[long, short]))], tmp_path), width=700)
    chromium.run("document.querySelector('#overview figure').scrollIntoView({ behavior: 'instant', block: 'end' })")
    covered = chromium.run(
        f"[...{BOX}.querySelectorAll('.heads .role-title text')].map(t => [t, t.getBoundingClientRect()])"
        f".filter(([, b]) => b.right < {BOX}.getBoundingClientRect().right)"
        ".map(([t, b]) => [t.textContent, document.elementFromPoint(b.left + 2, (b.top + b.bottom) / 2)?.closest('svg')"
        ".classList.contains('heads')])"
    )
    assert ["dynamic-int8-of-onnx", True] in covered
    assert all(whole for _, whole in covered)


def test_all_of_it_is_printed_once(report: Path, chromium: Page) -> None:
    chromium.open(report)
    chromium.run(f"{BOX}.scrollTo({{ top: 400, behavior: 'instant' }})")
    chromium.call("Emulation.setEmulatedMedia", media="print")
    hidden = f"{BOX}.scrollHeight - {BOX}.clientHeight"
    copied = "document.querySelector('#overview .heads').checkVisibility()"
    shown = [chromium.run(one) for one in (f"{BOX}.scrollTop", hidden, copied)]
    chromium.call("Emulation.setEmulatedMedia", media="")
    assert shown == [0, 0, False]
