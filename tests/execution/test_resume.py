"""A run that is gone on with: what is missing, or failed for a reason that may have passed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from benchbench import pipeline as api
from benchbench.analysis.frames import load
from benchbench.config.inventory import device_file, read_device
from benchbench.device.session import open_session
from benchbench.execution.scheduler import Progressed
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.device import Device
from benchbench.values.errors import NothingToDo
from tests.beds.sshd import Board
from tests.beds.waiting import becomes_true
from tests.execution.runs import Watched, lines, run, shortened
from tests.workbench import FAMILY, Workbench, outcomes, planned


def test_a_complete_run_has_nothing_to_resume_once_its_page_is_made(bench: Workbench) -> None:
    matrix = bench.matrix("float32", rounds=1)
    folder = run(bench, matrix)
    bench.benchbench("run", "--resume", str(folder))
    assert (folder / "index.html").is_file()
    assert len(outcomes(folder)) == 1
    with pytest.raises(NothingToDo, match="every trial is done"):
        api.resume(folder)
    os.utime(folder / "index.html", (1, 1))  # an outcome came after the page
    bench.benchbench("run", "--resume", str(folder))
    assert (folder / "index.html").stat().st_mtime > 1


def test_a_damaged_line_costs_its_trial_which_a_resume_does_again(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32", rounds=4))
    text = lines(folder)
    (folder / "outcomes.jsonl").write_text(f"{text[0]}{text[1][:-1]}{text[2]}\n{text[3]}")
    done = bench.benchbench("run", "--resume", str(folder))
    assert sorted(outcome.trial for outcome in outcomes(folder)) == sorted(planned(folder))
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert [f"outcomes.jsonl:{number}: is" in note for number, note in zip((2, 3), notes, strict=True)] == [True, True]


def test_an_outcome_that_no_plan_knows_is_told(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32", rounds=2))
    text = lines(folder)
    strange = json.loads(text[1]) | {
        "trial": "host/other.x/cpu/t1/r1",
        "case": "host/other.x/cpu/t1",
        "variant": "other.x",
    }
    (folder / "outcomes.jsonl").write_text(text[0] + json.dumps(strange | {"outputs": "outputs/none"}) + "\n")
    done = bench.benchbench("run", "--resume", str(folder))
    assert {outcome.trial for outcome in outcomes(folder)} == {*planned(folder), "host/other.x/cpu/t1/r1"}
    (note,) = (line for line in done.stderr.splitlines() if line.startswith("note: "))
    assert "host/other.x/cpu/t1/r1" in note


def test_a_resumed_run_does_what_is_missing_in_the_order_of_the_plan_and_no_more(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32", rounds=4))
    shortened(folder, 1)
    kept = lines(folder)
    watched = Watched()
    assert api.resume(folder, watching=watched) == folder
    assert lines(folder)[:1] == kept
    assert [outcome.trial for outcome in outcomes(folder)] == planned(folder)
    assert [trial.id for trial in watched.plans[0].trials] == planned(folder)[1:]


def test_a_trial_that_failed_for_a_reason_that_may_pass_is_tried_again(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32", rounds=2))
    text = lines(folder)
    told = json.loads(text[0]) | {"status": "failed", "transient": True}
    (folder / "outcomes.jsonl").write_text(json.dumps(told) + "\n" + text[1])
    api.resume(folder)
    assert [(o.trial, o.status) for o in outcomes(folder)] == [
        (planned(folder)[0], "failed"),
        (planned(folder)[1], "ok"),
        (planned(folder)[0], "ok"),
    ]


def test_a_device_in_use_when_the_run_began_is_had_by_a_resume(bench: Workbench, board: Board) -> None:
    there = device_file(Device(name="board", address=board.address))
    bench.device("board", f'{there}workdir = "{board.workdir}/work"\npython = "{sys.executable}"\n')
    matrix = bench.matrix("float32", rounds=1, devices=("host", "board"))
    with open_session(read_device(bench.inventory / "board.toml")):
        folder = run(bench, matrix)
    assert {(o.device, o.status, o.transient) for o in outcomes(folder)} == {
        ("host", "ok", False),
        ("board", "failed", True),
    }
    in_use = read_manifest(folder).devices[1]
    api.resume(folder)
    assert [(o.device, o.status) for o in outcomes(folder)[2:]] == [("board", "ok")]
    board_now = read_manifest(folder).devices[1]
    assert (bool(in_use.error), in_use.tools, board_now.error) == (True, {}, None)
    assert board_now.tools["tflite"].sha256
    assert (board_now.spec, board_now.file) == (in_use.spec, in_use.file)


def test_a_resume_scores_what_an_interrupted_run_took_back_and_by_the_same_reference(bench: Workbench) -> None:
    matrix = bench.matrix("float32", "int8", rounds=1, model='dataset = "random"\nsamples = 4')
    folder = run(bench, matrix, only=("*int8*",))
    whole = outcomes(folder)
    assert whole[-1].accuracy
    shortened(folder, len(whole) - 1)
    api.resume(folder)
    assert outcomes(folder)[-1].accuracy == whole[-1].accuracy
    shortened(folder, len(whole) - 2)
    api.resume(folder)
    assert set(outcomes(folder)[-1].accuracy) == set(whole[-1].accuracy)


def test_a_run_of_format_1_is_gone_on_with(bench: Workbench) -> None:
    folder = run(bench, bench.matrix(top='skip = [{ threads = 1, scheme = "int8" }]'))
    whole = lines(folder)
    manifest = json.loads((folder / "run.json").read_text())
    cases = [{key: value for key, value in skip["case"].items() if key != "id"} for skip in manifest["skips"]]
    skips = [case | skip | {"case": skip["case"]["id"]} for case, skip in zip(cases, manifest["skips"], strict=True)]
    (folder / "run.json").write_text(json.dumps(manifest | {"format": 1, "skips": skips}))
    first = json.loads(whole[0])
    first["measurement"]["timings"]["samples"] = [1000.0] * first["measurement"]["runs"]
    (folder / "outcomes.jsonl").write_text(json.dumps(first) + "\n")
    shutil.rmtree(folder / "series")
    api.resume(folder)
    assert json.loads((folder / "run.json").read_text())["skips"] == manifest["skips"]
    found = load(folder)
    assert [outcome.trial for outcome in found.outcomes] == planned(folder)
    assert found.series.keys() == {outcome.trial for outcome in found.outcomes}


def under_way(bench: Workbench, count: int) -> bool:
    """Whether so many outcomes are written, and the next trial runs."""
    if not bench.reports.exists() or not any(bench.reports.iterdir()):
        return False
    journal = bench.latest() / "outcomes.jsonl"
    return journal.exists() and journal.read_text().count("\n") >= count and bool(bench.processes())


def test_a_killed_run_is_completed_without_repeating_a_finished_trial(bench: Workbench) -> None:
    matrix = bench.matrix("float32", rounds=5)
    command = bench.begin("run", str(matrix))
    assert becomes_true(lambda: under_way(bench, 2))
    command.kill()
    command.communicate()
    folder = bench.latest()
    before = lines(folder)
    assert len(before) >= 2
    api.resume(folder)
    assert lines(folder)[: len(before)] == before
    assert [outcome.trial for outcome in outcomes(folder)] == planned(folder)
    assert becomes_true(lambda: not bench.processes())
    assert any("its holder has ended" in note for note in read_manifest(folder).notes)


def test_an_evaluation_whose_controller_was_killed_goes_on_where_it_was(bench: Workbench) -> None:
    # Launches so short that there are many of them; their limit, which is another, only guards against hangs.
    dataset = f'dataset = "{FAMILY}/test.npz"'
    matrix = bench.matrix("int16x8", "float32", rounds=1, model=dataset, measure="timeout_seconds = 300")
    short = "from benchbench.accuracy.collect import with_script; with_script.LAUNCH_SECONDS = 0.25"
    program = f"{short}; from benchbench.cli.main import main; main()"
    command = subprocess.Popen(
        [sys.executable, "-c", program, "run", str(matrix), "--only", "*int16x8*"],
        cwd=bench.folder,
        env=bench.environment,
    )
    parts = bench.reports.glob
    assert becomes_true(lambda: len(list(parts("*/outputs/*int16x8*/parts/*.json"))) >= 2)
    command.kill()
    command.communicate()
    folder = bench.latest()
    assert [outcome.purpose for outcome in outcomes(folder)] == ["latency"]
    kept = sorted(folder.glob("outputs/*int16x8*/parts/*.json"))
    watched = Watched()
    api.resume(folder, watching=watched)
    outcome = outcomes(folder)[-1]
    assert (outcome.status, outcome.accuracy["n"]) == ("ok", 2000)
    again = (folder / str(outcome.log)).read_text().count("== sample ")
    told = [event for event in watched.events if isinstance(event, Progressed)]
    assert len(told) - again >= len(kept) >= 2
    assert told[-1].samples == told[-1].of == 2000
    assert not list(folder.glob("outputs/*/parts"))
    assert not (folder / "samples").exists()
