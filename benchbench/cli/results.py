"""Commands on results: report, compare, import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbench.cli import exit_codes
from benchbench.cli.options import AS_JSON, REPORTS, Number, finish, load_run, print_json, some_of, words
from benchbench.values.errors import InputError, file_error

if TYPE_CHECKING:
    from benchbench.analysis.exports import Format


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of the page.  [the run's own]"
)
@click.option("--figures", "names", callback=words, metavar="NAME,…", help="Only these figures.  [all there are]")
@click.option(
    "--format", "formats", callback=some_of("png", "svg", "pdf"), default="png", help="Of figures: png,svg,pdf.  [png]"
)
@click.option("--theme", "themes", callback=some_of("light", "dark"), default="light", help="light,dark.  [light]")
@click.option(
    "--size", "sizes", callback=some_of("page", "slide", "paper"), default="page", help="page,slide,paper.  [page]"
)
def report(runs: tuple[Path, ...], out: Path | None, **files: Any) -> None:
    """Write HTML and figures (again) from run folders.

    Several are shown side by side, the last one held against those before it. A slide is 16:9, paper two columns of a
    journal.

    \b
      benchbench report reports/A --figures latency --format svg,pdf --theme light,dark --size paper
    """
    if len(runs) > 1 and out is None:
        raise InputError("a report on several runs needs a folder of its own", remedy="give --out FOLDER")
    loaded = [load_run(folder) for folder in runs]
    from benchbench.analysis.comparison_text import in_short
    from benchbench.cli import console
    from benchbench.cli.recommended import show_recommendations
    from benchbench.report import FigureFiles  # takes seconds to import; what was wrong is told by now
    from benchbench.report.page import write_results
    from benchbench.report.results import Results

    results = Results(tuple(loaded))
    page = write_results(results, out or runs[0], FigureFiles(**files))
    click.echo(str(page))
    for name in files["names"] or ():
        if not any((page.parent / "figures").glob(f"{name}[-.]*")):
            console.err().print(f"figure {name} has nothing to show", markup=False)
    if found := results.comparison:
        console.err().print(in_short(found.frame, found.changes, found.failing), markup=False)
    for run in results.runs:  # talk: a script reads the page's path alone
        mine = [one for one in results.recommendations if one.run == run.id]
        named = results.labels[run.id] if len(loaded) > 1 else ""
        show_recommendations(mine, console.err(), named)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="BASE… NEW", type=click.Path(path_type=Path, file_okay=False))
@click.option("--baseline", metavar="NAME", help="The base runs, by the name that `benchbench baseline` gave them.")
@REPORTS
@click.option("--same-within", type=Number(0, 1), default=0.03, help="What counts as the same.  [0.03]")
@click.option(
    "--fail-on",
    multiple=True,
    metavar="WHAT[:PERCENT]",
    help="What fails, and nothing else of these: slower, init_ms, added_mb, size_mb or accuracy_top1, when surely "
    "worse by that much, which is at least --same-within. What is lost or gone always does.  [slower]",
)
@click.option("--markdown", is_flag=True, help="Print a text for a pull request.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a test report, too.")
@AS_JSON
def compare(
    runs: tuple[Path, ...],
    baseline: str | None,
    reports: Path,
    same_within: float,
    fail_on: tuple[str, ...],
    markdown: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Show what got faster or slower between two runs, and why.

    One base run tells what its launches are worth; three or more of the same thing also tell how runs differ, on
    other days and after other boots, and a change must stand out from that.

    Exit code 1 when a case got slower (or what --fail-on says), fails now, lost its delegate, or is gone although
    nothing leaves it out on purpose; 3 when the runs have no case in common, or nothing could be judged, since no
    case has times that may be compared.
    """
    if baseline is None and len(runs) == 1:
        raise click.UsageError("give a base run, or several, and a new one")
    from benchbench.analysis import comparison_text
    from benchbench.analysis.compare import compare as compared
    from benchbench.analysis.compare import nothing_judged, of_itself
    from benchbench.analysis.compare_quantities import compare_quantities
    from benchbench.analysis.gate import DEFAULT, Gate, failing
    from benchbench.cli import tables

    gates = tuple(Gate.parse(text) for text in fail_on) or DEFAULT
    for gate in gates:
        gate.check(same_within)
    *bases, new = map(load_run, runs if baseline is None else (*_base_runs(baseline, reports, runs), *runs))
    frame = compared(bases, new, same_within=same_within)
    changes = compare_quantities(bases, new, same_within=same_within)
    fails = failing(frame, changes, gates)
    if as_json:
        print_json(comparison_text.as_json(frame, changes, fails))
    elif markdown:
        click.echo(comparison_text.as_markdown(frame, changes, fails), nl=False)
    else:
        tables.show_comparison(frame, changes, fails)
    if junit is not None:
        _write_junit(junit, comparison_text.as_junit(frame, fails))
    untold = nothing_judged(frame) and not of_itself(frame)
    sys.exit(exit_codes.REGRESSED if fails else exit_codes.NOTHING if untold else exit_codes.DONE)


