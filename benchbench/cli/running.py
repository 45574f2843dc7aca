"""Commands that touch devices: plan, run, devices, demo."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchbench.cli import exit_codes
from benchbench.cli.options import (
    AS_JSON,
    INVENTORY,
    REPORTS,
    Number,
    asking,
    chosen,
    finish,
    judge,
    load_run,
    percentage,
    print_json,
    selecting,
    served,
    watch,
)


@click.command()
@click.argument("matrix", type=click.Path(path_type=Path))
@INVENTORY
@selecting
@click.option("--probe", is_flag=True, help="Ask the devices what they can do.")
@click.option("--noise", callback=percentage, metavar="PERCENT", help="How much launches vary (CV).  [3%]")
@click.option("--like", type=click.Path(path_type=Path, file_okay=False), help="... as in this run folder.")
@AS_JSON
def plan(
    matrix: Path,
    inventory: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    seed: int | None,
    probe: bool,
    noise: float | None,
    like: Path | None,
    as_json: bool,
) -> None:
    """Show what would run, what would not, and for how long.

    Also which change it could find. Touches no device unless --probe.
    """
    from benchbench import pipeline as api
    from benchbench.cli import console, progress

    if noise is not None and like is not None:
        raise click.UsageError("--noise states what --like reads from a run: give one")
    made, remarks = api.plan_matrix(matrix, inventory=inventory, selection=chosen(only, skip, seed), probe=probe)
    from benchbench.analysis.sensitivity import sensitivity  # scipy: what is wrong was told by now

    finds = sensitivity(made, noise, None if like is None else load_run(like))
    if not as_json:
        progress.show_plan(made, remarks)
        console.err().print(str(finds), markup=False)
        return
    print_json(
        {
            "name": made.name,
            "seed": made.seed,
            "cases": [case.id for case in made.cases],
            "trials": [trial.id for trial in made.trials],
            "skips": [{"case": s.case.id, "reason": s.reason, "deliberate": s.deliberate} for s in made.skips],
            "selection": {"only": made.only, "skip": made.skip, "of": made.cells},
            "at_least_seconds": {device: made.seconds(device) for device in made.devices},
            "at_least_seconds_in_all": made.in_all(made.seconds),
            "if_all_go_on_seconds": {device: made.most_seconds(device) for device in made.devices},
            "if_all_go_on_seconds_in_all": made.in_all(made.most_seconds),
            "finds": asdict(finds),
            "notes": remarks,
        }
    )


class _Run(click.Command):
    """`--wait` without `=MINUTES` has no limit; what follows it is not its value, but the matrix."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--wait=inf" if word == "--wait" else word for word in args])


@click.command(cls=_Run)
@click.argument("files", nargs=-1, metavar="MATRIX|MODEL…", type=click.Path(path_type=Path))
@asking
@click.option("--resume", type=click.Path(path_type=Path, file_okay=False), help="Complete this run folder.")
@click.option("--again", type=click.Path(path_type=Path, file_okay=False), help="Do this run folder's run again.")
@click.option(
    "--wait",
    type=Number(min=0),
    metavar="[=MINUTES]",
    help="Wait for devices that others use, for so long or until they are free.",
)
@click.option("--serve", is_flag=True, help="Show the report in a browser of this machine while the run goes on.")
@INVENTORY
@REPORTS
@selecting
def run(
    files: tuple[Path, ...],
    resume: Path | None,
    again: Path | None,
    wait: float | None,
    serve: bool,
    inventory: Path,
    reports: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    seed: int | None,
    **asked: Any,
) -> None:
    """Run a matrix, or just models, on all devices at once.

    Ends with a table and a report. The matrix that models stand for is kept in the run folder, to be run again.

    \b
      benchbench run matrix.toml
      benchbench run a.tflite b.tflite --delegates xnnpack,gpu --threads 1,4
    """
    from benchbench import pipeline as api
    from benchbench.cli import console
    from benchbench.execution.waiting import Wait

    if resume is not None and (again is not None or only or skip or seed is not None):
        raise click.UsageError("--resume completes a run as it began: it takes no --again, --only, --skip or --seed")
    if again is not None and seed is not None:
        raise click.UsageError("--again keeps the order of the run: it takes no --seed")
    given = {name: value for name, value in asked.items() if value is not None}
    models = _models(files, resume or again, given)
    turn = None if wait is None else Wait(60 * wait, lambda text: console.err().print(text, markup=False))
    with served(serve) as live:
        how: Any = {"watching": partial(watch, live=live), "wait": turn}
        new = how | {"reports": reports, "selection": chosen(only, skip, seed)}
        if resume is not None:
            folder = _resumed(resume, how)
        elif again is not None:
            folder = api.run_again(again, **new)
        elif not models:
            folder = api.run(files[0], inventory=inventory, **new)
        else:
            folder = api.run_models(models, **given, inventory=inventory, **new)
            console.err().print(f"matrix: {folder / 'matrix.toml'}", markup=False)
        finish(folder)


