"""`baseline`: the runs that others are compared with, by name."""

from __future__ import annotations

from pathlib import Path

import click

from benchbench.cli.options import AS_JSON, REPORTS, print_json
from benchbench.values.errors import InputError


@click.command()
@click.argument("name", required=False)
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option("--add", is_flag=True, help="Keep the runs that it has, too: the ten latest in all.")
@click.option("--remove", is_flag=True, help="Forget the name; no run is removed.")
@REPORTS
@AS_JSON
def baseline(name: str | None, runs: tuple[Path, ...], add: bool, remove: bool, reports: Path, as_json: bool) -> None:
    """Show or set runs that others are compared with by name.

    Without NAME all baselines, with it alone its run folders, a line each. With RUNS it is those from now on. They are
    kept in baselines.json in the reports folder; three or more runs of the same thing tell how runs differ, and the
    ten latest are kept, so that an older change does not hide a new one for ever.
    """
    from benchbench.cli import console
    from benchbench.run_folder.baselines import baseline as runs_of
    from benchbench.run_folder.baselines import baselines, is_run, set_baseline

    if remove and (runs or add or name is None):
        raise InputError("--remove takes a name and no runs")
    if add and not runs:
        raise InputError("--add takes runs", remedy=f"benchbench baseline {name or 'NAME'} --add RUN…")
    if name is not None and remove:
        runs_of(name, reports)
        set_baseline(name, (), reports)
        return
    if name is not None and runs:
        before = baselines(reports).get(name, ()) if add else ()
        now = {folder.resolve() for folder in set_baseline(name, runs, reports, add=add)}
        for folder in (*before, *runs):
            if folder.resolve() not in now:
                why = "older than the ten latest, or a copy of one of them" if is_run(folder) else "gone"
                console.err().print(f"baseline {name}: {folder} is left out: {why}", markup=False)
        return
    shown = baselines(reports) if name is None else {name: runs_of(name, reports)}
    if as_json:
        print_json({known: [str(folder) for folder in folders] for known, folders in shown.items()})
        return
    for known, folders in shown.items():
        for folder in folders:
            if not is_run(folder):
                console.err().print(f"baseline {known}: {folder} is gone", markup=False)
            click.echo(str(folder) if name is not None else f"{known}\t{folder}")
