"""Commands as their users run them: help, plans, devices, runs and how they end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchbench.cli.main import cli
from benchbench.values.formatting import duration
from tests.beds.adb_server import AdbServerProcess
from tests.beds.waiting import becomes_true
from tests.cli.conftest import Said
from tests.workbench import FAMILY, Workbench, outcomes, planned


def test_help_waits_for_no_library_that_it_does_not_need() -> None:
    """It takes 0.06 s of CPU; what could make it slow is to import what only commands need."""
    script = (
        "import sys; from benchbench.cli.main import cli; cli.main(['--help'], standalone_mode=False);"
        "print(*({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.splitlines()[-1].split() if not name.startswith("_")}
    assert loaded == {"benchbench", "click"}


@pytest.mark.parametrize("arguments", [["plan", "typo.toml"], ["compare", "."]])
def test_what_is_wrong_is_told_before_frames_and_statistics_are_loaded(tmp_path: Path, arguments: list[str]) -> None:
    """They take more than a second of CPU."""
    (tmp_path / "typo.toml").write_text("name = 'x'\nthread = [1]\n")
    assert loaded(tmp_path, *arguments) == (2, set())


def test_a_plan_does_without_frames_figures_links_and_runtimes(bench: Workbench) -> None:
    """Frames alone would take a quarter of its time; of scipy it has the functions behind what it could find."""
    assert loaded(bench.folder, "plan", str(bench.matrix())) == (0, {"scipy"})


SLOW = {
    *("pandas", "pyarrow", "scipy", "scipy.optimize", "scipy.stats", "matplotlib", "vl_convert", "jinja2", "PIL"),
    *("adbutils", "paramiko", "ai_edge_litert.interpreter", "onnx", "onnxruntime", "pycocotools", "tensorflow"),
}


def loaded(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command, and which slow libraries it has imported."""
    script = (
        "import sys\nfrom benchbench.cli.main import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    print()\n    print(end.code, *sys.modules)"
    )
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    code, *modules = done.stdout.splitlines()[-1].split()
    return int(code), SLOW & set(modules)


