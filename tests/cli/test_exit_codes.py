"""Exit codes: one for each kind of error, told in --help and the README."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from pathlib import Path

import click
import pytest

import benchbench.values.errors
from benchbench.cli.exit_codes import MEANINGS, exit_code
from benchbench.values.errors import (
    BenchbenchError,
    DeviceBusy,
    HostError,
    InputError,
    NothingToDo,
    ToolError,
    file_error,
)
from benchbench.values.outcome import Outcome
from tests.report.builder import launches, write_run
from tests.workbench import Workbench


def every_error(kind: type[BenchbenchError] = BenchbenchError) -> set[type[BenchbenchError]]:
    return {found for below in kind.__subclasses__() for found in ({below} | every_error(below))}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 2),
        (click.UsageError("x"), 2),
        (click.FileError("x"), 2),
        (NothingToDo("x"), 3),
        (DeviceBusy("x"), 4),
        (ToolError("x"), 5),
        (HostError("x"), 6),
        (MemoryError(), 6),
        (OSError(errno.ENOSPC, "x"), 6),
        (KeyboardInterrupt(), 130),
        (KeyError("x"), 70),
    ],
)
def test_each_kind_of_error_has_a_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_every_error_has_a_code_that_is_no_regression_and_no_fault_of_ours() -> None:
    kinds = [kind for kind in every_error() if kind.__module__ == benchbench.values.errors.__name__]
    assert len(kinds) >= 11
    assert all(exit_code(kind("x")) in range(2, 7) for kind in kinds)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, HostError), (errno.EDQUOT, HostError), (errno.EMFILE, HostError), (errno.EACCES, InputError)],
)
def test_a_full_disk_is_no_mistake_in_a_path(number: int, kind: type[BenchbenchError]) -> None:
    assert type(file_error(OSError(number, os.strerror(number)), "out: cannot be written")) is kind


def test_help_and_readme_name_every_code(tmp_path: Path) -> None:
    told = Workbench(tmp_path).benchbench("--help").stdout
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for code, words in MEANINGS.items():
        assert f"  {code} " in told
        assert words in " ".join(told.split())  # it is wrapped
        assert f"| {code} |" in readme


def tight(bench: Workbench, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command where no file may grow beyond 2 kB, which is as good as a full disk.

    It compiles no module: Python keeps what it could write of one, and whoever comes next cannot import it.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    return subprocess.run(
        bench.command(*arguments),
        cwd=bench.folder,
        env=bench.environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )


def few() -> list[Outcome]:
    return launches([10.0, 10.1, 9.9])


def test_a_report_that_does_not_fit_on_the_disk_is_this_host_s_fault(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    write_run(tmp_path / "a", few())
    done = tight(bench, "report", "a", "--out", "page")
    assert done.returncode == 6, done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_journal_that_does_not_fit_on_the_disk_is_this_host_s_fault(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    said = "Inference timings in us: Init: 1000, First inference: 20, Warmup (avg): 30, Inference (avg): 40\n"
    (tmp_path / "many.log").write_text(20 * said)
    done = tight(bench, "import", "many.log")
    assert done.returncode == 6, done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_command_the_help_is_shown_as_it_stands(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    told = bench.benchbench(expect=2).stderr
    assert told == bench.benchbench("--help").stdout


def test_a_device_that_cannot_be_cleaned_is_told_by_the_exit_code(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.device("board", 'address = { transport = "ssh", host = "127.0.0.1", port = 1 }\n')
    bench.benchbench("devices", "--clean", "board", expect=4)
