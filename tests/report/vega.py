"""Writes benchbench/report/vega/vega.js: the scripts behind a page's charts, which a base install so need not make."""

from __future__ import annotations

import re
from pathlib import Path

import altair
import vl_convert

import benchbench

BUNDLE = Path(benchbench.__file__).parent / "report" / "vega" / "vega.js"


def bundle() -> str:
    """Of the version of Vega-Lite that altair writes; what loads it finds `vegaEmbed`."""
    wanted = re.fullmatch(r"v(\d+\.\d+).*", altair.SCHEMA_VERSION)
    assert wanted
    made: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", wanted[1])
    return made


if __name__ == "__main__":
    BUNDLE.write_text(bundle(), encoding="utf-8")
