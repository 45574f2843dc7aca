"""Runs from a matrix to a run folder on this machine: what is kept, what goes wrong, and how a run is completed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchbench import pipeline as api
from benchbench.analysis.frames import load
from benchbench.config.inventory import device_file, read_device
from benchbench.device.agent import SCRIPT
from benchbench.device.lock import Holder
from benchbench.device.session import open_session
from benchbench.execution.resumption import resumption_of
from benchbench.execution.scheduler import Event, Progressed, Started, Tell
from benchbench.execution.selection import Selection
from benchbench.plan import Plan
from benchbench.run_folder.journal import reopen
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.device import Device
from benchbench.values.errors import InputError, NothingToDo, ToolError, Unreachable
from tests.beds.delegate.build import compiler
from tests.beds.models import chain_model
from tests.beds.namespaces import can_mount
from tests.beds.sshd import Board
from tests.beds.waiting import becomes_true
from tests.workbench import FAMILY, Workbench, outcomes, planned


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


class Watched:
    """Keeps the plan and what was told."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.events: list[Event] = []

    def __call__(self, plan: Plan) -> AbstractContextManager[Tell]:
        self.plans.append(plan)
        return nullcontext(self.events.append)


def run(bench: Workbench, matrix: Path, watching: Watched | None = None, only: tuple[str, ...] = ()) -> Path:
    return api.run(
        matrix,
        inventory=bench.inventory,
        reports=bench.reports,
        selection=Selection(only=only),
        watching=watching or Watched(),
    )


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
    recorded = resumption_of(manifest, folder)
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


def library(folder: Path, name: str, body: str) -> Path:
    """A shared library that does something when it is loaded."""
    if compiler() is None:
        pytest.skip("there is no C compiler here")
    source, built = folder / f"{name}.c", folder / f"lib{name}.so"
    source.write_text(
        "#include <signal.h>\n#include <stdlib.h>\n#include <unistd.h>\n#include <stdio.h>\n"
        f"__attribute__((constructor)) static void loaded(void) {{ {body} }}\n"
    )
    subprocess.run([str(compiler()), "-shared", "-fPIC", "-o", str(built), str(source)], check=True)
    return built


def test_a_tool_that_crashes_hangs_or_babbles_fails_its_trial_only(bench: Workbench, tmp_path: Path) -> None:
    crash = library(tmp_path, "crash", 'fprintf(stderr, "driver: out of luck\\n"); abort();')
    hang = library(tmp_path, "hang", "for (;;) sleep(1);")
    quit_ = library(tmp_path, "quit", 'printf("\\x01\\xff all is well\\n"); fflush(0); _exit(0);')
    delegates = ", ".join(f'{{ kind = "external", path = "{path}" }}' for path in (crash, hang, quit_))
    matrix = bench.matrix("float32", delegates=f'["xnnpack", {delegates}]', rounds=1, measure="timeout_seconds = 30")
    by_delegate = {outcome.case.split("/")[2]: outcome for outcome in outcomes(run(bench, matrix))}
    assert by_delegate["xnnpack"].status == "ok"
    assert by_delegate["external:crash"].status == "failed"
    assert by_delegate["external:crash"].exit_code == 128 + signal.SIGABRT
    assert "SIGABRT" in str(by_delegate["external:crash"].error)
    assert by_delegate["external:hang"].status == "failed"
    assert "30 s" in str(by_delegate["external:hang"].error)
    assert by_delegate["external:quit"].status != "ok"
    assert by_delegate["external:quit"].measurement.timings.mean is None
    assert not bench.processes()


def test_a_delegation_that_is_required_and_not_full_fails_the_trial(bench: Workbench) -> None:
    folder = run(bench, bench.matrix(rounds=1, measure="require_delegation = true"))
    by_scheme = {outcome.variant: outcome for outcome in outcomes(folder)}
    assert by_scheme["fashion_mnist.float32"].status == "ok"
    partial = by_scheme["fashion_mnist.int8"]
    assert (partial.status, partial.delegation.verdict) == ("failed", "partial")
    assert str(partial.error).startswith("require_delegation: the verdict is partial: ")


