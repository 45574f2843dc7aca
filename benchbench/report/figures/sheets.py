"""How large a figure is as a file: as the page has it, on a slide, or in a column of paper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Size = Literal["page", "slide", "paper"]
_SIDE = re.compile(r'\b(width|height)="([\d.]+)"')


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a figure must fit, in inches; `plot_px` is how wide a plot is drawn first, so that its text can be read."""

    plot_px: int
    width_in: float
    height_in: float
    dpi: int


SHEETS: dict[Size, Sheet] = {
    "slide": Sheet(560, 13.333, 7.5, 144),  # 16:9, 1920 x 1080 pixels
    "paper": Sheet(560, 7.087, 9.45, 300),  # 180 x 240 mm, what journals call two columns
}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A drawing at its size on a sheet."""

    svg: str
    width_in: float
    height_in: float
    per_px_in: float

    def in_unit(self, per_inch: float, unit: str) -> str:
        """The drawing with its size written in a unit."""
        sides = {"width": f"{self.width_in * per_inch:.3f}{unit}", "height": f"{self.height_in * per_inch:.3f}{unit}"}
        opening, end, rest = self.svg.partition(">")
        return _SIDE.sub(lambda side: f'{side[1]}="{sides[side[1]]}"', opening) + end + rest


def fitted(svg: str, sheet: Sheet) -> Fitted:
    """A drawing as large as its sheet lets it be."""
    sides = {name: float(pixels) for name, pixels in _SIDE.findall(svg.partition(">")[0])}
    per_px = min(sheet.width_in / sides["width"], sheet.height_in / sides["height"])
    return Fitted(svg, sides["width"] * per_px, sides["height"] * per_px, per_px)
