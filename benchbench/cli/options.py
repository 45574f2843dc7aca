"""The commands, one module for each kind of work; here is what they share. Heavy imports wait for their command."""

from __future__ import annotations

import gc
import json
import math
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchbench.cli import exit_codes
from benchbench.values.errors import Interrupted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from benchbench.analysis.frames import Run
    from benchbench.execution.scheduler import Tell
    from benchbench.execution.selection import Selection
    from benchbench.plan import Plan
    from benchbench.report.live import LiveReport


def _there(context: click.Context, option: click.Parameter, value: Path) -> Path:
    """A folder that was named is there; the usual one need not be."""
    named = context.get_parameter_source(str(option.name)) is not click.core.ParameterSource.DEFAULT
    if named and not value.is_dir():
        raise click.BadParameter(f"{value}: no such folder: make it, or leave --inventory out")
    return value


INVENTORY = click.option(
    "--inventory",
    callback=_there,
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


class Number(click.FloatRange):
    """A number in a range, or any; NaN is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def print_json(data: Any) -> None:
    """On stdout, in one line; null = no number."""
    click.echo(json.dumps(_finite(data), ensure_ascii=False, default=str, allow_nan=False))


def _finite(data: Any) -> Any:
    """The same with None for every number that JSON does not have."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def selecting(command: Any) -> Any:
    """The options that choose cases of a matrix."""
    for option in (
        click.option("--seed", type=click.IntRange(min=0), help="The seed of the order.  [a new one]"),
        click.option("--skip", multiple=True, metavar="GLOB", help="Leave out cases whose id fits."),
        click.option("--only", multiple=True, metavar="GLOB", help="Only cases whose id fits."),
    ):
        command = option(command)
    return command


def words(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Words with commas between them."""
    if value is None:
        return None
    found = tuple(word.strip() for word in value.split(",") if word.strip())
    if not found:
        raise click.BadParameter("it names nothing: leave it out for the usual")
    return found


def percentage(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """A percentage above 0, as a fraction."""
    if value is None:
        return None
    try:
        percent = float(value.removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 1000:
        raise click.BadParameter(f"{value!r} is no percentage: write 3%")
    return percent / 100


def some_of(*choices: str) -> Callable[[click.Context, click.Parameter, str | None], tuple[str, ...]]:
    """For an option whose value is some of these words, with commas between them."""

    def chosen(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
        given = words(context, option, value) or ()
        if not given or set(given) - set(choices):
            raise click.BadParameter(f"{value!r}: write {', '.join(choices)}, or some of them with commas between")
        return tuple(dict.fromkeys(given))

    return chosen


def _numbers(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    try:
        return tuple(int(word) for word in words(context, option, value) or ()) or None
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of whole numbers: write 1,4") from None


def asking(command: Any) -> Any:
    """The options that stand for keys of a matrix, for models that are named without one."""
    for option in (
        click.option("--dataset", metavar="PATH|random", help="Models: samples to compare outputs on."),
        click.option("--rounds", type=click.IntRange(1, 1000), metavar="N", help="Models: launches per case.  [5]"),
        click.option("--threads", callback=_numbers, metavar="N,N…", help="Models: thread counts.  [1]"),
        click.option("--delegates", callback=words, metavar="KIND,…", help="Models: cpu, gpu, ….  [xnnpack]"),
        click.option("--devices", callback=words, metavar="NAME,…", help="Models: names or globs.  [all there are]"),
    ):
        command = option(command)
    return command


def chosen(only: tuple[str, ...], skip: tuple[str, ...], seed: int | None) -> Selection:
    from benchbench.execution.selection import Selection

    return Selection(only, skip, seed)


def watch(made: Plan, live: LiveReport | None = None) -> AbstractContextManager[Tell]:
    from benchbench.cli.watching import Watch

    return Watch(made, live.hear if live else None)


@contextmanager
def served(wanted: bool) -> Iterator[LiveReport | None]:
    """The report of a run that goes on, on this machine's loopback, where somebody wants it."""
    if not wanted:
        yield None
        return
    from benchbench.cli.console import err
    from benchbench.report.live import LiveReport

    with LiveReport() as live:
        err().print(f"live: {live.address}", markup=False)
        yield live


def load_run(folder: Path) -> Run:
    """The run, after saying what is wrong with its records."""
    from benchbench.analysis.frames import load
    from benchbench.cli import console

    run = load(folder)
    gc.freeze()  # its million values stay until the end: no search for cycles needs to look through them again
    for remark in run.remarks:
        console.err().print(f"note: {remark}", markup=False)
    return run


def finish(folder: Path, *, measured: bool = True) -> None:
    """The table on stdout, what became of all cases and the page's path on stderr; exit code 1 when trials failed that
    we measured, or cases do not keep to the budget. Who interrupts it is told how to get the page.
    """
    try:
        _show(folder, measured=measured)
    except KeyboardInterrupt as error:
        again = f"every trial is done; the page: benchbench report {shlex.quote(str(folder))}"
        raise Interrupted.of(error, again) from error


def judge(run: Run) -> None:
    """The limits that cases do not keep, a line each; exit code 1 where there are any."""
    if _told_beyond(run):
        sys.exit(exit_codes.FAILED)


def _told_beyond(run: Run) -> bool:
    from benchbench.analysis.budget import breaches
    from benchbench.cli import console

    beyond = breaches(run.cases, run.budget)
    for breach in beyond:
        console.err().print(f"budget: {breach}", markup=False)
    return bool(beyond)


def _show(folder: Path, *, measured: bool) -> None:
    from benchbench.analysis.tally import tally
    from benchbench.cli import console, tables
    from benchbench.cli.recommended import show_recommendations
    from benchbench.report.page import write_results
    from benchbench.report.results import Results

    loaded = load_run(folder)
    tables.show_cases(loaded.cases)
    for line in tally(loaded).lines:
        console.err().print(line, markup=False)
    results = Results((loaded,))
    page = write_results(results, folder)
    console.err().print(f"report: {page}", markup=False)
    failed = sum(outcome.status not in {"ok", "skipped"} for outcome in loaded.outcomes)
    if failed and measured:
        again = (
            "; those that a passing fault ended can be tried again: "
            + f"benchbench run --resume {shlex.quote(str(folder))}"
        )
        transient = any(outcome.transient for outcome in loaded.outcomes)
        console.err().print(
            f"{failed} of {len(loaded.outcomes)} trials failed{again if transient else ''}", markup=False
        )
    if measured:
        show_recommendations(results.recommendations)
    beyond = _told_beyond(loaded)
    if measured and (failed or beyond):
        sys.exit(exit_codes.FAILED)
