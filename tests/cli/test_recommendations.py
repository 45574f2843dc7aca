"""What the terminal says of what to ship: a paragraph a device, and of many devices a line a choice."""

from __future__ import annotations

import io

from benchbench.analysis.recommend import Recommendation
from benchbench.cli.console import Console
from benchbench.cli.recommended import show_recommendations


def shown(found: list[Recommendation]) -> list[str]:
    file = io.StringIO()
    show_recommendations(found, Console(file=file, width=200))
    return [line for line in file.getvalue().splitlines() if line]


def of_device(number: int) -> Recommendation:
    choice = ("none", "int8 on gpu", "int8 on xnnpack, 4 threads")[min(number, 2)]
    doubts = ("the phone was hot",) if number else ()
    return Recommendation("r", f"phone{number}", "net", None if not number else f"c{number}", choice, doubts=doubts)


def test_of_a_few_devices_each_has_its_words_and_its_doubts() -> None:
    assert shown([of_device(1), of_device(2)]) == [
        "phone1 · net: recommended is int8 on gpu",
        "  but: the phone was hot",
        "phone2 · net: recommended is int8 on xnnpack, 4 threads",
        "  but: the phone was hot",
    ]


def test_of_many_devices_each_choice_has_a_line_with_how_many_it_is_for() -> None:
    lines = shown([of_device(number) for number in range(72)])
    assert lines[:4] == [
        "net, on 72 devices:",
        "  70 x recommended is int8 on xnnpack, 4 threads",
        "  1 x recommended is none",
        "  1 x recommended is int8 on gpu",
    ]
    assert len(lines) == 5