def _write_junit(path: Path, text: str) -> None:
    """After the comparison was shown, which is not to be lost with it."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise file_error(error, f"--junit {path}", remedy="name a file that can be written") from error


def _base_runs(baseline: str, reports: Path, runs: tuple[Path, ...]) -> tuple[Path, ...]:
    """The runs of a baseline that are there, but the new one; of two the last: two do not tell how runs differ."""
    from benchbench.cli import console
    from benchbench.run_folder.baselines import baseline as runs_of
    from benchbench.run_folder.baselines import how_to_set, is_run, run_id

    if len(runs) != 1:
        raise click.UsageError("with --baseline, give the new run alone")
    kept = runs_of(baseline, reports)
    there = tuple(folder for folder in kept if is_run(folder))
    for folder in kept:
        if folder not in there:
            console.err().print(f"baseline {baseline}: {folder} is no run folder any more", markup=False)
    if not there:
        raise InputError(f"baseline {baseline}: none of its run folders is there", remedy=how_to_set(baseline))
    new = run_id(runs[0])
    others = tuple(folder for folder in there if run_id(folder) != new)
    if not others:
        raise InputError(f"baseline {baseline} holds no run but this one", remedy="add those it is to be held against")
    taken = others[-1:] if len(others) == 2 else others
    console.err().print(f"baseline {baseline}: {', '.join(folder.name for folder in taken)}", markup=False)
    return taken


EXPORTS = ("bmf", "github-action-benchmark", "openmetrics", "csv")  # as analysis/exports.py has them; quick to import


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--format", "form", type=click.Choice(EXPORTS), required=True, help="Whose format.")
def export(run: Path, form: Format) -> None:
    """Print the cases of a run in a format of others.

    bmf is Bencher's; github-action-benchmark is that of the action of this name (customSmallerIsBetter); openmetrics
    is for Prometheus. These three are series by case: they have the cases with a headline number alone. csv has all.
    """
    from benchbench.analysis.exports import export as exported
    from benchbench.analysis.exports import left_out
    from benchbench.cli import console

    loaded = load_run(run)
    click.echo(exported(loaded, form), nl=False)
    if told := left_out(loaded, form):
        console.err().print(f"note: {told}", markup=False)


@click.command(name="import")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@REPORTS
@AS_JSON
def import_(logs: tuple[Path, ...], reports: Path, as_json: bool) -> None:
    """Make a run folder of output that others captured.

    LOGS are outputs of benchmark_model and onnxruntime_perf_test, and profiles of ONNX Runtime; - is stdin.
    With --json, no folder is made: one line for each launch.
    """
    from benchbench.cli import console
    from benchbench.importing.logs import as_json as launch_as_json
    from benchbench.importing.run_folder import import_logs, read_recorded

    sources = [("stdin", sys.stdin.buffer.read()) if str(p) == "-" else p for p in logs]
    recorded, left_out = read_recorded(sources)
    for line in left_out:
        console.err().print(f"left out: {line}", markup=False)
    if as_json:
        for one in recorded:
            print_json(launch_as_json(one.launch, one.source, one.index))
        return
    finish(import_logs(recorded, reports), measured=False)
