"""`python -m tests.calibrate [--json] [--repeats N] [--only TEXT]`: every figure as a row, or as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

from tests.calibrate.cells import REPEATS, cells, figures


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON array on stdout")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="simulations per figure of coverage")
    parser.add_argument("--only", default="", metavar="TEXT", help="the cells whose names hold it, such as: unchanged")
    options = parser.parse_args()
    if not any(options.only in cell.name for cell in cells(options.repeats)):
        parser.error(f"--only {options.only!r} fits no cell")
    found = []
    for figure in figures(options.repeats, only=options.only, jobs=len(os.sched_getaffinity(0))):
        found.append(figure)
        if not options.json:
            error = "" if figure.error is None else f" ± {figure.error:.1%}"
            print(f"{figure.what:76} {figure.world:34} {figure.launches:>9} {figure.share:7.1%}{error}", flush=True)
    if options.json:
        json.dump([asdict(figure) for figure in found], sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
