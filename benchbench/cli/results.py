"""Commands on results: report, compare, import."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from benchbench.cli import exit_codes
from benchbench.cli.options import AS_JSON, REPORTS, finish, load_run, print_json
from benchbench.values.errors import InputError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of the page.  [the run's own]"
)
def report(runs: tuple[Path, ...], out: Path | None) -> None:
    """Write HTML and PNG (again) from run folders."""
    if len(runs) > 1 and out is None:
        raise InputError("a report on several runs needs a folder of its own", remedy="give --out FOLDER")
    loaded = [load_run(folder) for folder in runs]
    from benchbench.analysis.recommend import recommend
    from benchbench.cli import progress as console
    from benchbench.cli import tables
    from benchbench.report import write_report  # takes seconds to import, and what was wrong is told by now

    click.echo(str(write_report(loaded, out or runs[0])))
    for run in loaded:  # talk: a script reads the page's path alone
        tables.show_recommendations(recommend(run.cases), console.err())


@click.command()
@click.argument("base", type=click.Path(path_type=Path, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, file_okay=False))
@click.option("--same-within", type=click.FloatRange(0, 1), default=0.03, help="What counts as the same.  [0.03]")
@AS_JSON
def compare(base: Path, new: Path, same_within: float, as_json: bool) -> None:
    """Show what got faster or slower between two runs, and why.

    Exit code 1 when a case got slower, fails now, lost its delegate, or is gone although nothing leaves it out on
    purpose; 3 when the runs have no case in common.
    """
    from benchbench.analysis.compare import as_json as comparison_as_json
    from benchbench.analysis.compare import compare as compared
    from benchbench.analysis.compare import regressions
    from benchbench.cli import tables

    frame = compared(load_run(base), load_run(new), same_within=same_within)
    if as_json:
        print_json(comparison_as_json(frame))
    else:
        tables.show_comparison(frame)
    sys.exit(exit_codes.REGRESSED if len(regressions(frame)) else exit_codes.DONE)


@click.command(name="import")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@REPORTS
@AS_JSON
def import_(logs: tuple[Path, ...], reports: Path, as_json: bool) -> None:
    """Make a run folder of output that others captured.

    LOGS are outputs of benchmark_model; - is stdin. With --json, no folder is made: one line for each launch.
    """
    from benchbench import pipeline as api
    from benchbench.cli import progress as console
    from benchbench.importing.logs import as_json as launch_as_json

    sources = [("stdin", sys.stdin.buffer.read()) if str(p) == "-" else p for p in logs]
    recorded, left_out = api.read_recorded(sources)
    for line in left_out:
        console.err().print(f"left out: {line}", markup=False)
    if as_json:
        for one in recorded:
            print_json(launch_as_json(one.launch, one.source, one.index))
        return
    finish(api.import_logs(recorded, reports), measured=False)
