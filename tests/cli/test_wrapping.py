"""Lines that fit a terminal: no word in two, nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from benchbench.cli.wrapping import wrapped

WORDS = st.lists(st.text("abc/日", min_size=1, max_size=30), min_size=1, max_size=20)


@given(words=WORDS, width=st.integers(4, 60))
def test_words_stay_whole_and_in_order_and_lines_fit_where_words_do(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width, indent="  ")
    assert [word for line in lines for word in line.split()] == words
    assert all(cell_len(line) <= width or len(line.split()) == 1 for line in lines)


@given(words=WORDS, width=st.integers(40, 60))
def test_ids_of_cases_are_broken_behind_their_slashes_and_nowhere_else(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width, indent="  ", at_slashes=True)
    assert "".join("".join(lines).split()) == "".join(words)


def test_an_id_that_is_too_long_goes_on_behind_a_slash() -> None:
    case = "pixel8/mobilenet_v2_of_a_long_name.int8-per-channel/xnnpack/t4"
    assert wrapped(f"  on {case}", 40, indent="  ", at_slashes=True) == [
        "  on pixel8/",
        "    mobilenet_v2_of_a_long_name.int8-per-channel/",
        "    xnnpack/t4",
    ]
