"""Runs of a workbench from Python, what is told of them, and what stands in their folders."""

from __future__ import annotations

import subprocess
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.execution.scheduler import Event, Tell
from benchbench.execution.selection import Selection
from benchbench.plan import Plan
from tests.beds.delegate.build import compiler
from tests.workbench import Workbench


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


def lines(folder: Path) -> list[str]:
    return (folder / "outcomes.jsonl").read_text().splitlines(keepends=True)


def shortened(folder: Path, kept: int) -> None:
    (folder / "outcomes.jsonl").write_text("".join(lines(folder)[:kept]))