def test_outputs_are_scored_after_the_run_as_outcomes_of_their_trials(bench: Workbench) -> None:
    folder = run(bench, bench.matrix(rounds=1, model=f'dataset = "{FAMILY}/test.npz"\nsamples = 100'))
    told = [outcome for outcome in outcomes(folder) if outcome.purpose == "accuracy"]
    latest = {outcome.variant: outcome for outcome in told}
    assert len(told) == 4  # taken back, then scored
    for outcome in latest.values():
        assert outcome.status == "ok"
        assert float(str(outcome.accuracy["top1"])) > 0.8


def test_a_device_that_cannot_be_reached_fails_its_trials_and_nobody_elses(bench: Workbench) -> None:
    (bench.folder / "known").touch()
    address = f'transport = "ssh", host = "127.0.0.1", port = 1, user = "x", known_hosts = "{bench.folder}/known"'
    bench.device("board", f"address = {{ {address} }}\n")
    folder = run(bench, bench.matrix("float32", devices=("host", "board")))
    told = outcomes(folder)
    assert {(o.device, o.status, o.transient) for o in told} == {("host", "ok", False), ("board", "failed", True)}
    error = next(outcome.error for outcome in told if outcome.device == "board")
    assert "board" in str(error) or "127.0.0.1" in str(error)
    with pytest.raises(Unreachable):
        api.resume(folder)
    assert len(outcomes(folder)) == len(told)


def test_where_nothing_can_be_reached_there_is_no_run(bench: Workbench) -> None:
    bench.device("board", 'address = { transport = "ssh", host = "127.0.0.1", port = 1 }\n')
    with pytest.raises(Unreachable):
        run(bench, bench.matrix("float32", devices=("board",)))
    assert not bench.reports.exists()


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


def lines(folder: Path) -> list[str]:
    return (folder / "outcomes.jsonl").read_text().splitlines(keepends=True)


def shortened(folder: Path, kept: int) -> None:
    (folder / "outcomes.jsonl").write_text("".join(lines(folder)[:kept]))


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


@pytest.mark.parametrize("purpose", ["latency", "accuracy"])
def test_files_gone_from_the_store_in_the_middle_of_a_run_are_put_there_again(bench: Workbench, purpose: str) -> None:
    model = 'dataset = "random"\nsamples = 4' if purpose == "accuracy" else ""
    matrix = bench.matrix("float32", "int8", rounds=3, model=model)

    class Emptying(Watched):
        def __call__(self, plan: Plan) -> AbstractContextManager[Tell]:
            def tell(event: Event) -> None:
                if isinstance(event, Started) and event.trial.position == (7 if purpose == "accuracy" else 3):
                    for file in (bench.work / "store").iterdir():
                        file.unlink()

            return nullcontext(tell)

    told = outcomes(run(bench, matrix, Emptying()))
    assert [outcome.status for outcome in told] == ["ok"] * len(told), [outcome.error for outcome in told]


def test_what_was_killed_or_found_no_room_is_tried_again_by_a_resume(bench: Workbench, tmp_path: Path) -> None:
    """Both happen until a file is there, as such things pass."""
    passed = tmp_path / "passed"
    there = f'access("{passed}", F_OK) != 0'
    killed = library(tmp_path, "killed", f"if ({there}) kill(getpid(), SIGKILL);")
    full = library(tmp_path, "full", f'if ({there}) {{ fprintf(stderr, "x: No space left on device\\n"); _exit(1); }}')
    delegates = ", ".join(f'{{ kind = "external", path = "{path}" }}' for path in (killed, full))
    folder = run(bench, bench.matrix("float32", delegates=f"[{delegates}]", rounds=1))
    first = outcomes(folder)
    assert [(outcome.status, outcome.transient, outcome.attempts) for outcome in first] == [("failed", True, 1)] * 2
    assert {"killed" in str(outcome.error) for outcome in first} == {True, False}
    assert all(outcome.remedy for outcome in first)
    assert all(outcome.log for outcome in first)
    passed.touch()
    api.resume(folder)
    again = outcomes(folder)[2:]
    assert {outcome.trial for outcome in again} == set(planned(folder))
    assert not any(outcome.transient for outcome in again)


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


