"""`make bench`: the report of a lab (2,016 cases of 10 launches on 72 phones), and a million launches grouped.

The command is run as its users run it, and timed from its start to its end: page, figures, tables and texts. Then the
page alone, by the function behind it. Then how long a browser takes to follow a selection: until everything that is in
its window does.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from benchbench.analysis.medians import grouped_medians
from benchbench.run_folder.names import file_name
from benchbench.values.conditions import Conditions, DuringConditions
from benchbench.values.outcome import Outcome
from tests.beds.browser import CHROMIUM, Page, browser
from tests.costs import COMMAND, cost_of
from tests.report.believable import CLASSES, believable, extras
from tests.report.builder import variant, write_run

PHONES, ROUNDS, LAUNCHES = 72, 10, 1_000_000
PATHS = (("cpu", 1), ("xnnpack", 1), ("xnnpack", 4), ("gpu", 1))
PAGE = """
import sys
from pathlib import Path
from benchbench import load
from benchbench.report.page import render
from benchbench.report.results import Results
Path(sys.argv[2]).write_text(render(Results((load(sys.argv[1]),))), encoding="utf-8")
"""
TYPE = """(field => {{ delete document.documentElement.dataset.took; field.value = {!r};
field.dispatchEvent(new Event('input')); }})(document.getElementById('filter'))"""
TOOK = "document.documentElement.dataset.took"


def lab(folder: Path, phones: int = PHONES, rounds: int = ROUNDS) -> Path:
    """The run folder of many phones, two families, accuracy and op profiles."""
    rng = random.Random(5)
    schemes = ("float32", "float16", "int8", "int16x8")
    variants = [variant("mobilenet_v2", scheme) for scheme in schemes] + [variant("ssd", one) for one in schemes[:3]]
    outcomes = []
    for number in range(phones):
        device, position = f"phone{number:02d}", 0
        cells = [(model, *path) for model in variants for path in PATHS]
        for round_number in range(rounds):
            rng.shuffle(cells)
            for model, delegate, threads in cells:
                slower, when = 1 + number % 9 * 0.4, (round_number, position)
                outcomes.append(believable(rng, device, model, delegate, threads, when=when, slower=slower))
                position += 1
        last = [one for one in outcomes[-len(cells) :] if one.status == "ok" and "/t1" in one.case]
        outcomes += [extra for one in last for extra in extras(one, folder, CLASSES)]
    return write_run(folder, [_whole(outcome) for outcome in outcomes], variants=variants)


def _whole(outcome: Outcome) -> Outcome:
    """With what a phone says besides, so that a record is as long as a real one (2.3 kB)."""
    threads = outcome.case.rpartition("/t")[2]
    said: dict[str, Any] = {
        "before": _by_sensors(outcome.before),
        "after": _by_sensors(outcome.after),
        "during": DuringConditions(looks=3, temperature_c=43.5, clocks_mhz=dict.fromkeys(_POLICIES, 1700.0)),
        "started": "2026-11-22T03:00:00.000+00:00",
        "exit_code": 0,
        "command": f"./benchmark_model --graph={outcome.variant}.tflite --num_threads={threads} --num_runs=50 "
        "--min_secs=1 --max_secs=150 --warmup_runs=1 --warmup_min_secs=0.5 --report_peak_memory_footprint=true "
        f"--use_xnnpack={str(outcome.delegation.asked == 'xnnpack').lower()} --enable_op_profiling=false",
        "log": f"logs/{file_name(outcome.trial, '.txt')}",
        "quantities": {"above_idle_c": 0.4, "controller_cpu": 0.012},
    }
    return outcome.model_copy(update=said)


_POLICIES = ("policy0", "policy4", "policy7")


def _by_sensors(seen: Conditions | None) -> Conditions | None:
    if seen is None or seen.temperature_c is None:
        return seen
    sensors = {
        f"{name}#{n}": seen.temperature_c - n / 2 for n, name in enumerate(("big", "mid", "little", "gpu", "skin"))
    }
    clocks = {kind: dict.fromkeys(_POLICIES, 1803.0) for kind in ("clocks_mhz", "max_clocks_mhz", "allowed_clocks_mhz")}
    return seen.model_copy(update={"temperatures_c": sensors, "memory_available_mb": 3210.5, **clocks})


def the_report(folder: Path) -> None:
    """What the command costs, what the page alone does, and how large they are."""
    whole = cost_of([COMMAND, "report", folder])
    alone = cost_of([sys.executable, "-c", PAGE, folder, folder / "alone.html"])
    page = folder / "index.html"
    made = [*folder.glob("figures/*"), *(folder / name for name in ("results.csv", "cases.csv", "report.json"))]
    records = (folder / "outcomes.jsonl").read_bytes()
    print(f"report     of {records.count(10):,} trials, {len(records) / 1e6:.0f} MB of records")
    print(f"           {whole} for all: benchbench report")
    print(f"           {alone} for the page alone, {page.stat().st_size / 1e6:.2f} MB; imports and reading included")
    print(f"           {sum(path.stat().st_size for path in made) / 1e6:.1f} MB in the other files", flush=True)


def the_selection(page: Path) -> None:
    """How long the page takes to follow what is typed, where its reader is at the top, and where at a large chart."""
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as tab:
        began = time.monotonic()
        tab.open(page)
        told = f"{float(tab.run(TOOK)):.0f} ms until it can be read"
        print(f"open       {told}, {time.monotonic() - began:.1f} s until all is drawn")
        for place in ("main", "overview", "cases"):
            tab.run(f"document.getElementById({place!r}).scrollIntoView({{behavior: 'instant'}})")
            took = [f"{words!r} {_typed(tab, words)}" for words in ("int8 gpu", "phone07", "")]
            print(f"select     at {place}: {', '.join(took)} ms")


def _typed(tab: Page, words: str) -> str:
    tab.run(TYPE.format(words))
    tab.wait_for(TOOK)
    took = float(tab.run(TOOK))
    tab.drawn()
    return f"{took:.0f}"


def a_million(folder: Path) -> None:
    rng = np.random.default_rng(3)
    names = np.array([f"phone{n % 72:02d}/net.int8/xnnpack/t{n // 72}" for n in range(20_000)])
    rows = pd.DataFrame(
        {"case": names[rng.integers(0, len(names), LAUNCHES)], "typical_ms": rng.lognormal(2, 0.05, LAUNCHES)}
    )
    rows.to_parquet(folder / "results.parquet", index=False)
    began = time.process_time()
    frame = parquet.read_table(folder / "results.parquet").to_pandas()
    found = grouped_medians(frame, ["case"], "typical_ms")
    print(f"medians    {time.process_time() - began:.2f} s of CPU for {LAUNCHES:,} launches of {len(found):,} cases")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        a_million(Path(name))
        cost_of([COMMAND, "report", lab(Path(name) / "first", phones=1, rounds=1)])  # its modules are compiled now
        folder = lab(Path(name) / "lab")
        the_report(folder)
        if CHROMIUM is not None:
            the_selection(folder / "index.html")


if __name__ == "__main__":
    main()
