"""`run --serve`: the page on loopback behind a token, renewed between trials, gone with the run."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.workbench import Workbench, outcomes

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--enable-logging=stderr")


def fetched(address: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
        found: bytes = answer.read()
        return found


def refused(address: str, **headers: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as error:
        fetched(address, **headers)
    error.value.close()
    return error.value.code


def status(address: str) -> Any:
    return json.loads(fetched(address + "status"))


def served(bench: Workbench, rounds: int) -> tuple[subprocess.Popen[str], str]:
    """A run of quick trials, and the address of its page."""
    process = bench.begin("run", "--serve", bench.matrix("float32", rounds=rounds).name)
    assert process.stderr is not None
    line = next(line for line in process.stderr if line.startswith("live: "))
    return process, line.removeprefix("live: ").strip()


def test_a_page_is_renewed_between_trials_for_who_has_its_token(bench: Workbench, tmp_path: Path) -> None:
    process, address = served(bench, rounds=1000)
    place = urlsplit(address)
    assert place.hostname == "127.0.0.1"
    assert len(place.path.strip("/")) >= 20
    root = f"http://127.0.0.1:{place.port}"
    assert {refused(root + "/"), refused(f"{root}/status"), refused(f"{root}/x{place.path}page")} == {404}
    assert {refused(address + path) for path in ("../../etc/passwd", "logs/..%2frun.json", "logs/", "run.json")} == {
        404
    }
    assert refused(address, Host="evil.example") == 404  # a name that somebody else resolves to this machine

    renewed: dict[int, Any] = {}
    while len(renewed) < 2:
        told = status(address)
        if number := told["page"]["number"]:
            renewed.setdefault(number, told)
        time.sleep(0.05)
    first, second = renewed.values()
    (device,) = second["devices"]
    assert device["total"] == 1000
    assert 0 < first["devices"][0]["done"] < device["done"]
    assert device["left"]
    assert second["last"][-1].startswith("host/fashion_mnist.float32/xnnpack/t1/r")
    assert second["doubts"]
    assert "<title>test · benchbench</title>" in fetched(address + "page").decode()
    log = next((bench.latest() / "logs").iterdir())
    assert fetched(f"{address}logs/{quote(log.name)}") == log.read_bytes()
    if CHROMIUM:
        looked = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", address]
        shown = subprocess.run(looked, capture_output=True, text=True, timeout=240, check=True)
        assert "CONSOLE" not in shown.stderr
        assert re.search(r"<strong>host</strong><progress[^>]*></progress><span>\d+ of 1000, .* left", shown.stdout)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    with pytest.raises(urllib.error.URLError):
        fetched(address)
    assert no_trial_was_under_way(bench, [told["page"]["made"] for told in renewed.values()])


def test_who_looks_when_the_run_ends_sees_its_report(bench: Workbench) -> None:
    process, address = served(bench, rounds=2)
    while not (told := status(address))["ended"]:
        time.sleep(0.05)
    assert told["folder"] == str(bench.latest())
    assert fetched(address + "page") == (bench.latest() / "index.html").read_bytes()
    process.communicate(timeout=120)
    assert process.returncode == 0


def test_a_page_that_cannot_be_made_does_not_end_the_run(bench: Workbench) -> None:
    process, address = served(bench, rounds=1000)
    while not (folder := status(address).get("folder")):
        time.sleep(0.05)
    manifest = Path(folder) / "run.json"
    whole = manifest.read_text()
    manifest.write_text("{")
    while not (told := status(address))["page"]["wrong"]:
        time.sleep(0.05)
    assert "run.json" in told["page"]["wrong"]
    manifest.write_text(whole)
    while not (later := status(address))["page"]["number"]:
        time.sleep(0.05)
    assert later["page"]["wrong"] == ""
    assert later["devices"][0]["done"] > told["devices"][0]["done"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130


def no_trial_was_under_way(bench: Workbench, made: list[str]) -> bool:
    spans = [
        (begun := datetime.fromisoformat(outcome.started or ""), begun + timedelta(seconds=outcome.tool_s or 0))
        for outcome in outcomes(bench.latest())
    ]
    return all(not begun < datetime.fromisoformat(at) < ended for at in made for begun, ended in spans)
