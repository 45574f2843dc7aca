from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbench.accuracy.datasets import Dataset, load, seeded
from benchbench.accuracy.metrics import paired, unpacked
from benchbench.accuracy.outputs import Output, read_outputs
from benchbench.accuracy.scores import score
from benchbench.device_script.protocol import Evaluation, Request, to_json
from benchbench.device_script.tflite.delegates import InterpreterDelegate
from benchbench.values.errors import InputError
from benchbench.values.outcome import Outcome
from tests.accuracy.conftest import FAMILY, Described, reference_of
from tests.beds.launch import script_file


def labelled(n: int = 50, classes: int = 10) -> Dataset:
    samples = seeded([Described()], n, seed=0)
    return replace(samples, labels=np.arange(n, dtype=np.int64) % classes)


def right(n: int = 50, classes: int = 10) -> Output:
    return Output("y", np.eye(classes, dtype=np.float32)[np.arange(n) % classes])


def test_scores_fit_an_outcome_and_come_back_from_its_line() -> None:
    scores = score(labelled(), [right()], [right()])
    outcome = Outcome(trial="t", case="c", device="d", variant="v", round=0, position=1, status="ok", accuracy=scores)
    assert Outcome.model_validate_json(outcome.model_dump_json()).accuracy == scores
    assert (scores["top1"], scores["n"], scores["broken"], scores["agreement"]) == (1.0, 50, 0, 1.0)
    assert all(value is None or isinstance(value, int | float | str) for value in scores.values())


def test_scores_without_labels_and_reference_say_on_what_they_stand() -> None:
    dataset = seeded([Described()], 5, seed=0)
    assert score(dataset, [right(5)]) == {"n": 5, "dataset": dataset.sha256}


def test_several_outputs_are_scored_each_and_the_worst_stands_for_all() -> None:
    a, b = right(), Output("z", right().raw * 0.5)
    scores = score(labelled(), [a, replace(b, raw=b.raw + 0.1)], [a, b])
    assert scores["sqnr_db:y"] == 200
    assert scores["sqnr_db"] == scores["sqnr_db:z"]


def test_class_scores_are_found_past_outputs_that_are_none() -> None:
    regression = Output("age", np.zeros((50, 1), np.float32))
    assert score(labelled(), [regression, right()])["top1"] == 1.0
    with pytest.raises(InputError, match="no output is a row of class scores"):
        score(labelled(), [Output("picture", np.zeros((50, 8, 8), np.float32))])


@pytest.mark.parametrize("value", [lambda is_one: 0.1 + 0.8 * is_one, lambda is_one: 9.0 * is_one - 4.0])
def test_one_value_a_sample_tells_two_classes_apart(value: Any) -> None:
    samples = replace(seeded([Described()], 6, seed=0), labels=np.array([0, 1, 1, 0, 1, 0]))
    answers = np.array([0, 1, 1, 0, 0, 0], np.float32)
    assert score(samples, [Output("p", value(answers)[:, None].astype(np.float32))])["top1"] == pytest.approx(5 / 6)


def test_a_measure_that_a_wrong_answer_would_pass_is_not_telling() -> None:
    samples, rng = seeded([Described()], 50, seed=0), np.random.default_rng(0)

    def telling(values: Any) -> str:
        output = Output("y", values.astype(np.float32))
        return str(score(samples, [output], [output])["telling"])

    assert telling(rng.random((50, 1))) == "sqnr_db"  # a lone positive value has a cosine of 1 to any other
    assert telling(rng.random((50, 8)) + 99) == "sqnr_db"  # landmarks: hardly another direction, and no scores
    assert telling(rng.normal(size=(50, 8))) == "cosine sqnr_db"
    assert telling(np.eye(8)[rng.integers(0, 8, 50)]) == "agreement cosine sqnr_db"
    stuck = np.eye(8)[np.zeros(50, int)] * rng.uniform(0.5, 1, (50, 1))
    assert telling(stuck) == "sqnr_db"  # one and the same top answer
    assert telling(np.ones((50, 8))) == ""
    one_class = replace(samples, labels=np.zeros(50, int))
    assert "top1" not in str(score(one_class, [Output("y", np.eye(8, dtype=np.float32)[np.zeros(50, int)])])["telling"])


