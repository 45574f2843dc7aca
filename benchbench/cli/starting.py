"""The command to begin with: init."""

from __future__ import annotations

from pathlib import Path

import click

from benchbench.cli.options import INVENTORY


@click.command()
@click.argument("places", nargs=-1, metavar="[MODEL|FOLDER]…", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite matrix.toml.")
@INVENTORY
def init(places: tuple[Path, ...], force: bool, inventory: Path) -> None:
    """Write matrix.toml for the models and devices there are.

    Looks for models in the current folder and below, or in what is named. Every key is in the file, with a comment;
    touches no device.
    """
    from benchbench.cli import console
    from benchbench.config.schema import MATRIX_FILE
    from benchbench.execution.first_matrix import init as write
    from benchbench.values.formatting import counted

    with console.waiting("looking for models and devices"):
        made = write(places or (Path(),), inventory=inventory, force=force)
    talk = console.err()
    for remark in made.remarks:
        talk.print(f"left out: {remark}", markup=False)
    names = ", ".join(device.name for device in made.devices)
    talk.print(f"{counted(len(made.models), 'model')}, {counted(len(made.devices), 'device')} ({names})", markup=False)
    talk.print(f"{MATRIX_FILE} beside it tells editors what each key may be", markup=False)
    talk.print(f"next: benchbench plan {made.path}", markup=False)
    click.echo(str(made.path))
