"""A stand-in of TFLite's benchmark_model for test devices: same flags, same lines, same exit codes, real inference.

What is real: the model runs in the LiteRT interpreter with the threads, XNNPACK and external delegates asked for;
times, memory, outputs and delegated nodes are those of that run. What is not: GPU and NNAPI are missing, as on a PC
(STANDIN_GPU=absent in its environment: flags unknown; =refused: known, and a warning), and an op profile has one
row for the whole graph, which is what Python can measure; a weight cache is a file that is written and read, and
makes nothing quicker. With STANDIN_CLOCK nothing runs: see `clocked`.

`install` packs it into one executable file that needs only Python and ai-edge-litert: it travels to phones and boards.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import zipapp
from pathlib import Path


def install(target: Path, *, python: str = sys.executable) -> Path:
    """Write the tool to `target` as one executable file that `python` runs; returns `target`."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "standin"
        shutil.copytree(Path(__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
        zipapp.create_archive(folder, target, interpreter=python, main="standin.tool:main")
    target.chmod(0o755)
    return target
