"""The command line: parse, call, print; the only place that knows exit codes. Heavy imports wait for their command."""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbench.errors import BenchbenchError, InputError, NothingToDo

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchbench.api import Selection
    from benchbench.execute import Tell
    from benchbench.plan import Plan

INVENTORY = click.option(
    "--inventory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("devices"),
    envvar="BENCHBENCH_DEVICES",
    help="The folder of device files.  [devices]",
)
REPORTS = click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    envvar="BENCHBENCH_REPORTS",
    help="Where run folders go.  [reports]",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="benchbench", message="benchbench %(version)s")
def cli(debug: bool) -> None:
    """Benchmark TFLite models on phones and boards, across hardware delegates, with numbers that can be believed."""
    del debug  # main() looks for it, since it must work for what goes wrong here too


def main() -> None:
    """The entry point: errors in one line with the remedy, and the exit code that belongs to them."""
    debug = "--debug" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        code = cli.main(args=arguments, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        _complain("interrupted", "", INTERRUPTED, debug)
    except click.ClickException as error:
        _complain(error.format_message(), "see benchbench --help", 2, debug)
    except KeyboardInterrupt as error:
        _complain("interrupted", str(error), INTERRUPTED, debug)
    except BenchbenchError as error:
        _complain(error.message, error.remedy, error.exit_code, debug)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _complain(message: str, remedy: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    line = f"benchbench: {message}" + (f" ({remedy})" if remedy else "")
    click.echo(" ".join(line.split()), err=True)
    sys.exit(code)


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, default=str))


def selecting(command: Any) -> Any:
    """The options that choose cases of a matrix."""
    for option in (
        click.option("--seed", type=click.IntRange(min=0), help="The seed of the order.  [a new one]"),
        click.option("--skip", multiple=True, metavar="GLOB", help="Leave out cases whose id fits."),
        click.option("--only", multiple=True, metavar="GLOB", help="Only cases whose id fits."),
    ):
        command = option(command)
    return command


def _selection(only: tuple[str, ...], skip: tuple[str, ...], seed: int | None) -> Selection:
    from benchbench.api import Selection

    return Selection(only, skip, seed)


@cli.command()
@click.argument("matrix", type=click.Path(path_type=Path))
@INVENTORY
@selecting
@click.option("--probe", is_flag=True, help="Ask the devices what they can do.")
@AS_JSON
def plan(
    matrix: Path,
    inventory: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    seed: int | None,
    probe: bool,
    as_json: bool,
) -> None:
    """Show what would run, what is skipped and why, and how long it takes. Touches no device unless --probe."""
    from benchbench import api, console

    made, remarks = api.plan_matrix(matrix, inventory=inventory, selection=_selection(only, skip, seed), probe=probe)
    if not as_json:
        console.show_plan(made, remarks)
        return
    _print_json(
        {
            "name": made.name,
            "seed": made.seed,
            "cases": [case.id for case in made.cases],
            "trials": [trial.id for trial in made.trials],
            "skips": [{"case": s.case, "reason": s.reason} for s in made.skips],
            "at_least_seconds": {device: made.seconds(device) for device in made.devices},
            "notes": remarks,
        }
    )


@cli.command()
@click.argument("matrix", type=click.Path(path_type=Path), required=False)
@click.option("--resume", type=click.Path(path_type=Path, file_okay=False), help="Complete this run folder.")
@INVENTORY
@REPORTS
@selecting
def run(
    matrix: Path | None,
    resume: Path | None,
    inventory: Path,
    reports: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    seed: int | None,
) -> None:
    """Run a matrix on all its devices at once; ends with a table and a report."""
    from benchbench import api

    if (matrix is None) == (resume is None):
        raise click.UsageError("give a matrix, or --resume and a run folder")
    if resume is not None:
        folder = api.resume(resume, watching=_watch)
    elif matrix is not None:
        selection = _selection(only, skip, seed)
        folder = api.run(matrix, inventory=inventory, reports=reports, selection=selection, watching=_watch)
    _finish(folder)


def _watch(made: Plan) -> AbstractContextManager[Tell]:
    from benchbench.console import Watch

    return Watch({device: len(made.of(device)) for device in made.devices})


