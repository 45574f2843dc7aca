"""What to ship, in words for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbench.cli.console import out
from benchbench.values.formatting import counted

if TYPE_CHECKING:
    from rich.console import Console

    from benchbench.analysis.recommend import Recommendation

_MOST = 12  # paragraphs that anybody reads


def show_recommendations(found: Sequence[Recommendation], console: Console | None = None, run: str = "") -> None:
    """What to ship on each device, in a sentence with what it costs, and what speaks against believing it.

    `run` is what theirs is called, where there are several. Of many devices a line says on how many each case is it.
    """
    console = console or out()
    named = f" ({run})" if run else ""
    if len(found) > _MOST:
        for family in dict.fromkeys(one.family for one in found):
            mine = [one for one in found if one.family == family]
            console.print(f"\n{family}{named}, on {counted(len(mine), 'device')}:", markup=False)
            for choice, count in Counter(one.choice if one.case else "none" for one in mine).most_common():
                console.print(f"  {count} x recommended is {choice}", markup=False)
        console.print(
            "\nwhy, and what speaks against believing it, stands in the report, device by device", markup=False
        )
        return
    for one in found:
        where = " · ".join(part for part in (f"{one.device}{named}", one.family) if part)
        console.print(f"\n{where}: {'recommended is ' if one.case else ''}{one.sentence}", markup=False)
        for doubt in one.doubts:
            console.print(f"  but: {doubt}", markup=False)
    for device, kinds in {one.device: one.shared for one in found if one.shared}.items():
        console.print(f"\nbut of every case on {device}{named}: {'; '.join(kinds)}", markup=False)
