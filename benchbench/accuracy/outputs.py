"""Outputs of a model over all samples of a dataset, and the file in which they travel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchbench.accuracy.tensors import Array, Reals
from benchbench.device_script.tensors import dequantize
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError


@dataclass(frozen=True, slots=True)
class Output:
    """An output tensor over all samples as the model gave it, [n, ...], with its quantization (scale 0 = none)."""

    name: str
    raw: Array
    scale: float = 0.0
    zero_point: int = 0

    @property
    def real(self) -> Reals:
        return dequantize(self.raw, self.scale, self.zero_point)

    @property
    def limits(self) -> tuple[float, float] | None:
        """The smallest and the largest real value that its quantization can say; None where it is not quantized."""
        if not self.scale or self.raw.dtype.kind not in "iu":
            return None
        kind = np.iinfo(self.raw.dtype)
        return (kind.min - self.zero_point) * self.scale, (kind.max - self.zero_point) * self.scale


def kept_in(run: Path, outputs: str) -> Path:
    """The folder below a run folder that an outcome names; raises InputError where it leads out of the run."""
    folder = run / outputs
    if not folder.resolve().is_relative_to(run.resolve()):
        raise InputError(f"{run / 'outcomes.jsonl'}: outputs: {outputs!r} leads out of the run folder")
    return folder


def read_outputs(path: Path) -> tuple[Output, ...]:
    """Outputs as the script on a device leaves them: `output_0` …, `scale_0`, `zero_point_0` … and `names`.

    Raises InputError for a file that is not of this kind.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return tuple(
                Output(str(name), archive[f"output_{k}"], float(archive[f"scale_{k}"]), int(archive[f"zero_point_{k}"]))
                for k, name in enumerate(archive["names"])
            )
    except MemoryError:  # of this host, not of the file
        raise
    except Exception as error:  # zipfile, zlib and numpy each have their own for a damaged file
        raise InputError(f"{path}: no outputs of a model: {error}") from error


def write_outputs(path: Path, outputs: Sequence[Output]) -> None:
    """The file that `read_outputs` reads, whole or not at all."""
    arrays: dict[str, Array] = {"names": np.array([output.name for output in outputs])}
    for k, output in enumerate(outputs):
        arrays[f"output_{k}"] = output.raw
        arrays[f"scale_{k}"] = np.array(output.scale, np.float64)
        arrays[f"zero_point_{k}"] = np.array(output.zero_point, np.int64)
    with atomic(path) as file:
        np.savez(file, allow_pickle=False, **arrays)
