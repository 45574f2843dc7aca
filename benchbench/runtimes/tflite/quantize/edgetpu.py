"""Compile an int8 model for the Edge TPU with Google's edgetpu_compiler, and read which operators it mapped.

The compiler exists for x86-64 Linux only: https://coral.ai/docs/edgetpu/compiler (the format of its log, too).
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchbench.runtimes.quantizing.manifest import Mapping, OpMapping
from benchbench.values.errors import ToolError
from benchbench.values.process_end import how_a_child_ended

COMPILER = "edgetpu_compiler"
DEADLINE_SECONDS = 600
MAPPED = "Mapped to Edge TPU"
VERSION = re.compile(r"^Edge TPU Compiler version (\S+)", re.MULTILINE)
SUBGRAPHS = re.compile(r"^Number of Edge TPU subgraphs: (\d+)", re.MULTILINE)
ON_TPU = re.compile(r"^Number of operations that will run on Edge TPU: (\d+)", re.MULTILINE)
ON_CPU = re.compile(r"^Number of operations that will run on CPU: (\d+)", re.MULTILINE)
HEADING = re.compile(r"^Operator +Count +Status[ \t\r]*$", re.MULTILINE)
ROW = re.compile(r"^([A-Za-z0-9_-]+)[ \t]+(\d+)[ \t]+(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Compilation:
    """A compiled model."""

    path: Path
    compiler: str
    mapping: Mapping


def compile_for_edgetpu(model: Path, target: Path) -> Compilation:
    """Compile `model` (int8, fully quantized) into `target`.

    Raises ToolError when the compiler is not installed, or cannot compile the model.
    """
    compiler = shutil.which(COMPILER)
    if compiler is None:
        where = "" if platform.machine() == "x86_64" else f"; it exists for x86-64 only, this is {platform.machine()}"
        raise ToolError(f"{COMPILER} is not installed", remedy=f"see https://coral.ai/docs/edgetpu/compiler{where}")
    with TemporaryDirectory(prefix="benchbench-") as folder:
        command = [compiler, "--show_operations", "--out_dir", folder, str(model.resolve())]
        try:
            ran = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False, timeout=DEADLINE_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"{COMPILER} took longer than {DEADLINE_SECONDS} s for {model.name}") from error
        made = Path(folder) / f"{model.stem}_edgetpu.tflite"
        if ran.returncode or not made.is_file():
            raise ToolError(f"{COMPILER} {how_a_child_ended(ran)}")
        log = made.with_suffix(".log")
        mapping = read_mapping(
            ran.stdout + (log.read_text(encoding="utf-8", errors="replace") if log.is_file() else "")
        )
        shutil.move(made, target)
    return Compilation(target, f"{COMPILER} {mapping.compiler or 'of unknown version'}", mapping)


def read_mapping(text: str) -> Mapping:
    """Read what the compiler prints and logs, either or both; rows that appear in both count once."""
    rows = ROW.findall(text[heading.end() :]) if (heading := HEADING.search(text)) else []
    ops = tuple(dict.fromkeys(OpMapping(op=op, count=int(n), status=status.rstrip()) for op, n, status in rows))
    on_tpu, on_cpu = _number(ON_TPU, text), _number(ON_CPU, text)
    if on_tpu is None and ops:
        on_tpu = sum(row.count for row in ops if row.status == MAPPED)
    if on_cpu is None and ops:
        on_cpu = sum(row.count for row in ops if row.status != MAPPED)
    version = VERSION.search(text)
    return Mapping(
        compiler=version.group(1) if version else None,
        ops_on_tpu=on_tpu,
        ops_on_cpu=on_cpu,
        subgraphs=_number(SUBGRAPHS, text),
        ops=ops,
    )


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found.group(1)) if found else None