@pytest.mark.parametrize("change", ["another", "gone"])
def test_a_run_is_not_resumed_with_a_model_that_is_another_by_now(bench: Workbench, change: str) -> None:
    model = bench.folder / "m.tflite"
    shutil.copy(FAMILY / "fashion_mnist_float32.tflite", model)
    matrix = bench.matrix("float32", rounds=2)
    matrix.write_text(matrix.read_text().replace(f"{FAMILY}/fashion_mnist_float32.tflite", "m.tflite"))
    folder = run(bench, matrix)
    shortened(folder, 1)
    if change == "gone":
        model.unlink()
    else:
        shutil.copy(FAMILY / "fashion_mnist_int8.tflite", model)
    with pytest.raises(InputError, match=r"m\.tflite: is (gone|not the file)"):
        api.resume(folder)
    assert len(outcomes(folder)) == 1


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


def test_what_a_tool_said_too_much_of_is_cut_and_its_case_says_so(bench: Workbench, tmp_path: Path) -> None:
    babbling = library(tmp_path, "babbling", 'for (int n = 0; n < 300000; n++) fprintf(stderr, "babble\\n");')
    matrix = bench.matrix("float32", delegates=f'[{{ kind = "external", path = "{babbling}" }}]', rounds=1)
    folder = run(bench, matrix)
    (told,) = outcomes(folder)
    assert any("bytes of output left out" in warning for warning in told.measurement.warnings)
    assert (folder / str(told.log)).stat().st_size < 2_500_000


@pytest.mark.parametrize("change", ["samples", "preprocessing"])
def test_a_run_is_not_resumed_with_a_dataset_that_is_another_by_now(bench: Workbench, change: str) -> None:
    shutil.copy(FAMILY / "test.npz", bench.folder / "mine.npz")
    folder = run(bench, bench.matrix("float32", rounds=1, model='dataset = "mine.npz"\nsamples = 3'))
    assert read_manifest(folder).datasets[0].preprocessing is None
    shortened(folder, 1)
    if change == "samples":
        shutil.copy(FAMILY / "calibration.npz", bench.folder / "mine.npz")
    else:
        (bench.folder / "mine.toml").write_text("mean = [127.5]\n")
    with pytest.raises(InputError, match=r"mine\.npz: (is|its preprocessing is) not what the run began with"):
        api.resume(folder)


def test_a_run_that_is_being_written_is_not_resumed(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32", rounds=1))
    journal = reopen(folder)
    with pytest.raises(InputError, match="another controller is writing this run"):
        api.resume(folder)
    journal.close()


@pytest.mark.parametrize(
    "key", ["variants", "cases", "trials", "skips", "devices", "measure", "datasets", "seed", "tool_choice"]
)
@pytest.mark.parametrize("value", [None, 3, "x", [{"family": "../.."}], {"a": 1}])
def test_a_damaged_manifest_is_one_line(bench: Workbench, key: str, value: object) -> None:
    folder = bench.folder / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"format": 1, key: value}))
    with pytest.raises(InputError, match=rf"run\.json: ({key}|does not hold a plan that can be resumed)") as told:
        api.resume(folder)
    assert told.value.remedy


def test_a_run_is_not_gone_on_with_by_another_tool(bench: Workbench) -> None:
    folder = run(bench, bench.matrix("float32"))
    manifest = json.loads((folder / "run.json").read_text())
    manifest["devices"][0]["tools"]["tflite"]["sha256"] = "ab" * 32
    (folder / "run.json").write_text(json.dumps(manifest))
    shortened(folder, 1)
    with pytest.raises(ToolError, match="host was measured with another tool"):
        api.resume(folder)
    assert len(lines(folder)) == 1


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


def test_a_full_disk_of_this_host_stops_the_run_in_one_line(bench: Workbench) -> None:
    if not can_mount():
        pytest.skip("mounting needs root")
    matrix = bench.matrix("float32", rounds=9)
    bench.reports.mkdir()
    mount = f"mount -t tmpfs -o size=40k small '{bench.reports}'"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{mount}; exec "$@"', "sh", *bench.command("run", str(matrix))],
        cwd=bench.folder,
        env=bench.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 6, done
    *told, last = done.stderr.splitlines()
    assert last.startswith("benchbench: ")
    assert "No space left on device" in last
    assert 1 <= len(told) < 9
    assert all("/xnnpack/t1/r" in line for line in told)
    assert not bench.processes()
