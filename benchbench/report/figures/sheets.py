"""How large a figure is as a file: as the page has it, on a slide, or in a column of paper."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Size = Literal["page", "slide", "paper"]
Sides = tuple[float, float]  # across and down, in pixels
GAP_PX = 28  # between the parts of a figure
_LABEL_PX = 11  # the height of its labels
_POINTS = 72  # to an inch
_SIDE = re.compile(r'\b(width|height)="([\d.]+)"')


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a figure must fit, in inches, with labels of `least_pt` or more; `plot_px` is how wide a plot is drawn."""

    plot_px: int
    width_in: float
    height_in: float
    dpi: int
    least_pt: float


SHEETS: dict[Size, Sheet] = {
    "slide": Sheet(560, 13.333, 7.5, 144, 9),  # 16:9, 1920 x 1080 pixels
    "paper": Sheet(560, 7.087, 9.45, 300, 6),  # 180 x 240 mm, what journals call two columns
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


def sides_of(svg: str) -> Sides:
    sides = {name: float(pixels) for name, pixels in _SIDE.findall(svg.partition(">")[0])}
    return sides["width"], sides["height"]


def fitted(svg: str, sheet: Sheet) -> Fitted:
    """A drawing as large as its sheet lets it be."""
    width, height = sides_of(svg)
    per_px = _per_px((width, height), sheet)
    return Fitted(svg, width * per_px, height * per_px, per_px)


def arranged(parts: Sequence[Sides], sheet: Sheet, most: int | None = None) -> list[tuple[slice, int]]:
    """Which parts of a figure stand on each sheet, and in how many columns.

    As few sheets as leave labels legible, `most` at most; the columns are those that let the parts be largest.
    """
    most = min(most or len(parts), len(parts))
    for count in range(1, most + 1):
        each = math.ceil(len(parts) / count)
        sheets = [slice(first, first + each) for first in range(0, len(parts), each)]
        found = [max((_per_px(_together(parts[one], n), sheet), n) for n in range(1, each + 1)) for one in sheets]
        if count == most or all(per_px * _POINTS * _LABEL_PX >= sheet.least_pt for per_px, _ in found):
            break
    return [(one, columns) for one, (_, columns) in zip(sheets, found, strict=True)]


def _per_px(sides: Sides, sheet: Sheet) -> float:
    """Inches for each pixel of what is as large as the sheet lets it be."""
    return min(sheet.width_in / sides[0], sheet.height_in / sides[1])


def _together(parts: Sequence[Sides], columns: int) -> Sides:
    """About as large as parts are in so many columns."""
    across = [max(width for width, _ in parts[n::columns]) for n in range(min(columns, len(parts)))]
    down = [max(height for _, height in parts[n : n + columns]) for n in range(0, len(parts), columns)]
    return sum(across) + GAP_PX * (len(across) - 1), sum(down) + GAP_PX * (len(down) - 1)
