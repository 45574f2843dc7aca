"""What goes wrong with a launch, a device, the store or a disk, and what it costs."""

from __future__ import annotations

import signal
import subprocess
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.execution.scheduler import Event, Started, Tell
from benchbench.plan import Plan
from benchbench.values.errors import Unreachable
from tests.beds.namespaces import can_mount
from tests.execution.runs import Watched, library, run
from tests.workbench import Workbench, outcomes, planned


def test_a_tool_that_crashes_or_ends_without_a_word_fails_its_trial_only(bench: Workbench, tmp_path: Path) -> None:
    crash = library(tmp_path, "crash", 'fprintf(stderr, "driver: out of luck\\n"); abort();')
    quit_ = library(tmp_path, "quit", 'printf("\\x01\\xff all is well\\n"); fflush(0); _exit(0);')
    delegates = ", ".join(f'{{ kind = "external", path = "{path}" }}' for path in (crash, quit_))
    matrix = bench.matrix("float32", delegates=f'["xnnpack", {delegates}]', rounds=1)
    by_delegate = {outcome.case.split("/")[2]: outcome for outcome in outcomes(run(bench, matrix))}
    assert by_delegate["xnnpack"].status == "ok"
    assert by_delegate["external:crash"].status == "failed"
    assert by_delegate["external:crash"].exit_code == 128 + signal.SIGABRT
    assert "SIGABRT" in str(by_delegate["external:crash"].error)
    assert by_delegate["external:quit"].status != "ok"
    assert by_delegate["external:quit"].measurement.timings.mean is None
    assert not bench.processes()


def test_a_tool_that_hangs_is_killed_at_its_limit_and_the_next_trial_begins(bench: Workbench, tmp_path: Path) -> None:
    hang = library(tmp_path, "hang", "for (;;) sleep(1);")
    delegate = f'[{{ kind = "external", path = "{hang}" }}]'
    told = outcomes(run(bench, bench.matrix("float32", delegates=delegate, measure="timeout_seconds = 2")))
    assert [outcome.status for outcome in told] == ["failed"] * 2
    assert all("2 s" in str(outcome.error) for outcome in told)
    assert not bench.processes()


def test_a_delegation_that_is_required_and_not_full_fails_the_trial(bench: Workbench) -> None:
    folder = run(bench, bench.matrix(rounds=1, measure="require_delegation = true"))
    by_scheme = {outcome.variant: outcome for outcome in outcomes(folder)}
    assert by_scheme["fashion_mnist.float32"].status == "ok"
    partial = by_scheme["fashion_mnist.int8"]
    assert (partial.status, partial.delegation.verdict) == ("failed", "partial")
    assert str(partial.error).startswith("require_delegation: the verdict is partial: ")


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


def test_what_a_tool_said_too_much_of_is_cut_and_its_case_says_so(bench: Workbench, tmp_path: Path) -> None:
    babbling = library(tmp_path, "babbling", 'for (int n = 0; n < 300000; n++) fprintf(stderr, "babble\\n");')
    matrix = bench.matrix("float32", delegates=f'[{{ kind = "external", path = "{babbling}" }}]', rounds=1)
    folder = run(bench, matrix)
    (told,) = outcomes(folder)
    assert any("bytes of output left out" in warning for warning in told.measurement.warnings)
    assert (folder / str(told.log)).stat().st_size < 2_500_000


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