def _finish(folder: Path, *, measured: bool = True) -> None:
    """The table on stdout, the page's path on stderr; exit code 1 when trials failed that we measured."""
    from benchbench import console, tables
    from benchbench.frames import load
    from benchbench.report.page import write_report

    loaded = load(folder)
    tables.show_cases(loaded.cases)
    page = write_report([loaded], folder)
    console.err().print(f"report: {page}", markup=False)
    failed = sum(outcome.status != "ok" for outcome in loaded.outcomes)
    if failed and measured:
        again = "; those that a passing fault ended can be tried again: " + f"benchbench run --resume {folder}"
        transient = any(outcome.transient for outcome in loaded.outcomes)
        console.err().print(
            f"{failed} of {len(loaded.outcomes)} trials failed{again if transient else ''}", markup=False
        )
        sys.exit(1)


@cli.command()
@INVENTORY
@AS_JSON
@click.option("--add", "add", metavar="NAME", help="Write a file for a discovered phone.")
@click.option("--clean", "clean", is_flag=True, help="Empty the work folders of the devices.")
@click.argument("names", nargs=-1)
def devices(inventory: Path, as_json: bool, add: str | None, clean: bool, names: tuple[str, ...]) -> None:
    """Show what is connected or in devices/, and what each can do."""
    from benchbench import api, console, tables
    from benchbench.inventory import select
    from benchbench.look import look_at

    chosen = select(api.all_devices(inventory), names or None, "devices")
    if add is not None:
        click.echo(str(api.add_device(add, inventory)))
        return
    if clean:
        for device, result in api.clean(chosen):
            console.err().print(f"{device.name}: {result}", markup=False)
        return
    with console.waiting(f"asking {len(chosen)} devices"):
        looks = look_at(chosen)
    if as_json:
        _print_json([look.as_dict() for look in looks])
        return
    tables.show_looks(looks)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@AS_JSON
def models(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what is in a .tflite: scheme, inputs, outputs, ops, size."""
    from benchbench import tables
    from benchbench.models.inspect import describe, inspect

    infos = [inspect(path) for path in files]
    if as_json:
        _print_json([describe(info) for info in infos])
        return
    tables.show_models(infos)


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="The folder of the page.  [the run's own]"
)
def report(runs: tuple[Path, ...], out: Path | None) -> None:
    """Write HTML and PNG (again) from run folders."""
    from benchbench.frames import load
    from benchbench.report import write_report

    if len(runs) > 1 and out is None:
        raise InputError("a report on several runs needs a folder of its own", remedy="give --out FOLDER")
    click.echo(str(write_report([load(folder) for folder in runs], out or runs[0])))


@cli.command()
@click.argument("base", type=click.Path(path_type=Path, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, file_okay=False))
@click.option("--same-within", type=click.FloatRange(0, 1), default=0.03, help="What counts as the same.  [0.03]")
@AS_JSON
def compare(base: Path, new: Path, same_within: float, as_json: bool) -> None:
    """Show what got faster, slower, or cannot be told; exit code 1 when something got slower."""
    from benchbench import tables
    from benchbench.comparison import compare as compared
    from benchbench.comparison import regressions
    from benchbench.frames import load

    frame = compared(load(base), load(new), same_within=same_within)
    if frame.empty:
        raise NothingToDo(f"{base} and {new} have no case in common")
    if as_json:
        click.echo(frame.to_json(orient="records", lines=True), nl=False)
    else:
        tables.show_comparison(frame)
    sys.exit(1 if len(regressions(frame)) else 0)


@cli.command(name="import")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@REPORTS
@AS_JSON
def import_(logs: tuple[Path, ...], reports: Path, as_json: bool) -> None:
    """Read benchmark_model output that somebody captured (- for stdin): JSON lines, or a run folder."""
    from benchbench import api
    from benchbench.importing import as_json as launch_as_json

    recorded = api.read_recorded([("stdin", sys.stdin.buffer.read()) if str(p) == "-" else p for p in logs])
    if as_json:
        for one in recorded:
            _print_json(launch_as_json(one.launch, one.source, one.index))
        return
    _finish(api.import_logs(recorded, reports), measured=False)


@cli.command()
@REPORTS
def demo(reports: Path) -> None:
    """The first of them all: this machine, a real model in its variants, a page."""
    from benchbench.demo import run_demo

    _finish(run_demo(reports, _watch))


if __name__ == "__main__":
    main()
