"""Cases of a family in its schemes, with accuracy or likeness, for tests of what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchbench.accuracy.metrics import packed
from benchbench.analysis.frames import load
from benchbench.analysis.recommend import Recommendation, recommend
from benchbench.values.case import Kin, Variant
from benchbench.values.outcome import Outcome
from tests.report.builder import launches, variant, write_run

SCHEMES = {scheme: variant(scheme=scheme) for scheme in ("float32", "float16", "int8", "dynamic-int8", "int16x8")}


def case(
    scheme: str, ms: float, right: int | None = None, delegate: str = "xnnpack", *, n: int = 1000, **more: Any
) -> list[Outcome]:
    """Five launches of a scheme; `right` of n samples found."""
    found = launches([ms * f for f in (1, 1.01, 0.99, 1.005, 0.995)], model=SCHEMES[scheme], delegate=delegate, **more)
    if right is None:
        return found
    return with_scores(found, {"n": n, "dataset": "ab", "top1": right / n, "correct": packed(np.arange(n) < right)})


def with_scores(found: list[Outcome], scores: dict[str, Any]) -> list[Outcome]:
    """The launches, and one whose outputs were scored."""
    scored = {"purpose": "accuracy", "trial": f"{found[0].case}/accuracy", "accuracy": scores}
    return [*found, found[0].model_copy(update=scored)]


def likened(scheme: str, ms: float, delegate: str = "xnnpack", **scores: Any) -> list[Outcome]:
    """A case without labels: its outputs were only compared with the float32 reference."""
    alike = {"n": 32, "dataset": "ab", "agreement": 1.0, "cosine": 1.0, "sqnr_db": 90.0, "broken": 0, "flags": ""}
    return with_scores(case(scheme, ms, delegate=delegate), alike | scores)


WRONG: dict[str, Any] = {"broken": 1, "flags": "output 'y': every value is zero", "agreement": 0.1, "cosine": 0.0}


def recommended(folder: Path, *cases: list[Outcome]) -> Recommendation:
    run = load(write_run(folder, [o for found in cases for o in found], variants=list(SCHEMES.values())))
    (found,) = recommend(run.cases)
    return found


def kin(scheme: str, **how: str) -> Variant:
    return SCHEMES[scheme].model_copy(update={"kin": Kin.model_validate(how)})
