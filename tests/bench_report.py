"""`make bench`: CPU seconds of the report of a lab (2,016 cases of 10 launches on 72 phones), how large its page is and
how long its browser takes to follow a selection; and of a million launches grouped into medians with intervals.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import parquet

from benchbench.analysis.medians import grouped_medians
from tests.beds.browser import CHROMIUM, browser
from tests.report.builder import CLASSES, believable, extras, variant, write_run

PHONES, ROUNDS, LAUNCHES = 72, 10, 1_000_000
REPORT = """
import resource, sys
from benchbench.cli.main import main
try:
    main(["report", sys.argv[1]])
finally:
    print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), file=sys.stderr)
"""
TYPE = "(f => {{ f.value = {!r}; f.dispatchEvent(new Event('input')); }})(document.getElementById('filter'))"
PATHS = (("cpu", 1), ("xnnpack", 1), ("xnnpack", 4), ("gpu", 1))


def lab(folder: Path) -> Path:
    """The run folder of many phones, two families, accuracy and op profiles."""
    rng = random.Random(5)
    schemes = ("float32", "float16", "int8", "int16x8")
    variants = [variant("mobilenet_v2", scheme) for scheme in schemes] + [variant("ssd", one) for one in schemes[:3]]
    outcomes = []
    for number in range(PHONES):
        device, position = f"phone{number:02d}", 0
        cells = [(model, *path) for model in variants for path in PATHS]
        for round_number in range(ROUNDS):
            rng.shuffle(cells)
            for model, delegate, threads in cells:
                slower, when = 1 + number % 9 * 0.4, (round_number, position)
                outcomes.append(believable(rng, device, model, delegate, threads, when=when, slower=slower))
                position += 1
        last = [one for one in outcomes[-len(cells) :] if one.status == "ok" and "/t1" in one.case]
        outcomes += [extra for one in last for extra in extras(one, folder, CLASSES)]
    return write_run(folder, outcomes, variants=variants)


def the_report(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", REPORT, str(folder)], capture_output=True, text=True, check=True)
    page = folder / "index.html"
    cpu_s = float(done.stderr.split()[-1])
    print(f"report     {cpu_s:.1f} s of CPU with its figures, page {page.stat().st_size / 1e6:.2f} MB", flush=True)
    if CHROMIUM is None:
        return
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as tab:
        tab.open(page)
        for words in ("int8 gpu", "phone07", ""):
            tab.run(TYPE.format(words))
            tab.wait_for("document.documentElement.dataset.took")
            tab.drawn()
            took = tab.run("document.documentElement.dataset.took")
            print(f"select     {words!r}: {took} ms until the page has followed")


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
        the_report(lab(Path(name) / "lab"))


if __name__ == "__main__":
    main()
