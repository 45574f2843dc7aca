"""The page: one HTML file that needs nothing else, the same plots as PNG, and the frames as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchbench.analysis.frames import Run
from benchbench.report.content import Content
from benchbench.report.figures import figures_of, known
from benchbench.report.figures.drawing import PNG, FigureFiles, write_figures
from benchbench.report.page_data import page_data
from benchbench.report.results import Results
from benchbench.report.sections import SECTIONS
from benchbench.report.texts import write_texts
from benchbench.values import formatting
from benchbench.values.atomic import atomic
from benchbench.values.errors import NothingToDo, file_error
from benchbench.values.visible import visible

_SCRIPTS = (
    *("data", "selection", "heads", "figures", "cases", "answers", "tradeoffs", "classes", "delegation"),
    *("comparison", "surprises", "main"),
)


def write_report(runs: Sequence[Run], out: str | Path, figures: FigureFiles = PNG) -> Path:
    """Write index.html, figures/*.png (or what `figures` says) and the frames into `out`; returns the page's path.

    The frames: results.parquet and results.csv (a row a trial), cases.csv, and of classifiers classes.csv and
    confusion.csv (`Run.classes` and `Run.confusion`).

    Raises NothingToDo without runs, InputError for a run that is given twice and a figure that there is not, and
    InputError or HostError where the folder cannot be written.
    """
    if not runs:
        raise NothingToDo("no run to report on", remedy="name at least one run folder")
    return write_results(Results(tuple(runs)), Path(out), figures)


def write_results(results: Results, out: Path, figures: FigureFiles = PNG) -> Path:
    """As `write_report`, of runs of which somebody wants to say more."""
    known(figures_of(results), figures.names or ())
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_frames(results, out)
        write_texts(results, out)
        content = Content(results)
        write_figures(content.figures, content.tables, out / "figures", figures)
        page = out / "index.html"
        with atomic(page) as file:  # a page that is there is whole: `run --resume` looks for it
            file.write(_rendered(content, out).encode())
    except OSError as error:
        raise file_error(error, f"{out}: the report cannot be written", remedy="name another folder") from error
    return page


def render(results: Results) -> str:
    """The page as text, to lie in the folder of its run."""
    return _rendered(Content(results), None)


def _rendered(content: Content, out: Path | None) -> str:
    results = content.results
    environment = Environment(
        loader=PackageLoader("benchbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "points": formatting.points,
        "ratio_number": formatting.ratio_number,
        "time": formatting.time,
    }
    environment.globals |= {"interval": formatting.interval, "factor": formatting.factor}
    drawn = {figure.name for figure in content.figures}
    found = [one for section in SECTIONS if (one := section(results)) is not None]
    made = [replace(one, figures=[*filter(drawn.__contains__, one.figures)]) for one in found]
    absent = [one for one in made if one.empty or (one.undrawn and not one.figures)]
    page = environment.get_template("page.html").render(
        results=results,
        measured=bool(len(results.tried)),
        sections=[
            replace(one, figures=[*filter(drawn.__contains__, one.figures)]) for one in made if one not in absent
        ],
        absent=absent,
        data=_json(page_data(content, out) | {one.id: one.data for one in made if one.data}),
        style=_own("style.css"),
        script=Markup("\n").join(_own(f"js/{name}.js") for name in _SCRIPTS),
        vega=_vega(),
    )
    return visible(page)


def _json(data: dict[str, Any]) -> Markup:
    """JSON that may stand inside a script element, and is only data there."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", r"\u003c"))  # noqa: S704 - no element can end or begin in it


def _number(value: float | None, digits: int = 3) -> str:
    return formatting.NOTHING if value is None else formatting.number(value, digits)


def _write_frames(results: Results, out: Path) -> None:
    trials = results.trials.drop(columns="place")
    trials.to_parquet(out / "results.parquet", index=False)
    trials.to_csv(out / "results.csv", index=False)
    cases = results.cases.drop(columns="place")
    cases.assign(
        samples_ms=[" ".join(f"{time:.6g}" for time in times) for times in cases["samples_ms"]],
        doubts=["; ".join(str(doubt) for doubt in doubts) for doubts in cases["doubts"]],
    ).to_csv(out / "cases.csv", index=False)
    for name, frame in (("classes", results.classes), ("confusion", results.confusion)):
        if len(frame):
            frame.drop(columns="place").to_csv(out / f"{name}.csv", index=False)


def _own(name: str) -> Markup:
    return Markup((files("benchbench.report") / "templates" / name).read_text(encoding="utf-8"))  # noqa: S704 - our file


@cache
def _vega() -> Markup:
    """Vega, Vega-Lite and Vega-Embed in one script, fit to stand inside a script element."""
    bundle = (files("benchbench.report") / "vega" / "vega.js").read_text(encoding="utf-8")
    return Markup(bundle.replace("</script", r"<\/script").replace("<!--", r"<\!--"))  # noqa: S704 - the library's own
