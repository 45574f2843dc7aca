"""Writes benchbench/report/vega/vega.js: the scripts behind a page's charts, which a base install so need not make."""

from __future__ import annotations

from pathlib import Path

import vl_convert

import benchbench
from benchbench.report.figures.drawing import VEGA_LITE

BUNDLE = Path(benchbench.__file__).parent / "report" / "vega" / "vega.js"


def bundle() -> str:
    """Of the version that the figures are compiled with; what loads it finds `vegaEmbed`."""
    made: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    return made


if __name__ == "__main__":
    BUNDLE.write_text(bundle(), encoding="utf-8")
