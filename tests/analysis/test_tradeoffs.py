"""Trade-offs of several families in one frame."""

from __future__ import annotations

from pathlib import Path

from benchbench.analysis.frames import load
from benchbench.analysis.tradeoffs import tradeoffs
from benchbench.report.page import render
from benchbench.report.results import Results
from tests.report.builder import launches, variant, write_run

SCORES = {"n": 32, "dataset": "ab", "agreement": 1.0, "cosine": 0.99, "sqnr_db": 30.0, "broken": 0, "flags": ""}


def test_a_family_without_scores_beside_one_that_has_them_has_no_metric_and_a_page(tmp_path: Path) -> None:
    models = [variant(family, scheme) for family in ("scored", "timed") for scheme in ("float32", "int8")]
    found = []
    for model in models:
        own = launches([10.0, 10.1, 9.9], model=model)
        trial = {"purpose": "accuracy", "trial": f"{own[0].case}/accuracy", "accuracy": SCORES}
        found += [*own, *([own[0].model_copy(update=trial)] if model.family == "scored" else [])]
    run = load(write_run(tmp_path, found, variants=models))
    metrics = tradeoffs(run.cases).groupby("family")["metric"].unique()
    assert metrics["timed"].tolist() == [None]
    assert all(isinstance(metric, str) for metric in metrics["scored"])
    assert "timed" in render(Results((run,)))
