"""How the figures look in the light and in the dark: the part of a Vega-Lite config that every figure shares."""

from __future__ import annotations

from typing import Any, Literal

Theme = Literal["light", "dark", "page"]  # page: the colours of its style sheet, whatever they are
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif'
_INK = {"light": "#1c2330", "dark": "#e4e7ec", "page": "var(--ink)"}
_SOFT = {"light": "#5d6778", "dark": "#9aa4b3", "page": "var(--soft)"}
_LINE = {"light": "#e3e6ea", "dark": "#2c323c", "page": "var(--line)"}
PAPER = {"light": "#fcfcfb", "dark": "#14171c", "page": "transparent"}


def config(theme: Theme, font: str = FONT) -> dict[str, Any]:
    """The config of a theme, for a figure on PAPER."""
    ink, soft, line = _INK[theme], _SOFT[theme], _LINE[theme]
    # On a page each figure is one image with a name, and its numbers stand in tables.
    silent = {"aria": False, "mark": {"aria": False}} if theme == "page" else {}
    return {
        **silent,
        "background": "transparent",
        "font": font,
        "view": {"stroke": None},
        "axis": {
            "labelColor": soft,
            "titleColor": soft,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
            "labelFontSize": 11.5,
            "titleFontSize": 11.5,
            "titleFontWeight": "normal",
            "titlePadding": 8,
        },
        "axisY": {"labelColor": ink},
        "legend": {
            "labelColor": ink,
            "titleColor": soft,
            "titleFontWeight": "normal",
            "labelFontSize": 12,
            "labelLimit": 220,
            "layout": {"top": {"direction": "vertical", "anchor": "start"}},  # one legend under another
            "symbolStrokeWidth": 1.5,
            "symbolBaseFillColor": soft,
            "symbolBaseStrokeColor": soft,
        },
        "header": {"labelColor": ink, "labelFontSize": 12, "labelFontWeight": 600},
        "title": {"color": ink, "anchor": "start", "fontSize": 13, "fontWeight": 600, "offset": 8},
        "text": {"color": ink},
        "rule": {"color": ink},
        "tick": {"color": ink},
        "point": {"color": ink},
    }
