"""Look into other people's .onnx files, and run each once: a line a file with what became of it.

`python -m tests.onnx_check PATH…`: files, folders, and wheels, which are unpacked. A file that is no model, or that
cannot be run, must say why; exit status 1 where one does not, or where reading it crashes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import starmap
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from benchbench.config.toml_text import toml_value
from benchbench.pipeline import run
from benchbench.run_folder.journal import read_outcomes
from benchbench.run_folder.manifest import read_manifest
from benchbench.runtimes.models import inspect
from benchbench.values.errors import BenchbenchError, InputError
from tests.workbench import Workbench

HEAD = """\
name = "onnx-check"
devices = ["host"]
delegates = ["ort-cpu"]
[measure]
rounds = 1
runs = 1
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
timeout_seconds = 120
canary = false
"""


def files(paths: Sequence[str], unpacked: Path) -> Iterator[tuple[str, Path]]:
    """Each .onnx and what it is called here."""
    for path in (Path(given).resolve() for given in paths):
        folder = path
        if not path.exists():
            raise InputError(f"{path} is not there")
        if path.suffix == ".whl":
            folder = unpacked / path.stem
            with ZipFile(path) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if name.endswith(".onnx")])
        if folder.is_file():
            yield folder.name, folder
        wheels = [] if path.suffix == ".whl" else sorted(map(str, folder.rglob("*.whl")))
        yield from files(wheels, unpacked)
        for file in sorted(folder.rglob("*.onnx")):
            yield f"{path.name}/{file.relative_to(folder).as_posix()}", file


def read(found: dict[str, Path]) -> dict[str, str]:
    """What is wrong with the files that are no models, each by its name; the others have no entry."""
    refused = {}
    for name, path in found.items():
        try:
            info = inspect(path)
        except BenchbenchError as error:
            refused[name] = f"refused: {error}"
        else:
            sys.stderr.write(f"{name}: {info.scheme}, {info.nodes} nodes, {info.description}\n")
    return refused


def run_once(found: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """What became of one inference of each, by its name."""
    bench = Workbench(folder)
    families = {f"m{k}": name for k, name in enumerate(found)}
    matrix = folder / "matrix.toml"
    matrix.write_text(HEAD + "".join(starmap(_model, zip(families, found.values(), strict=True))), encoding="utf-8")
    done = run(matrix, inventory=bench.inventory, reports=bench.reports)
    became = {skip.case.variant: f"skipped: {skip.reason}" for skip in read_manifest(done).skips}
    for outcome in read_outcomes(done):
        became[outcome.variant] = f"{outcome.status}: {outcome.error}" if outcome.error else outcome.status
    return {families[variant.split(".")[0]]: told for variant, told in became.items()}


def _model(family: str, path: Path) -> str:
    return f'[[model]]\nfamily = "{family}"\nvariants = {toml_value([str(path)])}\n'


def main(paths: Sequence[str]) -> int:
    """Print a line a file, and how many of each there are."""
    with TemporaryDirectory(prefix="benchbench-") as beside:
        try:
            found = dict(files(paths, Path(beside, "wheels")))
        except (InputError, BadZipFile) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        if not found:
            sys.stderr.write("there is no .onnx file in any of these\n")
            return 2
        refused = read(found)
        models = {k: v for k, v in found.items() if k not in refused}
        became = refused | (run_once(models, Path(beside)) if models else {})
    for name in found:
        sys.stdout.write(f"{name}: {became.get(name, 'nothing was said')}\n")
    return int(set(found) != set(became))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
