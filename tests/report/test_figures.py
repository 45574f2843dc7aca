"""The figures as files: there where there is data, large enough to be read, and calm about odd names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from benchbench.analysis.frames import load
from benchbench.report.content import Content
from benchbench.report.figures import drawing
from benchbench.report.figures.drawing import FigureFiles, FileTheme, Format, compiled
from benchbench.report.results import Results
from tests.report.believable import full_matrix
from tests.report.builder import launches, variant, write_run

TRUE = {"n": 32, "dataset": "ab", "cosine": 0.99, "sqnr_db": 30.0, "broken": 0, "flags": ""}
ALL = {
    *("overview", "latency", "threads", "phases", "memory", "accuracy", "profile", "stability"),
    *("conditions-temperature_before_c", "conditions-load_before"),
}


def written(
    folder: Path, *, formats: Sequence[Format] = ("png",), themes: Sequence[FileTheme] = ("light",)
) -> dict[str, Path]:
    """The figures of a run folder, by file name."""
    content = Content(Results((load(folder),)))
    files = FigureFiles(formats=tuple(formats), themes=tuple(themes))
    paths = drawing.write_figures(content.figures, content.tables, folder / "figures", files)
    return {path.name: path for path in paths}


def test_a_full_matrix_gives_every_figure_with_room_for_every_row(tmp_path: Path) -> None:
    names = ("$x^2$ & 量化 🦔", "n" * 200, "a_{b}\n\t$", "</svg><script>")
    full_matrix(tmp_path, rounds=3, extra=[variant(scheme="int8", name=name) for name in names])
    found = written(tmp_path)
    assert {name.removesuffix(".png") for name in found} == ALL
    with Image.open(found["latency.png"]) as image:
        assert image.width >= 1200
        assert image.height >= 3 * 10 * 3 * 15 * 2  # devices x variants x delegates x pixels a bar needs


def test_no_words_run_past_the_edge_of_a_figure(tmp_path: Path) -> None:
    """A broken output of the slowest case is named beside its mark, which stands near the right edge."""
    models = [variant(), variant(scheme="int8", name="a_rather_long_name_of_a_variant_int8")]
    found = [launches([1.0, 1.1, 1.2], model=models[0]), launches([90.0, 95.0, 300.0], model=models[1])]
    outcomes = []
    for scores, measured in zip((TRUE, TRUE | {"broken": 1, "flags": "all is zero"}), found, strict=True):
        scored = {"purpose": "accuracy", "trial": f"{measured[0].case}/accuracy", "accuracy": scores}
        outcomes += [*measured, measured[0].model_copy(update=scored)]
    figures = written(write_run(tmp_path, outcomes, variants=models))
    for name in ("latency.png", "accuracy.png"):
        with Image.open(figures[name]) as image:
            edge = image.convert("L").crop((image.width - 3, 0, image.width, image.height))
            assert min(edge.tobytes()) > 245, name


def test_the_end_of_a_wild_interval_is_told_to_three_digits(tmp_path: Path) -> None:
    write_run(tmp_path, launches([1.0, 1.1, 37.51894]))
    drawn = written(tmp_path, formats=["svg"])["latency.svg"].read_text(encoding="utf-8")
    assert "interval to 37.5 ms" in drawn


def test_one_case_alone_is_no_figure_of_speed_against_fidelity(tmp_path: Path) -> None:
    measured = launches([1.0, 1.1, 1.2])
    scored = {"purpose": "accuracy", "trial": f"{measured[0].case}/accuracy", "accuracy": TRUE}
    found = written(write_run(tmp_path, [*measured, measured[0].model_copy(update=scored)]))
    assert "latency.png" in found
    assert "accuracy.png" not in found


def test_a_figure_without_data_is_not_written(tmp_path: Path) -> None:
    found = written(write_run(tmp_path, launches([10.0, 10.1], before=None, after=None)))
    assert set(found) == {"latency.png", "phases.png", "memory.png"}


@pytest.mark.parametrize(("form", "start"), [("svg", b"<svg"), ("pdf", b"%PDF")])
def test_figures_are_drawn_as_other_files_and_in_the_dark_too(tmp_path: Path, form: Format, start: bytes) -> None:
    found = written(write_run(tmp_path, launches([10.0, 10.1])), formats=(form,), themes=("light", "dark"))
    assert {"latency." + form, "latency-dark." + form} <= set(found)
    files = {name: path.read_bytes() for name, path in found.items()}
    assert all(start in file[:200] for file in files.values())
    assert files["latency." + form] != files["latency-dark." + form]


def test_what_a_page_draws_is_compiled_from_the_spec_of_the_file(tmp_path: Path) -> None:
    """One description: the page's Vega names the same data, and takes its colours from the page."""
    content = Content(Results((load(write_run(tmp_path, launches([10.0, 10.1, 10.2]))),)))
    (latency,) = (figure for figure in content.figures if figure.name == "latency")
    found = compiled(latency)
    assert found["data"][0] == {"name": "rows"}
    assert "var(--ink)" in str(found["config"])
    assert "10.1" not in str(found)