def _resumed(folder: Path, how: dict[str, Any]) -> Path:
    """The run folder, complete; one that was complete is judged by its budget again before that is said."""
    from benchbench import pipeline as api
    from benchbench.values.errors import NothingToDo

    try:
        return api.resume(folder, **how)
    except NothingToDo:
        judge(load_run(folder))
        raise


def _models(files: tuple[Path, ...], resume: Path | None, given: Mapping[str, object]) -> tuple[Path, ...]:
    """The model files among the arguments; none where they are a matrix. Raises UsageError for a mixture."""
    from benchbench.runtimes import RUNTIMES

    suffixes = tuple(suffix for runtime in RUNTIMES for suffix in runtime.suffixes)
    models = tuple(file for file in files if file.suffix.lower() in suffixes)
    others = [file for file in files if file not in models]
    if (not files) == (resume is None):
        raise click.UsageError(
            f"give a matrix, models ({', '.join(suffixes)}), or a run folder with --resume or --again"
        )
    if len(others) > 1 or (models and others):
        raise click.UsageError(f"{others[-1]}: give one matrix, or nothing but models ({', '.join(suffixes)})")
    if given and not models:
        raise click.UsageError(f"--{next(iter(given))} is for models; a matrix has a key for it")
    return models


@click.command()
@INVENTORY
@AS_JSON
@click.option("--add", "add", metavar="NAME", help="Write a file for a discovered phone.")
@click.option("--clean", "clean", is_flag=True, help="Empty the work folders of the devices.")
@click.option("--equip", "equip", metavar="NAME", help="Say what installing the runtime on a board would do.")
@click.option("--yes", is_flag=True, help="Do what --equip says.")
@click.argument("names", nargs=-1)
def devices(
    inventory: Path,
    as_json: bool,
    add: str | None,
    clean: bool,
    equip: str | None,
    yes: bool,
    names: tuple[str, ...],
) -> None:
    """Show what is connected or in devices/, and what each can do."""
    from benchbench.cli import console, tables
    from benchbench.config.inventory import select
    from benchbench.execution import inventory_changes
    from benchbench.execution.selection import all_devices
    from benchbench.execution.status import device_status

    if yes and equip is None:
        raise click.UsageError("--yes belongs to --equip NAME")
    if equip is not None:
        _equip(equip, inventory, yes)
        return
    chosen = select(all_devices(inventory), names or None, "devices")
    if add is not None:
        click.echo(str(inventory_changes.add_device(add, inventory)))
        return
    if clean:
        cleaned = inventory_changes.clean(chosen)
        for device, result in cleaned:
            said = f"removed {result}" if isinstance(result, str) else str(result)
            console.err().print(f"{device.name}: {said}", markup=False)
        failed = [exit_codes.exit_code(result) for _, result in cleaned if not isinstance(result, str)]
        sys.exit(failed[0] if failed else exit_codes.DONE)
    from benchbench.values.formatting import counted

    with console.waiting(f"asking {counted(len(chosen), 'device')}"):
        looks = device_status(chosen)
    if as_json:
        print_json([look.as_dict() for look in looks])
        return
    tables.show_looks(looks)


def _equip(name: str, inventory: Path, yes: bool) -> None:
    """What would be installed on stdout, and the doing of it on stderr."""
    from benchbench.cli import console
    from benchbench.config.inventory import select
    from benchbench.device.opening import Absent, opened
    from benchbench.device.session import Session
    from benchbench.execution import provision
    from benchbench.execution.selection import all_devices

    def prepared(session: Session) -> bool:
        """Whether something was installed."""
        found = provision.examine(session)
        if isinstance(found, str):
            click.echo(found)
            return False
        for line in found.lines:
            click.echo(line)
        if not yes:
            again = f"benchbench devices --equip {session.device.name} --yes"
            console.err().print(f"nothing was done: {again} does it", markup=False)
            return False
        click.echo(provision.install(session, found, lambda line: console.err().print(line, markup=False)))
        return True

    chosen = select(all_devices(inventory), [name], "devices")
    with opened(chosen, prepared, purpose="benchbench devices --equip", patience_s=10) as answers:
        for answer in answers:
            if isinstance(answer, Absent):
                raise answer.error


@click.command()
@REPORTS
@click.option(
    "--imagenet",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Make EfficientNet-Lite0 and its schemes in this new folder instead, and run that.",
)
def demo(reports: Path, imagenet: Path | None) -> None:
    """Measure a small model in its variants here: a table and a page."""
    if imagenet is None:
        from benchbench.demo import run_demo

        finish(run_demo(reports, watch))
        return
    from benchbench import pipeline as api
    from benchbench.cli.progress import Making
    from benchbench.demo.imagenet import prepare

    with Making() as progress:
        matrix = prepare(imagenet, progress.say, quantizing=progress)
    finish(api.run(matrix, reports=reports, watching=watch))
