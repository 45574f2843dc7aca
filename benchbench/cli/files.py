"""Commands on files: models, quantize, tools."""

from __future__ import annotations

from pathlib import Path

import click

from benchbench.cli.options import AS_JSON, INVENTORY, Number, print_json
from benchbench.values.errors import BenchbenchError, InputError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@AS_JSON
def models(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what is in a model: scheme, inputs, outputs, ops, size."""
    from benchbench.cli import console, tables
    from benchbench.runtimes.models import inspect
    from benchbench.values.model import ModelInfo, describe

    infos: list[ModelInfo] = []
    errors: list[BenchbenchError] = []
    for path in files:
        try:
            infos.append(inspect(path))
        except BenchbenchError as error:  # the others are told all the same
            errors.append(error)
    if as_json:
        print_json([describe(info) for info in infos])
    else:
        tables.show_models(infos)
    for told in errors[:-1]:
        console.err().print(f"benchbench: {told}", markup=False)
    if errors:
        raise errors[-1]


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--scheme", "schemes", multiple=True, metavar="SCHEME", help="Only this one; repeatable.  [all]")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@click.option(
    "--representative", metavar="DATA", help="Calibration data: .npz, a folder of .npy or images, or module:function."
)
@click.option(
    "--mean", type=Number(), help="Pixels 0…255 become (pixel - mean) / std.  [as the data's TOML file says, or 0]"
)
@click.option("--std", type=Number(), help="See --mean.  [as the data's TOML file says, or 1]")
@click.option("--per-tensor", is_flag=True, help="One scale for a whole weight tensor instead of one per channel.")
@click.option("--input-size", metavar="N,N…", help="Square input sizes, where the source allows them.")
@click.option("--name", help="The family's name.  [the source's, without its scheme]")
@click.option("--format", "model_format", metavar="FORMAT", help="Of the files: tflite or onnx.  [the source's]")
@AS_JSON
def quantize(
    source: Path,
    schemes: tuple[str, ...],
    out: Path,
    representative: str | None,
    mean: float | None,
    std: float | None,
    per_tensor: bool,
    input_size: str | None,
    name: str | None,
    model_format: str | None,
    as_json: bool,
) -> None:
    """Make the quantized variants of a float model.

    From a .tflite, an .onnx, a Keras file or a SavedModel folder.
    """
    from benchbench.cli import console, tables
    from benchbench.cli.progress import Making
    from benchbench.pipeline import quantize as make
    from benchbench.runtimes.quantizing.calibration import Pixels

    with Making() as progress:
        family = make(
            source,
            schemes or None,
            out,
            representative=representative,
            pixels=None if mean is None and std is None else Pixels(mean or 0.0, 1.0 if std is None else std),
            per_channel=not per_tensor,
            input_sizes=sizes(input_size),
            name=name,
            model_format=model_format,
            progress=progress,
        )
    if as_json:
        print_json(family.model_dump(mode="json"))
    else:
        tables.show_family(family)
    for warning in family.warnings:
        console.err().print(warning, markup=False)


def sizes(text: str | None) -> tuple[int, ...]:
    """160,192,224 as numbers."""
    try:
        found = tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        found = (0,)
    if any(size < 1 for size in found):
        raise InputError(f"--input-size {text}: is no list of sizes", remedy="write --input-size 160,192,224")
    return found


@click.command()
@click.option("--get", "device", metavar="DEVICE", help="Fetch Google's benchmark_model for a device (by its name).")
@click.option("--generation", type=click.Choice(["tflite", "litert"]), help="Which tool.  [the device's, else tflite]")
@click.option("--version", help="A release such as 2.2.0, latest or nightly.  [the device's, else latest]")
@INVENTORY
@AS_JSON
def tools(device: str | None, generation: str | None, version: str | None, inventory: Path, as_json: bool) -> None:
    """Show the benchmark_model binaries at hand, or fetch one.

    The sha256 of each is recorded on first use, and enforced.
    """
    from benchbench.cli import tables
    from benchbench.execution.fetching import fetch
    from benchbench.runtimes import RUNTIMES
    from benchbench.runtimes.tool import Tool

    if device is not None:
        with tables.download_progress(device) as progress:
            found: tuple[Tool, ...] = (fetch(device, inventory, generation, version, progress),)
    else:
        found = tuple(tool for runtime in RUNTIMES for tool in runtime.tools())
    if as_json:
        print_json([tables.tool_record(tool) for tool in found])
    else:
        tables.show_tools(found)


@click.command()
@click.argument("file", type=click.Choice(["matrix", "device", "report"]))
def schema(file: str) -> None:
    """Print the JSON Schema of matrices, device files or report.json.

    \b
      benchbench schema matrix > matrix.schema.json

    The first line of the file then leads editors with Taplo (Even Better TOML) to it: #:schema ./matrix.schema.json
    """
    from benchbench.config.schema import as_text, device_schema, matrix_schema

    if file == "report":
        from benchbench.report.record import report_schema

        made = report_schema()
    else:
        made = matrix_schema() if file == "matrix" else device_schema()
    click.echo(as_text(made), nl=False)
