"""The page of a run that goes on, in a real browser as small as a phone, in the dark."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from PIL import Image

from benchbench.report.live import LiveReport
from tests.beds.browser import Page

WIDTH, HEIGHT = 390, 844
FOLDER = "/home/me/reports/2026-11-29T00-46-55-nightly"


def status(now: str, *last: str) -> dict[str, Any]:
    """What the server says of two devices in the middle of a run."""
    names = ("pixel8", "test phone (stand-in)")
    going = {"done": 38, "total": 4800, "failed": 1, "left": "1 h 42 min"}
    devices = [going | {"name": name, "now": f"{name}/{now}"} for name in names]
    told = {"name": "nightly", "folder": FOLDER, "said": "", "ended": False, "last": list(last)}
    doubts = {"noisy": 6, "no sensor": 16, "slow start": 5, "partial": 4}
    return told | {"devices": devices, "doubts": doubts, "page": {"number": 0, "made": "", "wrong": ""}}


def shown(page: Page, told: dict[str, Any]) -> tuple[str, int]:
    """What the head says of a status, and how high the report below it is."""
    looked = "[document.querySelector('header').innerText, frame.clientHeight]"
    said, height = page.run(f"(show({json.dumps(told)}), {looked})")  # at once: the server says something else
    return said, height


def test_before_there_is_a_report_the_dark_page_is_dark(chromium: Page, tmp_path: Path) -> None:
    with LiveReport() as live:
        chromium.open(live.address, width=WIDTH, height=HEIGHT, dark=True)
        chromium.wait_for("frame.contentDocument.body?.innerText")
        chromium.picture(tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as picture:
        lightest = max(picture.convert("L").crop((0, HEIGHT // 2, WIDTH, HEIGHT)).tobytes())
    assert lightest < 0x40


def test_the_report_has_most_of_a_phone_and_stays_where_it_is(chromium: Page) -> None:
    with LiveReport() as live:
        chromium.open(live.address, width=WIDTH, height=HEIGHT, dark=True)
        short = status("n.int8/cpu/t1/r3", *["pixel8/n.int8/cpu/t1/r3 1 ms on cpu"] * 3)
        long = status(
            "net.int8/cpu/t1/r3", *["pixel8/net.dynamic-int8/xnnpack/t2/r3 100 µs on xnnpack, rest on cpu"] * 3
        )
        (said, height), (_, later) = shown(chromium, short), shown(chromium, long)
        assert "38 of 4800, 1 failed, 1 h 42 min left" in said
        assert "now n.int8/cpu/t1/r3" in said
        assert height == later
        assert height > 0.7 * HEIGHT
        assert chromium.run("document.documentElement.scrollWidth") <= WIDTH
        chromium.run("document.querySelector('details').open = true")
        said, _ = shown(chromium, long)
        assert "100 µs on xnnpack, rest on cpu" in said
        chromium.run(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + "; undefined")
        found = chromium.run("axe.run(document).then(r => r.violations.map(v => [v.id, v.impact]))")
    assert [one for one in found if one[1] in {"serious", "critical"}] == []


def test_what_is_gone_runs_nothing_any_more(chromium: Page) -> None:
    with LiveReport() as live:
        chromium.open(live.address, width=WIDTH, height=HEIGHT)
    said, _ = shown(chromium, status("n.int8/cpu/t1/r3"))
    assert "now n.int8" in said
    chromium.run("Promise.all([look(), look(), look()]).then(() => null)")  # sooner than by itself
    said = chromium.run("document.querySelector('header').innerText")
    assert "is gone" in said
    assert FOLDER in said
    assert "38 of 4800, 1 failed" in said
    assert "left" not in said
    assert "now" not in said
