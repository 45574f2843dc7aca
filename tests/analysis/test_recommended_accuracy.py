"""What stands for accuracy in a recommendation, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchbench.analysis.frames import load
from benchbench.analysis.recommend import recommend
from benchbench.analysis.tradeoffs import tradeoffs
from benchbench.values.outcome import Outcome
from tests.analysis.schemes import SCHEMES, case, kin, likened, recommended, with_scores
from tests.report.builder import write_run


def test_a_measure_that_a_wrong_answer_would_pass_is_not_what_stands_for_fidelity(tmp_path: Path) -> None:
    one_value: dict[str, Any] = {"agreement": None, "cosine": 1.0, "telling": "sqnr_db"}
    found = recommended(
        tmp_path,
        likened("float32", 12, sqnr_db=140.0, **one_value),
        likened("int8", 4, sqnr_db=9.0, **one_value),
        likened("float16", 11, sqnr_db=60.0, **one_value),
    )
    assert found.choice == "float16 on xnnpack, 1 thread"
    assert "signal to error 9 dB" in found.evidence[0]
    assert not any("cosine" in words for words in (*found.claims, *found.evidence))


def test_where_every_sample_has_the_same_answer_no_measure_tells(tmp_path: Path) -> None:
    found = recommended(tmp_path, likened("float32", 12, telling=""), likened("int8", 4, telling=""))
    assert found.case is None
    assert "the same answer to every sample" in found.sentence


def test_where_the_reference_could_not_run_its_answers_are_not_spoken_of(tmp_path: Path) -> None:
    taken = {"n": 32, "dataset": "ab"}
    found = recommended(tmp_path, with_scores(case("float32", 12), taken), with_scores(case("int8", 4), taken))
    assert found.case is None
    assert "no reference to compare" in found.sentence
    assert "same answer" not in found.sentence


def test_what_was_trained_again_has_no_likeness_and_is_compared_by_labels(tmp_path: Path) -> None:
    again = kin("int8", relation="retrained", because="other weights")
    others = [v for v in SCHEMES.values() if v.scheme != "int8"]
    flags: dict[str, Any] = {"agreement": 0.2, "cosine": 0.1, "sqnr_db": -3.0}
    outcomes = [*likened("float32", 12), *likened("float16", 11), *likened("int8", 4, **flags)]
    (found,) = recommend(load(write_run(tmp_path, outcomes, variants=[*others, again])).cases)
    assert found.choice == "float16 on xnnpack, 1 thread"
    assert any("retrained (other weights), and there are no labels" in line for line in found.evidence)
    labelled = [*case("float32", 12, 915), *case("int8", 4, 921)]
    (found,) = recommend(load(write_run(tmp_path / "labels", labelled, variants=[*others, again])).cases)
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert "int8 is retrained: other weights" in found.evidence


def test_a_case_of_unknown_accuracy_is_not_preferred_to_one_that_was_measured(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("float16", 13, 915), case("int8", 4))
    assert found.choice == "float32 on xnnpack, 1 thread"
    assert found.evidence[0] == "int8 on xnnpack, 1 thread is faster (4.00 ms) but its accuracy was not measured"
    table = tradeoffs(load(tmp_path).cases).set_index("scheme")
    assert table["pareto"].to_dict() == {"float32": True, "float16": False, "int8": False}


def test_without_a_float32_the_most_accurate_is_the_measure(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("int16x8", 30, 915), case("int8", 4, 700), case("dynamic-int8", 8, 912))
    assert found.choice == "dynamic-int8 on xnnpack, 1 thread"
    assert any("against int16x8 on xnnpack, 1 thread, the most accurate here" in claim for claim in found.claims)


def test_the_accuracies_behind_a_recommendation_are_its_evidence(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 915), case("int8", 4, 909))
    assert found.evidence[-1] == (
        "top-1 accuracy 90.9 % [89.0, 92.5] over 1,000 samples; float32 on xnnpack, 1 thread: 91.5 % [89.6, 93.1]"
    )


def test_too_few_samples_are_a_doubt_of_the_choice_itself(tmp_path: Path) -> None:
    found = recommended(tmp_path, case("float32", 12, 19, n=20), case("int8", 4, 19, n=20))
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert "20 samples: too few to tell whether it loses a point of accuracy" in found.doubts


def test_agreement_is_said_as_what_it_is_and_one_other_answer_is_no_loss(tmp_path: Path) -> None:
    found = recommended(tmp_path, likened("float32", 12), likened("int8", 4, agreement=31 / 32))
    assert found.choice == "int8 on xnnpack, 1 thread"
    assert "the same answers as the reference for 96.9 % [84.3, 99.4] of 32 samples" in found.claims
    assert any(doubt.startswith("there are no labels") for doubt in found.doubts)
    assert not any("point" in claim for claim in found.claims)


def test_a_reference_of_the_first_samples_speaks_for_no_more_than_these(tmp_path: Path) -> None:
    partly: dict[str, Any] = {"n": 2000, "compared": 32}
    found = recommended(tmp_path, likened("float32", 12, **partly), likened("int8", 4, agreement=31 / 32, **partly))
    assert "the same answers as the reference for 96.9 % [84.3, 99.4] of 32 samples" in found.claims


def test_clear_disagreement_is_not_recommended(tmp_path: Path) -> None:
    found = recommended(tmp_path, likened("float32", 12), likened("int8", 4, agreement=0.75))
    assert found.choice == "float32 on xnnpack, 1 thread"
    assert found.evidence[0].endswith(
        "but departs from the reference: the same answers as the reference for 75.0 % [57.9, 86.7] of 32 samples"
    )


def test_without_classes_the_cosine_is_said_and_no_points(tmp_path: Path) -> None:
    image: dict[str, Any] = {"agreement": None}
    found = recommended(
        tmp_path, likened("float32", 12, **image), likened("int8", 4, **image, cosine=0.9987, sqnr_db=31.2)
    )
    assert "outputs at cosine 0.9987 to the reference's, signal to error 31 dB, over 32 samples" in found.claims
    assert not any("point" in claim for claim in found.claims)


def test_a_change_of_map_has_no_interval_and_no_false_precision(tmp_path: Path) -> None:
    def detector(scheme: str, ms: float, precision: float) -> list[Outcome]:
        return with_scores(case(scheme, ms), {"n": 200, "dataset": "ab", "map": precision})

    found = recommended(tmp_path, detector("float32", 12, 0.2134), detector("int8", 4, 0.2061))
    assert "about −1 point of mAP over 200 samples, without an interval" in found.claims
    assert "how much of the change of mAP is chance is not known: it has no interval" in found.doubts
