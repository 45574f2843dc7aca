"""Models whose inputs are not a batch of images: each is measured, and its outputs are compared where that can be."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchbench.run_folder.manifest import read_manifest
from benchbench.runtimes.models import inspect
from benchbench.values.outcome import Outcome
from tests.beds import models
from tests.conftest import InProcess
from tests.workbench import Workbench, outcomes

CASES = Path(__file__).parents[3] / "shared" / "cases"


def run_case(name: str, folder: Path, expect: int = 0) -> tuple[Workbench, dict[str, Outcome]]:
    """A case that failed once, run; its outcomes by purpose."""
    found = next(CASES.glob(f"{name}-*"), None)
    if found is None:
        pytest.skip("needs ../shared/cases")
    bench = Workbench(folder)
    for file in ("matrix.toml", "model.tflite"):
        shutil.copy(found / file, folder / file)
    said = bench.benchbench("run", "matrix.toml", expect=expect).stdout
    assert "recommend" in said.strip().splitlines()[-1]
    page = (bench.latest() / "index.html").read_text(encoding="utf-8")
    assert "Speed against accuracy" not in page  # over random inputs
    return bench, {outcome.purpose: outcome for outcome in outcomes(bench.latest())}  # the last of each


def test_a_model_with_a_state_answers_each_sample_afresh_on_both_sides(tmp_path: Path) -> None:
    bench, found = run_case("16", tmp_path)
    bench.benchbench("plan", "matrix.toml")
    again = bench.benchbench("report", str(bench.latest()))
    assert again.stdout.strip().endswith("index.html")
    assert "recommend" in again.stderr.strip().splitlines()[-1]
    assert inspect(tmp_path / "model.tflite").state == "variables"
    scores = found["accuracy"].accuracy
    assert (scores["agreement"], scores["broken"], scores["flags"]) == (1.0, 0, "")
    assert float(str(scores["sqnr_db"])) > 60


def test_inputs_without_a_common_axis_are_compared_as_one_sample(tmp_path: Path) -> None:
    _, found = run_case("18", tmp_path)
    assert (found["accuracy"].status, found["accuracy"].accuracy["n"]) == ("ok", 32)
    assert float(str(found["accuracy"].accuracy["sqnr_db"])) > 100


def test_ids_stay_below_the_length_of_their_table(tmp_path: Path) -> None:
    _, found = run_case("26", tmp_path)
    assert inspect(tmp_path / "model.tflite").tables == (16,)
    assert {outcome.status for outcome in found.values()} == {"ok"}
    assert found["latency"].measurement.timings.median is not None


def test_strings_are_told_at_plan_and_everything_else_is_measured(tmp_path: Path) -> None:
    bench, found = run_case("17", tmp_path, expect=1)  # its custom op is in no runtime
    assert "unresolved custom op" in str(found["latency"].error)
    (tmp_path / "text.tflite").write_bytes(models.typed_model(models.STRING))
    (tmp_path / "both.toml").write_text(
        'name = "both"\ndevices = ["host"]\ndelegates = ["cpu"]\n'
        '[[model]]\nfamily = "text"\nvariants = "text.tflite"\ndataset = "random"\n'
        '[[model]]\nfamily = "sum"\nvariants = "sum.tflite"\ndataset = "random"\n'
        "[measure]\ncanary = false\nrounds = 1\nruns = 2\nmin_seconds = 0\nwarmup_runs = 1\nwarmup_min_seconds = 0\n"
    )
    (tmp_path / "sum.tflite").write_bytes(models.add_model((3,)))
    (told,) = [line for line in bench.benchbench("plan", "both.toml").stderr.splitlines() if "text.tflite" in line]
    assert "string" in told
    folder = bench.run(tmp_path / "both.toml")
    measured = {outcome.trial: outcome.status for outcome in outcomes(folder)}
    assert set(measured.values()) == {"ok"}
    assert {trial.rpartition("/")[2] for trial in measured if "/text." in trial} == {"r1"}
    assert {trial.rpartition("/")[2] for trial in measured if "/sum." in trial} == {"r1", "accuracy"}
    assert any("text.tflite" in str(note) for note in read_manifest(folder).notes)


def test_a_dataset_for_an_input_of_rank_1_has_a_sample_a_row(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    (tmp_path / "wave.tflite").write_bytes(models.chain_model(2, (15600,)))
    np.savez(tmp_path / "waves.npz", x=np.random.default_rng(0).normal(size=(3, 15600)).astype(np.float32))
    (tmp_path / "matrix.toml").write_text(
        'name = "wave"\ndevices = ["host"]\ndelegates = ["xnnpack"]\n'
        '[[model]]\nfamily = "wave"\nvariants = "wave.tflite"\ndataset = "waves.npz"\n'
        "[measure]\ncanary = false\nrounds = 1\nruns = 2\nmin_seconds = 0\nwarmup_runs = 1\nwarmup_min_seconds = 0\n"
    )
    folder = bench.run(tmp_path / "matrix.toml")
    scored = [outcome.accuracy for outcome in outcomes(folder) if outcome.purpose == "accuracy"][-1]
    assert (scored["n"], scored["broken"]) == (3, 0)


def test_what_run_refuses_of_a_dataset_plan_refuses_too(
    bench: Workbench, in_process: InProcess, tmp_path: Path
) -> None:
    images = np.zeros((3, 28, 28, 1), np.uint8)
    data = {
        "shape": {"x": images[:, :20]},
        "labels": {"x": images, "y": np.array([0, 1, 10])},
        "empty": {"x": images[:0]},
    }
    for name, arrays in data.items():
        np.savez(tmp_path / f"{name}.npz", allow_pickle=False, **arrays)
        bench.matrix(model=f'dataset = "{name}.npz"')
        for command in ("plan", "run"):
            said = in_process(command, "matrix.toml", expect=2).stderr
            assert f"{name}.npz" in said
    assert not bench.reports.exists()
