"""A folder with an inventory, a matrix of quick trials and a place for runs; and the command line in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchbench.run_folder.journal import read_outcomes
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.outcome import Outcome

FAMILY = Path(__file__).parents[1] / "benchbench" / "demo" / "fashion_mnist"
QUICK = "rounds = {rounds}\nruns = {runs}\nmin_seconds = 0\nwarmup_runs = 1\nwarmup_min_seconds = 0\n"
NO_CANARY = "canary = false\n"


@dataclass(frozen=True)
class Workbench:
    """`host` is this machine, with a work folder of its own."""

    folder: Path

    def __post_init__(self) -> None:
        self.device("host", f'address = {{ transport = "local" }}\nworkdir = "{self.work}"\n')

    @property
    def work(self) -> Path:
        return self.folder / "host work"

    @property
    def inventory(self) -> Path:
        return self.folder / "devices"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def device(self, name: str, text: str) -> None:
        self.inventory.mkdir(exist_ok=True)
        (self.inventory / f"{name}.toml").write_text(text)

    def matrix(
        self,
        *schemes: str,
        devices: tuple[str, ...] = ("host",),
        delegates: str = '["xnnpack"]',
        rounds: int = 2,
        runs: int = 2,
        measure: str = "",
        model: str = "",
        top: str = "",
        canary: bool = False,
    ) -> Path:
        """Schemes of the shipped family; `measure`, `model` and `top` are further lines of those tables."""
        files = ", ".join(f'"{FAMILY}/fashion_mnist_{scheme}.tflite"' for scheme in schemes or ("float32", "int8"))
        path = self.folder / "matrix.toml"
        path.write_text(
            f'name = "test"\ndevices = [{", ".join(map(repr, devices))}]\ndelegates = {delegates}\n{top}\n'
            f'[[model]]\nfamily = "fashion_mnist"\nvariants = [{files}]\n{model}\n'
            f"[measure]\n{QUICK.format(rounds=rounds, runs=runs)}{'' if canary else NO_CANARY}{measure}\n"
        )
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "benchbench.cli.main", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"BENCHBENCH_CACHE": str(self.folder / "cache")}

    def benchbench(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,  # against hangs only
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def run(self, matrix: Path, *only: str, seed: int | None = None) -> Path:
        """A run from Python: its folder, without a page. In a third of the time that a command takes."""
        from benchbench.execution.selection import Selection
        from benchbench.pipeline import run

        selection = Selection(only=only, seed=seed)
        return run(matrix, inventory=self.inventory, reports=self.reports, selection=selection)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """The command line, running by itself."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def latest(self) -> Path:
        return max(self.reports.iterdir(), key=lambda folder: folder.name)

    def processes(self) -> list[int]:
        """What runs in the host's work folder."""
        found = []
        for cwd in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if str(cwd.readlink()).startswith(str(self.work)):
                    found.append(int(cwd.parent.name))
            except OSError:
                continue
        return found


def outcomes(folder: Path) -> list[Outcome]:
    return list(read_outcomes(folder))


def planned(folder: Path) -> list[str]:
    """The trials of a run, in the order of its plan."""
    return [trial.id for trial in read_manifest(folder).trials]
