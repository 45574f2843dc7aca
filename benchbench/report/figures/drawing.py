"""Figures as files: PNG, SVG and PDF, drawn by vl-convert from the very specs that the page draws."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from benchbench.analysis.rows import Row
from benchbench.report.figures.base import ROWS, Figure, Spec, drawn_rows, filled
from benchbench.report.figures.sheets import GAP_PX, SHEETS, Sheet, Size, arranged, fitted, sides_of
from benchbench.report.figures.themes import PAPER, Theme, config
from benchbench.values.atomic import atomic

Format = Literal["png", "svg", "pdf"]
FileTheme = Literal["light", "dark"]
VEGA_LITE = "6.4"  # what the page's scripts are of, too
MOST_PARTS = 4  # of one file; the overview shows all devices
MOST_ON_SHEETS = 12  # of a figure that may need several
_WIDTH = 760  # pixels, of what is as wide as a page
SCALE = 2  # pixels of a file for each of these
_POINTS = 72  # to an inch
_FONTS = "Liberation Sans, DejaVu Sans, Noto Sans, Arial, sans-serif"  # the first is in vl-convert, and in its memory


@dataclass(frozen=True, slots=True)
class FigureFiles:
    """Which figures are written, and how: every combination; `names` None = all that have something to show."""

    names: tuple[str, ...] | None = None
    formats: tuple[Format, ...] = ("png",)
    themes: tuple[FileTheme, ...] = ("light",)
    sizes: tuple[Size, ...] = ("page",)


PNG = FigureFiles()


def write_figures(
    figures: Sequence[Figure], tables: Mapping[str, Sequence[Row]], folder: Path, files: FigureFiles = PNG
) -> tuple[Path, ...]:
    """Write each figure that has rows into the folder, and return the paths.

    They are called NAME[-dark][-SIZE].FORMAT; what needs several sheets to be legible has their numbers after the size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    wanted = [figure for figure in figures if files.names is None or figure.name in files.names]
    for size, theme in product(files.sizes, files.themes):
        width, most = (_WIDTH, MOST_PARTS) if size == "page" else (SHEETS[size].plot_px, MOST_ON_SHEETS)
        for figure, spec in whole_specs(wanted, tables, width, most):
            name = f"{figure.name}{'-dark' * (theme == 'dark')}{f'-{size}' * (size != 'page')}"
            sheets = [spec] if size == "page" else _on_sheets(spec, _look(theme), SHEETS[size])
            for (number, sheet), form in product(enumerate(sheets, 1), files.formats):
                path = folder / f"{name}{f'-{number}' * (len(sheets) > 1)}.{form}"
                with atomic(path) as file:
                    file.write(drawn(sheet, form, theme, size))
                written.append(path)
    return tuple(written)


def drawn(spec: Spec, form: Format, theme: Theme = "light", size: Size = "page") -> bytes:
    """A spec that has its rows, as the bytes of a file."""
    import vl_convert

    look = _look(theme)
    spec = _with_named_columns(spec)
    if size != "page":
        if "vconcat" in spec:
            (spec,) = _on_sheets(spec, look, SHEETS[size], most=1)
        return _fitted_to(SHEETS[size], spec, look, form)
    if form == "svg":
        text: str = vl_convert.vegalite_to_svg(spec, **look)
        return text.encode()
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec, **look))
    return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE, **look))


def _look(theme: Theme) -> dict[str, Any]:
    return {
        "vl_version": VEGA_LITE,
        "config": config(theme, _FONTS) | {"background": PAPER[theme], "padding": 12},
        "allowed_base_urls": [],  # names in it come from strangers
    }


def _with_named_columns(spec: Spec) -> Spec:
    """The spec with those columns alone that it names: a row has a hundred, and each is copied several times."""
    rest, datasets = {key: part for key, part in spec.items() if key != "datasets"}, spec.get("datasets", {})
    words = json.dumps(rest)
    named = {name for name in {key for rows in datasets.values() for row in rows for key in row} if name in words}
    slim = {
        data: [{name: value for name, value in row.items() if name in named} for row in rows]
        for data, rows in datasets.items()
    }
    return rest | ({"datasets": slim} if slim else {})


def _on_sheets(spec: Spec, look: Mapping[str, Any], sheet: Sheet, most: int | None = None) -> list[Spec]:
    """The spec, its parts one under another, as those of its sheets."""
    import vl_convert

    rest, parts = {name: value for name, value in spec.items() if name != "vconcat"}, spec["vconcat"]
    drawings = [vl_convert.vegalite_to_svg(_with_named_columns({**rest, "concat": [part]}), **look) for part in parts]
    found = arranged([sides_of(drawing) for drawing in drawings], sheet, most)
    more = {"title": rest.pop("title")} if "title" in rest else {}
    specs = [{**rest, "concat": parts[those], "columns": columns} for those, columns in found]
    return [*specs[:-1], specs[-1] | more]


def _fitted_to(sheet: Sheet, spec: Spec, look: Mapping[str, Any], form: Format) -> bytes:
    import vl_convert

    drawing = fitted(vl_convert.vegalite_to_svg(spec, **look), sheet)
    if form == "svg":
        return drawing.in_unit(1, "in").encode()
    if form == "pdf":  # which takes a pixel for a point
        return bytes(vl_convert.svg_to_pdf(drawing.in_unit(_POINTS, "")))
    return bytes(vl_convert.svg_to_png(drawing.svg, scale=drawing.per_px_in * _POINTS, ppi=sheet.dpi))


def compiled(figure: Figure) -> dict[str, Any]:
    """A figure as Vega, which a page draws without compiling it; its data is named ROWS and has no rows."""
    import vl_convert

    fit = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}} if figure.wide else {}
    spec = {**fit, **figure.spec, "data": {"name": ROWS}}
    found: dict[str, Any] = vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE, config=config("page"))
    return found


def whole_specs(
    figures: Sequence[Figure], tables: Mapping[str, Sequence[Row]], width: int = _WIDTH, most: int = MOST_PARTS
) -> Iterator[tuple[Figure, Spec]]:
    """The specs of all figures that have something to show, with their rows, one part under another."""
    for figure in figures:
        parts: dict[tuple[Any, ...], list[Row]] = {}
        for row in tables[figure.table]:
            parts.setdefault(tuple(row[name] for name in figure.each), []).append(row)
        groups = [rows for part in parts.values() if (rows := drawn_rows(figure, part))]
        if groups:
            yield figure, _composed(figure, groups[:most], width) | _more(len(groups), most)


def _more(parts: int, most: int) -> Spec:
    """What is said where not all parts are drawn."""
    if parts <= most:
        return {}
    words = f"{most} of {parts} are drawn here; the page has all."
    return {"title": {"text": words, "orient": "bottom", "anchor": "start", "fontSize": 11, "fontWeight": "normal"}}


def _composed(figure: Figure, groups: Sequence[Sequence[Row]], width: int) -> Spec:
    parts = [
        {
            "title": filled(figure.title, rows[0]),
            "data": {"name": f"{ROWS}{n}"},
            **({"width": width} if figure.wide else {}),
            **figure.spec,
        }
        for n, rows in enumerate(groups)
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "datasets": {f"{ROWS}{n}": list(rows) for n, rows in enumerate(groups)},
        "vconcat": parts,
        "spacing": GAP_PX,
    }