def front(folder: Path, times_ms: Sequence[float], scores: Sequence[float]) -> Path:
    """A run whose cases are all on the front: the slower, the more accurate."""
    models = [variant(scheme="int8", name=f"int8_per_channel_{n}") for n, _ in enumerate(times_ms)]
    outcomes = []
    for model, ms, top1 in zip(models, times_ms, scores, strict=True):
        measured = launches([0.99 * ms, ms, 1.01 * ms], model=model)
        scores_of = {"n": 1000, "dataset": "ab", "top1": top1}
        scored = {"purpose": "accuracy", "trial": f"{measured[0].case}/accuracy", "accuracy": scores_of}
        outcomes += [*measured, measured[0].model_copy(update=scored)]
    return write_run(folder, outcomes, variants=models)


def texts(svg: Path) -> list[tuple[float, float, str]]:
    """Where each text is within its part of the drawing, and what it says."""
    found = re.findall(r'<text[^>]* transform="translate\(([-\d.]+),([-\d.]+)\)[^>]*>([^<]+)</text>', svg.read_text())
    return [(float(x), float(y), words) for x, y, words in found]


@pytest.mark.parametrize("least", [0.899, 0.5])  # the others rise steeply, or lie on one line
def test_names_on_the_front_keep_off_each_other(tmp_path: Path, least: float) -> None:
    close = [4.0, 4.3, 4.6, 4.9]
    scores = [least, *(0.9 + n / 1000 for n, _ in enumerate([*close, 12.0]))]
    drawn = written(front(tmp_path, [1.0, *close, 12.0], scores), formats=["svg"])["accuracy.svg"]
    names = [one for one in texts(drawn) if one[2].startswith("int8_per_channel_")]
    assert len(names) == len(close) + 2
    widest, highest = 6.6 * len(names[0][2]), 11  # of 11 pixels in DejaVu Sans
    meet = [
        (one[2], other[2])
        for n, one in enumerate(names)
        for other in names[:n]
        if abs(one[0] - other[0]) < widest and abs(one[1] - other[1]) < highest
    ]
    assert meet == []


def test_a_name_on_the_front_stands_on_no_mark(tmp_path: Path) -> None:
    """Of two that are as fast, one is less accurate by about the height of a name and a mark."""
    times_ms, scores = [1.0, 1.34, 1.36, 3.0, 9.0], [0.82, 0.899, 0.907, 0.911, 0.914]
    drawn = written(front(tmp_path, times_ms, scores), formats=["svg"])["accuracy.svg"]
    names = [one for one in texts(drawn) if one[2].startswith("int8_per_channel_")]
    points = re.findall(r'roledescription="point" transform="translate\(([-\d.]+),([-\d.]+)\)', drawn.read_text())
    marks = {(float(x), float(y)) for x, y in points}
    assert len(names) == len(marks) == len(times_ms)
    radius, width, middle, height = 5, 6.6 * len(names[0][2]), -4, 9  # of 11 pixels in DejaVu Sans, from its foot
    beneath = [
        (words, mark)
        for x, y, words in names
        for mark in marks
        if abs(x - mark[0]) < width / 2 + radius and abs(y + middle - mark[1]) < height / 2 + radius
    ]
    assert beneath == []


@pytest.mark.parametrize(
    ("times_ms", "named"),
    [
        ([0.045, 0.2, 1.7], {"100 µs", "200 µs", "1 ms"}),
        ([81.5, 84.0, 89.0], {"82 ms", "84 ms", "86 ms", "88 ms"}),
        ([1.0, 80.0, 20_000.0], {"1 ms", "10 ms", "100 ms", "1 s", "10 s"}),
    ],
)
def test_a_logarithmic_axis_names_round_times(tmp_path: Path, times_ms: Sequence[float], named: set[str]) -> None:
    drawn = written(front(tmp_path, times_ms, [0.8, 0.85, 0.9]), formats=["svg"])["accuracy.svg"]
    told = [words for _, _, words in texts(drawn) if re.fullmatch(r"[\d.]+ (µs|ms|s)", words)]
    assert named <= set(told)
    assert len(told) <= 12


def test_a_file_that_has_not_all_devices_says_so(tmp_path: Path) -> None:
    outcomes = [one for n in range(6) for one in launches([10.0, 10.1], device=f"phone{n}")]
    drawn = written(write_run(tmp_path, outcomes), formats=["svg"])
    told = [words for _, _, words in texts(drawn["latency.svg"])]
    assert "4 of 6 are drawn here; the page has all." in told
    assert "phone3 · mobilenet_v2" in told
    assert not any("are drawn here" in words for _, _, words in texts(drawn["overview.svg"]))