def test_values_that_hardly_differ_are_no_disagreement() -> None:
    """The largest of many landmarks changes with the last bit, and is no answer."""
    rng = np.random.default_rng(0)
    marks = (rng.uniform(0, 192, (50, 200))).astype(np.float32)
    close = Output("landmarks", np.round(marks / 8) * 8)
    scores = score(seeded([Described()], 50, seed=0), [close], [Output("landmarks", marks)])
    assert scores["agreement"] is None
    assert (scores["broken"], scores["flags"]) == (0, "")
    rough = Output("landmarks", (marks + rng.normal(scale=12, size=marks.shape)).astype(np.float32))
    far = score(seeded([Described()], 50, seed=0), [rough], [Output("landmarks", marks)])
    assert float(str(far["sqnr_db"])) < 20
    assert (far["broken"], far["flags"]) == (0, "")
    certain = np.eye(10, dtype=np.float32)[np.arange(50) % 10] * 30
    off = np.roll(certain, 1, axis=1)
    judged = score(labelled(), [Output("y", off)], [Output("y", certain)])
    assert (judged["agreement"], judged["broken"]) == (0.0, 1)  # labels say that the largest value is an answer


def test_outputs_of_another_number_of_samples_are_refused() -> None:
    with pytest.raises(InputError, match="has 49 samples, seed 0 has 50"):
        score(labelled(), [right(49)])


def test_labels_beyond_the_models_classes_are_refused() -> None:
    with pytest.raises(InputError, match="label 9, but the model has 5 classes"):
        score(labelled(), [right(classes=5)])


def described(model: Path) -> Described:
    from ai_edge_litert.interpreter import Interpreter

    detail = Interpreter(str(model)).get_input_details()[0]
    shape = tuple(int(size) for size in detail["shape"])
    return Described(detail["name"], np.dtype(detail["dtype"]).name, shape, *detail["quantization"])


def plainly(model: Path, images: Any, labels: Any) -> Any:
    """Which samples the plain interpreter gets right: an evaluation that shares no line with the package."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    (into,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for picture in images:
        fed = picture[None].astype(np.float32)
        if into["dtype"] != np.float32:
            scale, zero = into["quantization"]
            bounds = np.iinfo(into["dtype"])
            fed = np.clip(np.rint(fed / np.float32(scale)) + zero, bounds.min, bounds.max).astype(into["dtype"])
        interpreter.set_tensor(into["index"], fed)
        interpreter.invoke()
        answers.append(int(np.argmax(interpreter.get_tensor(out["index"])[0])))
    return np.array(answers) == labels


@pytest.mark.parametrize("model", sorted(FAMILY.glob("*.tflite")), ids=lambda path: path.stem)
def test_the_shipped_family_scores_as_the_plain_interpreter_has_it_to_the_sample(model: Path) -> None:
    images = 50
    dataset = load(FAMILY / "test.npz", [described(model)], classes=10).first(images)
    scores = score(dataset, reference_of(model, dataset).outputs)
    with np.load(FAMILY / "test.npz") as archive:
        expected = plainly(model, archive["x"][:images], archive["y"][:images])
    assert np.array_equal(unpacked(str(scores["correct"]), images), expected)
    assert scores["top1"] == expected.mean()


def test_the_script_on_a_device_leaves_outputs_that_score_the_same(family: Path, tmp_path: Path) -> None:
    model = family / "fashion_mnist_float32.tflite"
    dataset = load(family / "test.npz", [described(model)], classes=10).first(64)
    dataset.save(tmp_path / "samples.npz")
    with_script = evaluated(model, tmp_path)
    reference = reference_of(model, dataset).outputs
    there, here = score(dataset, with_script, reference), score(dataset, reference)
    assert there["correct"] == here["correct"]
    assert float(there["sqnr_db"] or 0) > 80
    assert there["broken"] == 0


def evaluated(model: Path, folder: Path) -> tuple[Output, ...]:
    """What the script that travels writes, run as it is on a device: a process with a request."""
    import subprocess
    import sys

    delegate = InterpreterDelegate(xnnpack=True)
    request = Request(str(model), "xnnpack", delegate, evaluate=Evaluation("samples.npz"))
    (folder / "request.json").write_text(to_json(request))
    command = [sys.executable, str(script_file()), "request.json", "answer.json"]
    subprocess.run(command, cwd=folder, check=True, timeout=120)
    return read_outputs(folder / "outputs.npz")


def test_two_variants_are_compared_on_the_samples_that_their_outcomes_kept() -> None:
    wrong = right().raw.copy()
    wrong[:5] = np.roll(wrong[:5], 1, axis=1)
    base, new = score(labelled(), [right()]), score(labelled(), [Output("y", wrong)])
    assert base["dataset"] == new["dataset"]
    change = paired(unpacked(str(base["correct"]), 50), unpacked(str(new["correct"]), 50))
    assert (change.points, change.lost, change.won) == (-10.0, 5, 0)
