"""Figures as files: PNG, SVG and PDF, drawn by vl-convert from the very specs that the page draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from benchbench.analysis.rows import Row
from benchbench.report.figures.base import ROWS, Figure, Spec, drawn_rows, filled
from benchbench.report.figures.themes import PAPER, Theme, config
from benchbench.values.atomic import atomic

Format = Literal["png", "svg", "pdf"]
VEGA_LITE = "6.4"  # what the page's scripts are of, too
MOST_PARTS = 4  # of one file; the overview shows all devices
_WIDTH = 760  # pixels, of what is as wide as a page
_SCALE = 2  # pixels of a file for each of these
_FONTS = "DejaVu Sans, Noto Sans, Arial, sans-serif"


def write_figures(
    figures: Sequence[Figure],
    tables: Mapping[str, Sequence[Row]],
    folder: Path,
    *,
    formats: Sequence[Format] = ("png",),
    themes: Sequence[Theme] = ("light",),
) -> tuple[Path, ...]:
    """Write each figure that has rows as NAME.png, in the dark NAME-dark.png, into the folder; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure, spec in whole_specs(figures, tables):
        for theme in themes:
            for form in formats:
                path = folder / f"{figure.name}{'-dark' * (theme == 'dark')}.{form}"
                with atomic(path) as file:
                    file.write(drawn(spec, form, theme))
                written.append(path)
    return tuple(written)


def drawn(spec: Spec, form: Format, theme: Theme) -> bytes:
    """A spec that has its rows, as the bytes of a file."""
    import vl_convert

    look: dict[str, Any] = {
        "vl_version": VEGA_LITE,
        "config": config(theme, _FONTS) | {"background": PAPER[theme], "padding": 12},
        "allowed_base_urls": [],  # names in it come from strangers
    }
    if form == "svg":
        text: str = vl_convert.vegalite_to_svg(spec, **look)
        return text.encode()
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec, **look))
    return bytes(vl_convert.vegalite_to_png(spec, scale=_SCALE, **look))


def compiled(figure: Figure) -> dict[str, Any]:
    """A figure as Vega, which a page draws without compiling it; its data is named ROWS and has no rows."""
    import vl_convert

    fit = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}} if figure.wide else {}
    spec = {**fit, **figure.spec, "data": {"name": ROWS}}
    found: dict[str, Any] = vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE, config=config("page"))
    return found


def whole_specs(figures: Sequence[Figure], tables: Mapping[str, Sequence[Row]]) -> Iterator[tuple[Figure, Spec]]:
    """The specs of all figures that have something to show, with their rows, one part under another."""
    for figure in figures:
        parts: dict[tuple[Any, ...], list[Row]] = {}
        for row in tables[figure.table]:
            parts.setdefault(tuple(row[name] for name in figure.each), []).append(row)
        groups = [rows for part in parts.values() if (rows := drawn_rows(figure, part))]
        if groups:
            yield figure, _composed(figure, groups[:MOST_PARTS])


def _composed(figure: Figure, groups: Sequence[Sequence[Row]]) -> Spec:
    parts = [
        {
            "title": filled(figure.title, rows[0]),
            "data": {"name": f"{ROWS}{n}"},
            **({"width": _WIDTH} if figure.wide else {}),
            **figure.spec,
        }
        for n, rows in enumerate(groups)
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "datasets": {f"{ROWS}{n}": list(rows) for n, rows in enumerate(groups)},
        "vconcat": parts,
        "spacing": 28,
    }
