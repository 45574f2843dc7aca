"""A run that is done again: the same plan in the same order, or the cases of it that somebody looks at."""

from __future__ import annotations

import shlex

import pytest

from benchbench import pipeline as api
from benchbench.analysis.frames import load
from benchbench.execution.selection import Selection
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.errors import InputError
from tests.workbench import FAMILY, Workbench, outcomes


def test_a_run_is_done_again_in_the_same_order_in_a_folder_of_its_own(bench: Workbench) -> None:
    first = bench.run(bench.matrix("float32", "int8", rounds=2))
    bench.benchbench("run", "--again", str(first))
    second = bench.latest()
    assert second != first
    was, now = read_manifest(first), read_manifest(second)
    assert [trial.id for trial in now.trials] == [trial.id for trial in was.trials]
    assert [outcome.trial for outcome in outcomes(second)] == [outcome.trial for outcome in outcomes(first)]
    assert (now.seed, now.measure, now.variants, now.tools) == (was.seed, was.measure, was.variants, was.tools)
    assert now.id != was.id
    assert now.notes == (f"the plan of {first.name} again",)
    judged = bench.benchbench("compare", str(first), str(second), expect=3)  # two launches a side tell nothing
    assert "2 cases: 2 cannot tell" in judged.stdout


def test_one_case_is_done_again_and_every_row_has_its_command(bench: Workbench) -> None:
    first = bench.run(bench.matrix("float32", "int8", rounds=2))
    again = load(api.run_again(first, reports=bench.reports, selection=Selection(only=("*int8*",))))
    assert again.trials["case"].unique().tolist() == ["host/fashion_mnist.int8/xnnpack/t1"]
    assert len(again.trials) == 2
    commands = [shlex.split(command) for command in again.trials["command"]]
    assert all(len(words) >= 4 for words in commands)
    assert all(words[1].startswith(str(bench.work)) for words in commands)


@pytest.mark.parametrize(
    ("more", "said"), [(["--only", "*/npu/*"], "leave no case"), (["--seed", "3"], "it takes no --seed")]
)
def test_what_cannot_be_done_again_is_told(bench: Workbench, more: list[str], said: str) -> None:
    folder = bench.run(bench.matrix("float32", rounds=1))
    code = 2 if "--seed" in more else 3
    assert said in bench.benchbench("run", "--again", str(folder), *more, expect=code).stderr


def test_a_model_that_is_gone_is_named_with_its_place(bench: Workbench) -> None:
    own = bench.folder / "own.tflite"
    own.write_bytes((FAMILY / "fashion_mnist_int8.tflite").read_bytes())
    matrix = bench.matrix("float32", rounds=1)
    matrix.write_text(matrix.read_text().replace(f"{FAMILY}/fashion_mnist_float32.tflite", str(own)))
    folder = bench.run(matrix)
    own.unlink()
    with pytest.raises(InputError, match=r"own\.tflite: is gone") as told:
        api.run_again(folder, reports=bench.reports)
    assert "put it back" in told.value.remedy
