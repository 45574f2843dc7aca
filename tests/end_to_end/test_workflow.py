"""The GitHub Actions workflow of reports/README.md: its steps run here as a runner would, on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import yaml

from benchbench.cli.main import cli
from benchbench.run_folder.baselines import baseline, set_baseline
from tests.workbench import Workbench

README = (Path(__file__).parents[2] / "reports" / "README.md").read_text(encoding="utf-8")


def workflow() -> dict[Any, Any]:
    found = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert found
    parsed: dict[Any, Any] = yaml.safe_load(found[1])
    return parsed


def steps() -> list[dict[str, Any]]:
    (job,) = workflow()["jobs"].values()
    listed: list[dict[str, Any]] = job["steps"]
    return listed


@dataclass
class Runner:
    """Runs the `run:` steps of the job in a checkout as GitHub's runner does on Linux: bash -e, and its files."""

    bench: Workbench
    ref: str
    event: str

    def wanted(self, condition: str | None, failed: bool, run: str) -> bool:
        """Of the expression, which has a status check of its own or an implicit success()."""
        known = {"github.ref": self.ref, "github.event_name": self.event, "env.RUN": run}
        terms = (condition or "success()").removeprefix("${{").removesuffix("}}").strip().split(" && ")
        if "!cancelled()" not in terms and failed:
            return False
        compared = [re.fullmatch(r"(\S+) ([!=]=) '(.*)'", term) for term in terms if not term.endswith("()")]
        return all(one is not None and (known[one[1]] == one[3]) == (one[2] == "==") for one in compared)

    def job(self) -> dict[str, int]:
        """The exit code of each step that ran, by its name."""
        environment = self.bench.environment | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "BENCHBENCH_REPORTS": str(self.bench.reports),  # instead of the README's
            "GITHUB_EVENT_PATH": str(self.bench.folder / "event.json"),
            "GITHUB_ENV": str(self.bench.folder / "github.env"),
            "GITHUB_STEP_SUMMARY": str(self.bench.folder / "summary.md"),
        }
        for name in ("GITHUB_EVENT_PATH", "GITHUB_ENV"):  # the runner makes them anew for each job
            Path(environment[name]).write_text("")
        codes: dict[str, int] = {}
        for step in steps():
            failed = any(codes.values())
            if "run" not in step or not self.wanted(step.get("if"), failed, environment.get("RUN", "")):
                continue
            script = self.bench.folder / "step.sh"
            script.write_text(step["run"])
            shell = ["bash", "-e", str(script)]
            done = subprocess.run(shell, cwd=self.bench.folder, env=environment, capture_output=True, check=False)
            codes[step["name"]] = done.returncode
            told = Path(environment["GITHUB_ENV"]).read_text()
            environment |= dict(line.split("=", 1) for line in told.splitlines())
        return codes


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = Workbench(tmp_path)
    made.matrix("int8", rounds=6)
    return made


def test_every_step_is_named_or_uses_a_released_action_and_its_commands_exist() -> None:
    document = workflow()
    assert {"pull_request", "push"} <= set(document[True])  # YAML 1.1 reads `on` as a truth
    for step in steps():
        assert step["name"] if "run" in step else re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
        for command in re.findall(r"\bbenchbench (\w+)", step.get("run", "")):
            assert command in cli.commands


def test_main_becomes_the_baseline_and_a_pull_request_is_held_against_it(bench: Workbench) -> None:
    codes = Runner(bench, "refs/heads/main", "push").job()
    assert codes == dict.fromkeys(("Measure", "Find the run", "Compare others with this run of main from now on"), 0)
    (base,) = baseline("main", bench.reports)

    codes = Runner(bench, "refs/pull/1/merge", "pull_request").job()

    # The machine may be slower by now for reasons of its own; what the summary says and the exit code are one.
    assert (codes["Measure"], codes["Find the run"]) == (0, 0)
    report = Xml.parse(bench.folder / "compare.xml").getroot()
    failures = list(report.iter("failure"))
    untold = len(list(report.iter("skipped"))) == 1 and "no headline" in (bench.folder / "compare.xml").read_text()
    assert codes["Compare with main"] == (1 if failures else 3 if untold else 0)
    assert [case.get("name") for case in report.iter("testcase")] == ["host/fashion_mnist.int8/xnnpack/t1"]
    summary = (bench.folder / "summary.md").read_text()
    assert "host/fashion_mnist.int8/xnnpack/t1" in summary
    assert baseline("main", bench.reports) == (base,)
    assert len([path for path in bench.reports.iterdir() if path.is_dir()]) == 2


def test_a_run_beyond_its_budget_ends_the_job_and_is_compared_all_the_same(bench: Workbench) -> None:
    base = bench.run(bench.folder / "matrix.toml")
    set_baseline("main", [base], bench.reports)
    matrix = bench.folder / "matrix.toml"
    matrix.write_text(matrix.read_text() + "[[budget]]\nmax = { median_ms = 0.000001 }\n")
    codes = Runner(bench, "refs/pull/1/merge", "pull_request").job()
    assert (codes["Measure"], codes["Find the run"]) == (1, 0)
    assert "Compare with main" in codes
    newest = max(path for path in bench.reports.iterdir() if path.is_dir())
    assert (bench.folder / "github.env").read_text() == f"RUN={newest}\n"
    assert "host/fashion_mnist.int8/xnnpack/t1" in (bench.folder / "summary.md").read_text()


def test_a_job_without_a_run_compares_none_of_before(bench: Workbench) -> None:
    base = bench.run(bench.folder / "matrix.toml")
    set_baseline("main", [base], bench.reports)
    (bench.folder / "matrix.toml").write_text("name = 3\n")
    assert Runner(bench, "refs/pull/1/merge", "pull_request").job() == {"Measure": 2, "Find the run": 0}
