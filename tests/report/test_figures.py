"""The plots as PNG: there where there is data, large enough to be read, and calm about odd names."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchbench.frames import load
from benchbench.report.figures import write_figures
from benchbench.report.results import Results
from tests.report.builder import full_matrix, launches, variant, write_run


def test_a_full_matrix_gives_every_plot_with_room_for_every_row(tmp_path: Path) -> None:
    names = ("$x^2$ & 量化 🦔", "n" * 200, "a_{b}\n\t$")
    full_matrix(tmp_path, rounds=2, extra=[variant(scheme="int8", name=name) for name in names])
    written = {path.stem: path for path in write_figures(Results((load(tmp_path),)), tmp_path / "figures")}
    assert set(written) == {"latency", "threads", "phases", "memory", "accuracy", "classes", "profile", "conditions"}
    with Image.open(written["latency"]) as image:
        assert image.width >= 1200
        assert image.height >= 3 * 9 * 3 * 15  # devices x variants x delegates x pixels a bar needs


def test_a_plot_without_data_is_not_written(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, launches([10.0, 10.1], before=None, after=None)))
    written = {path.stem for path in write_figures(Results((run,)), tmp_path / "figures")}
    assert written == {"latency", "phases", "memory"}


def test_drawing_leaves_no_trace_in_matplotlib(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    write_figures(Results((load(write_run(tmp_path, launches([10.0]))),)), tmp_path / "figures")
    assert dict(mpl.rcParams) == before
