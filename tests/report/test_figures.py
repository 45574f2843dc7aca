"""The plots as PNG: there where there is data, large enough to be read, and calm about odd names."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchbench.analysis.frames import load
from benchbench.report.figures import write_figures
from benchbench.report.results import Results
from tests.report.builder import full_matrix, launches, variant, write_run

TRUE = {"n": 32, "dataset": "ab", "cosine": 0.99, "sqnr_db": 30.0, "broken": 0, "flags": ""}


def test_a_full_matrix_gives_every_plot_with_room_for_every_row(tmp_path: Path) -> None:
    names = ("$x^2$ & 量化 🦔", "n" * 200, "a_{b}\n\t$")
    full_matrix(tmp_path, rounds=2, extra=[variant(scheme="int8", name=name) for name in names])
    written = {path.stem: path for path in write_figures(Results((load(tmp_path),)), tmp_path / "figures")}
    assert set(written) == {"latency", "threads", "phases", "memory", "accuracy", "classes", "profile", "conditions"}
    with Image.open(written["latency"]) as image:
        assert image.width >= 1200
        assert image.height >= 3 * 9 * 3 * 15  # devices x variants x delegates x pixels a bar needs


def test_no_words_run_past_the_edge_of_a_plot(tmp_path: Path) -> None:
    """A broken output of the slowest case is named beside its mark, which stands near the right edge."""
    models = [variant(), variant(scheme="int8", name="a_rather_long_name_of_a_variant_int8")]
    found = [launches([1.0, 1.1, 1.2], model=models[0]), launches([90.0, 95.0, 300.0], model=models[1])]
    outcomes = []
    for scores, measured in zip((TRUE, TRUE | {"broken": 1, "flags": "all is zero"}), found, strict=True):
        scored = {"purpose": "accuracy", "trial": f"{measured[0].case}/accuracy", "accuracy": scores}
        outcomes += [*measured, measured[0].model_copy(update=scored)]
    results = Results((load(write_run(tmp_path, outcomes, variants=models)),))
    written = {path.stem: path for path in write_figures(results, tmp_path / "figures")}
    for name in ("latency", "accuracy"):
        with Image.open(written[name]) as image:
            edge = image.convert("L").crop((image.width - 3, 0, image.width, image.height))
            assert min(edge.tobytes()) > 250, name


def test_a_plot_without_data_is_not_written(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, launches([10.0, 10.1], before=None, after=None)))
    written = {path.stem for path in write_figures(Results((run,)), tmp_path / "figures")}
    assert written == {"latency", "phases", "memory"}


def test_drawing_leaves_no_trace_in_matplotlib(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    write_figures(Results((load(write_run(tmp_path, launches([10.0]))),)), tmp_path / "figures")
    assert dict(mpl.rcParams) == before