def test_help_tells_of_every_command_in_a_whole_line(said: Said) -> None:
    _, stdout, _ = said("--help")
    commands = stdout[stdout.index("Commands:") : stdout.index("Exit codes:")]
    told = re.findall(r"^  ([a-z]+) +(\S.*)$", commands, re.MULTILINE)
    assert [name for name, _ in told] == list(cli.commands)
    assert [line for _, line in told if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize("command", list(cli.commands))
def test_every_command_explains_itself(said: Said, command: str) -> None:
    code, stdout, _ = said(command, "--help")
    assert code == 0
    assert stdout.startswith("Usage:")


def test_a_plan_is_shown_without_touching_a_device(bench: Workbench, said: Said) -> None:
    code, stdout, stderr = said("plan", str(bench.matrix(top="threads = [1, 2]")), "--seed", "7")
    assert code == 0
    assert stdout.splitlines() == [
        f"host/fashion_mnist.{scheme}/xnnpack/t{threads}" for scheme in ("float32", "int8") for threads in (1, 2)
    ]
    assert "host: 4 cases x 2 rounds = 8 trials, at least" in stderr
    assert "seed 7" in stderr
    assert not bench.work.exists()


def test_a_plan_adds_this_machine_after_the_longest_of_the_others(bench: Workbench, said: Said) -> None:
    for name in ("pi4", "pi5"):
        bench.device(name, f'address = {{ transport = "ssh", host = "{name}" }}\n')
    matrix = bench.matrix(devices=("host", "pi4", "pi5"), rounds=9)
    matrix.write_text(f'{matrix.read_text()}[[skip]]\ndevice = "pi4"\nscheme = "int8"\n')
    told = json.loads(said("plan", str(matrix), "--json")[1])
    host, pi5 = (told["at_least_seconds"][name] for name in ("host", "pi5"))
    assert told["at_least_seconds"]["pi4"] < pi5
    assert told["at_least_seconds_in_all"] == host + pi5
    stderr = said("plan", str(matrix))[2]
    assert (
        f"devices run side by side, this machine runs after the others: at least {duration(host + pi5)} in all"
        in stderr
    )
    alone = said("plan", str(matrix), "--only", "host/*")[2]
    assert "side by side" not in alone
    assert f"at least {duration(host)} in all" in alone


def test_a_plan_as_json_is_json_and_the_same_for_the_same_seed(bench: Workbench, said: Said) -> None:
    matrix = str(bench.matrix(top="threads = [1, 2]"))
    _, first, stderr = said("plan", matrix, "--seed", "7", "--json", "--skip", "*/t2")
    _, second, _ = said("plan", matrix, "--seed", "7", "--json", "--skip", "*/t2")
    plan = json.loads(first)
    assert first == second
    assert (len(plan["cases"]), len(plan["trials"]), plan["skips"]) == (2, 4, [])
    assert plan["selection"] == {"only": [], "skip": ["*/t2"], "of": 4}
    assert not stderr.strip()


def test_a_plan_with_a_probe_says_what_each_device_has(bench: Workbench, said: Said) -> None:
    code, stdout, stderr = said("plan", str(bench.matrix(delegates='["xnnpack", "nnapi"]')), "--probe")
    assert code == 0
    assert "nnapi" not in stdout
    assert "skipped  host/fashion_mnist.float32/nnapi/t1: " in stderr
    assert bench.work.exists()


def test_devices_as_json_tell_state_traits_and_what_can_run_there(
    bench: Workbench, said: Said, adb_server: AdbServerProcess
) -> None:
    bench.device("board", 'address = { transport = "ssh", host = "127.0.0.1", port = 1 }\n')
    code, stdout, _ = said("devices", "--json")
    assert code == 0
    board, host = json.loads(stdout)
    assert (board["name"], board["state"], board["traits"]) == ("board", "unreachable", None)
    assert (host["name"], host["state"], host["runner"]) == ("host", "ready", "python")
    assert host["delegates"]["xnnpack"] == {"possible": True, "reason": None}
    assert host["delegates"]["nnapi"]["reason"]
    assert host["traits"]["clusters"]


def test_devices_shows_a_table_with_the_reasons(bench: Workbench, said: Said, adb_server: AdbServerProcess) -> None:
    code, stdout, _ = said("devices")
    assert code == 0
    assert "ready" in stdout
    assert "no nnapi: " in stdout
    code, _, stderr = said("devices", "--clean")
    assert code == 0
    assert f"host: removed {bench.work}" in stderr
    assert not bench.work.exists()


def test_a_run_ends_with_a_table_a_page_and_exit_code_1_where_trials_failed(
    bench: Workbench,
) -> None:
    matrix = bench.matrix("float32", "int8", rounds=1, measure="require_delegation = true")
    done = bench.benchbench("run", str(matrix), expect=1)
    folder = bench.latest()
    assert "host/fashion_mnist.float32/xnnpack/t1" in done.stdout
    assert "[2/2] host/fashion_mnist." in done.stderr
    assert "FAILED: require_delegation: the verdict is partial" in done.stderr
    assert "1 of 2 trials failed" in done.stderr
    assert f"report: reports/{folder.name}/index.html" in done.stderr
    kept = {path.name for path in folder.iterdir()}
    assert kept >= {"run.json", "outcomes.jsonl", "logs", "index.html", "figures", "results.csv", "results.parquet"}
    assert "\x1b" not in done.stdout + done.stderr


def test_ctrl_c_stops_at_once_says_how_to_resume_and_leaves_nothing_on_the_device(bench: Workbench) -> None:
    matrix = bench.matrix("float32", rounds=50)
    # Long enough to be seen at work, however slowly /proc is read.
    matrix.write_text(matrix.read_text().replace("\nmin_seconds = 0\n", "\nmin_seconds = 1\n"))
    command = bench.begin("run", str(matrix))

    def under_way() -> bool:
        journals = list(bench.reports.glob("*/outcomes.jsonl")) if bench.reports.exists() else []
        return any(journal.read_text().count("\n") >= 1 for journal in journals) and bool(bench.processes())

    assert becomes_true(under_way)
    began = time.monotonic()
    command.send_signal(signal.SIGINT)
    _, stderr = command.communicate(timeout=120)
    folder = bench.latest()
    assert command.returncode == 130
    assert time.monotonic() - began < 100
    assert stderr.splitlines()[-1] == (
        f"benchbench: interrupted (resume with: benchbench run --resume reports/{folder.name})"
    )
    assert "Traceback" not in stderr
    assert becomes_true(lambda: not bench.processes())
    assert not (bench.work / "lock").exists()
    assert list((bench.work / "jobs").iterdir()) == []
    told = outcomes(folder)
    assert 1 <= len(told) < 50
    assert all(outcome.status == "ok" for outcome in told)
    assert [outcome.trial for outcome in told] == planned(folder)[: len(told)]


def test_a_reader_that_leaves_early_is_no_mistake(bench: Workbench) -> None:
    matrix = bench.matrix(top="threads = [1, 2, 3, 4, 5, 6, 7, 8]")
    command = bench.begin("plan", str(matrix))
    assert command.stdout is not None
    command.stdout.close()
    assert command.stderr is not None
    stderr = command.stderr.read()
    command.stderr.close()
    assert command.wait() == 141
    assert not stderr.strip()


def test_a_run_in_which_no_scored_case_ran_as_asked_still_has_its_table_and_its_page(bench: Workbench) -> None:
    matrix = bench.matrix("int16x8", rounds=1, model=f'dataset = "{FAMILY}/test.npz"\nsamples = 20')
    done = bench.benchbench("run", str(matrix))
    assert "cpu (xnnpack took nothing)" in done.stdout
    assert "fashion_mnist: scoring 1 case …" in done.stderr
    page = (bench.latest() / "index.html").read_text(encoding="utf-8")
    assert "Nothing can be recommended: no case has a number that ran where it was asked to" in page
    assert "Classes" in page
