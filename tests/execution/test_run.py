"""Runs from a matrix to a run folder on this machine: what is kept of them."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchbench.analysis.frames import load
from benchbench.device.agent import SCRIPT
from benchbench.device.lock import Holder
from benchbench.execution.resumption import recorded_plan, resumption_of
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.errors import Unreachable
from tests.beds.models import chain_model
from tests.execution.runs import Watched, run
from tests.workbench import FAMILY, Workbench, outcomes, planned


def test_a_run_folder_holds_the_plan_every_outcome_and_what_the_tool_said(bench: Workbench) -> None:
    watched = Watched()
    folder = run(bench, bench.matrix(measure="profile = true"), watched)
    (plan,) = watched.plans
    told = outcomes(folder)
    assert [outcome.trial for outcome in told] == planned(folder) == [trial.id for trial in plan.trials]
    assert Counter(outcome.purpose for outcome in told) == {"latency": 4, "profile": 2}
    assert not any(outcome.measurement.timings.samples for outcome in told)
    assert {trial: series.inferences for trial, series in load(folder).series.items()} == {
        outcome.trial: outcome.measurement.runs for outcome in told if outcome.purpose == "latency"
    }
    assert [path.name for path in (folder / "series").iterdir()] == ["inferences.parquet"]
    for outcome in told:
        assert outcome.status == "ok", outcome.error
        assert outcome.log is not None
        assert "request.json" in (folder / outcome.log).read_text()
        assert outcome.before is not None
        assert outcome.after is not None
        assert outcome.wall_s is not None
        assert outcome.tool_s is not None
        assert outcome.wall_s >= outcome.tool_s > 0
    assert not bench.processes()
    assert not list((bench.work / "jobs").iterdir())


def test_the_manifest_gives_back_the_very_plan_and_says_what_was_measured_with(bench: Workbench) -> None:
    watched = Watched()
    folder = run(bench, bench.matrix(top='skip = [{ threads = 1, scheme = "int8" }]'), watched)
    manifest = read_manifest(folder)
    recorded = resumption_of(manifest, folder, recorded_plan(manifest, folder))
    assert recorded.work.plan == watched.plans[0]
    assert [skip.reason for skip in recorded.work.plan.skips] == ["left out by the matrix"]
    (device,) = manifest.devices
    assert (device.name, list(device.tools)) == ("host", ["tflite"])
    assert (device.tools["tflite"].name, len(device.tools["tflite"].sha256 or "")) == ("python", 64)
    assert device.traits is not None
    assert device.traits.os == "linux"
    assert str(manifest.tools[0].version).startswith("ai-edge-litert")
    assert all(len(variant.sha256) == 64 for variant in manifest.variants)


def test_a_second_run_transfers_nothing(bench: Workbench) -> None:
    matrix = bench.matrix("float32")
    first, second = run(bench, matrix), run(bench, matrix)
    assert "fashion_mnist_float32.tflite" in read_manifest(first).devices[0].pushed
    assert read_manifest(second).devices[0].pushed == ()


def test_a_note_on_a_device_is_told_once_and_kept_once(bench: Workbench) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    here = Holder.here("an earlier run")
    claim = f"0badcafe {replace(here, pid=str(gone.pid)).text}"
    subprocess.run(["sh", str(SCRIPT), "lock", "900", claim], check=True, capture_output=True)
    folder = run(bench, bench.matrix("float32"))
    (note,) = read_manifest(folder).notes
    assert note.startswith(f"host: a stale lock of {here.who} pid {gone.pid} was broken")


def test_outputs_are_scored_after_the_run_as_outcomes_of_their_trials(bench: Workbench) -> None:
    folder = run(bench, bench.matrix(rounds=1, model=f'dataset = "{FAMILY}/test.npz"\nsamples = 100'))
    told = [outcome for outcome in outcomes(folder) if outcome.purpose == "accuracy"]
    latest = {outcome.variant: outcome for outcome in told}
    assert len(told) == 4  # taken back, then scored
    for outcome in latest.values():
        assert outcome.status == "ok"
        assert float(str(outcome.accuracy["top1"])) > 0.8


def test_where_nothing_can_be_reached_there_is_no_run(bench: Workbench) -> None:
    bench.device("board", 'address = { transport = "ssh", host = "127.0.0.1", port = 1 }\n')
    with pytest.raises(Unreachable):
        run(bench, bench.matrix("float32", devices=("board",)))
    assert not bench.reports.exists()


def test_outputs_at_a_shape_that_the_matrix_gives_are_compared_at_that_shape(bench: Workbench) -> None:
    (bench.folder / "net.tflite").write_bytes(chain_model(shape=(1, 4)))
    given = 'dataset = "random"\nsamples = 5\ninputs = [{ shape = [1, 7] }]'
    matrix = bench.matrix("float32", rounds=1, model=given)
    matrix.write_text(matrix.read_text().replace(f"{FAMILY}/fashion_mnist_float32.tflite", "net.tflite"))
    folder = run(bench, matrix)
    told = outcomes(folder)[-1]
    assert (told.status, told.accuracy["compared"], told.accuracy["broken"]) == ("ok", 5, 0), told.error
    assert float(told.accuracy["sqnr_db"] or 0) > 80
    with np.load(folder / str(told.outputs) / "outputs.npz") as archive:
        assert archive["output_0"].shape == (5, 7)


def test_what_cannot_be_profiled_is_skipped_with_the_reason_and_its_case_is_measured(bench: Workbench) -> None:
    (bench.folder / "net.tflite").write_bytes(chain_model(shape=(1, 4)))
    matrix = bench.matrix("float32", rounds=1, model="inputs = [{ shape = [1, 7] }]", measure="profile = true")
    matrix.write_text(matrix.read_text().replace(f"{FAMILY}/fashion_mnist_float32.tflite", "net.tflite"))
    told = {outcome.purpose: outcome for outcome in outcomes(run(bench, matrix))}
    assert {purpose: outcome.status for purpose, outcome in told.items()} == {"latency": "ok", "profile": "skipped"}
    assert "own input shapes" in str(told["profile"].error)
