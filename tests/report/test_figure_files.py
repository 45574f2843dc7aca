"""Figures as files: in every format, theme and size, and of the cases that somebody chose."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from benchbench.analysis.frames import load
from benchbench.report import FigureFiles, figure, write_report
from benchbench.report.figures.sheets import SHEETS, arranged
from benchbench.report.figures.themes import PAPER
from benchbench.values.errors import InputError, NothingToDo
from tests.report.believable import full_matrix
from tests.workbench import Workbench


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    full_matrix(made, devices=("pixel8", "rpi5"), rounds=3)
    return made


def sides_of_svg(path: Path) -> tuple[float, float]:
    width, height = re.findall(
        r'<svg[^>]*? (?:width|height)="([\d.]+)in"[^>]*? (?:width|height)="([\d.]+)in"', path.read_text()
    )[0]
    return float(width), float(height)


def test_a_figure_is_written_in_every_format_theme_and_size_that_is_asked_for(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    bench = Workbench(tmp_path)
    bench.benchbench(
        *("report", str(folder), "--out", "out", "--figures", "latency,memory", "--format", "png,svg,pdf"),
        *("--theme", "light,dark", "--size", "slide,paper"),
    )
    figures = tmp_path / "out" / "figures"
    sizes = ("slide-1", "slide-2", "paper")  # both devices on a slide would have labels that nobody can read
    names = {f"{name}{theme}-{size}" for name in ("latency", "memory") for theme in ("", "-dark") for size in sizes}
    assert {path.name for path in figures.iterdir()} == {f"{n}.{form}" for n in names for form in ("png", "svg", "pdf")}
    for size, (width_in, height_in), dpi in (("slide-1", (13.333, 7.5), 144), ("paper", (7.087, 9.45), 300)):
        with Image.open(figures / f"latency-dark-{size}.png") as image:
            assert image.info["dpi"][0] == pytest.approx(dpi, abs=1)
            filled = max(image.width / (width_in * dpi), image.height / (height_in * dpi))
            assert filled == pytest.approx(1, abs=0.01)
            assert "#" + image.convert("RGB").crop((1, 1, 2, 2)).tobytes().hex() == PAPER["dark"]
        box = re.search(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", (figures / f"latency-{size}.pdf").read_bytes())
        assert box is not None
        in_points = float(box[1]) / (72 * width_in), float(box[2]) / (72 * height_in)
        assert max(in_points) == pytest.approx(1, abs=0.01)
        svg = sides_of_svg(figures / f"latency-{size}.svg")
        assert max(svg[0] / width_in, svg[1] / height_in) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("parts", "sheets"),
    [
        ([(700, 500)] * 4, [(1, 1)] * 4),  # side by side, labels would have 7 points
        ([(300, 200)] * 4, [(4, 2)]),
        ([(300, 200)] * 7, [(7, 3)]),
        ([(400, 300)] * 7, [(4, 2), (3, 2)]),
        ([(700, 150), (700, 150), (700, 150)], [(3, 1)]),
        ([(3000, 2000)] * 2, [(1, 1)] * 2),  # nothing makes it legible
    ],
)
def test_parts_share_a_slide_as_long_as_its_labels_can_be_read(
    parts: list[tuple[float, float]], sheets: list[tuple[int, int]]
) -> None:
    found = arranged(parts, SHEETS["slide"])
    assert [(len(parts[those]), columns) for those, columns in found] == sheets
    assert [part for those, _ in found for part in parts[those]] == parts
    ((whole, _),) = arranged(parts, SHEETS["slide"], most=1)
    assert parts[whole] == parts


def test_a_figure_nobody_has_is_refused_with_the_names_there_are(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="latencies") as error:
        write_report([load(folder)], tmp_path, FigureFiles(names=("latencies",)))
    assert "latency" in error.value.remedy
    assert not (tmp_path / "figures").exists()
    done = Workbench(tmp_path).benchbench("report", str(folder), "--format", "gif", expect=2)
    assert "png" in done.stderr


def test_a_figure_that_has_nothing_to_show_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    done = Workbench(tmp_path).benchbench("report", str(folder), "--out", "out", "--figures", "latency,history")
    assert "figure history has nothing to show" in done.stderr
    assert [path.name for path in (tmp_path / "out" / "figures").iterdir()] == ["latency.png"]


def test_a_figure_of_a_frame_has_its_cases_and_no_others(folder: Path) -> None:
    run = load(folder)
    chosen = run.cases[(run.cases["device"] == "pixel8") & (run.cases["delegate"] == "xnnpack")]
    spec = figure("latency", run, cases=chosen)
    rows = [row for part in spec["datasets"].values() for row in part]
    assert {row["case"] for row in rows} == set(chosen["case"])
    assert sum(map(len, figure("latency", run)["datasets"].values())) > len(rows)
    with pytest.raises(NothingToDo):
        figure("latency", run, cases=chosen[:0])


@pytest.mark.parametrize("name", ["profile", "conditions-temperature_before_c"])
def test_a_figure_of_a_frame_has_what_else_is_known_of_its_cases(folder: Path, name: str) -> None:
    run = load(folder)
    spec = figure(name, run, cases=run.cases[run.cases["device"] == "rpi5"])
    assert {row["place"] for part in spec["datasets"].values() for row in part} == {"rpi5"}


def test_a_figure_saves_itself_and_shows_itself_in_a_notebook(folder: Path, tmp_path: Path) -> None:
    chart = figure("latency", load(folder))
    for form, start in {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF"}.items():
        assert start in chart.save(str(tmp_path / f"mine.{form}"), theme="dark", size="paper").read_bytes()[:100]
    with pytest.raises(InputError, match="gif") as error:
        chart.save(tmp_path / "mine.gif")
    assert ".svg" in error.value.remedy
    with pytest.raises(InputError, match="cannot be written"):
        chart.save(tmp_path / "nowhere" / "mine.png")
    picture, shown = chart._repr_png_()
    with Image.open(BytesIO(picture)) as image:
        assert (image.width, image.height) == (2 * shown["width"], 2 * shown["height"])
    assert json.loads(json.dumps(chart)) == chart
