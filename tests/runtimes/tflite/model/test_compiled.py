"""Models that were compiled for an accelerator: schemes of their own, run by that accelerator only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchbench.runtimes.models import variants
from benchbench.runtimes.tflite.backends import BACKENDS, Cpu, EdgeTpu, Xnnpack
from benchbench.runtimes.tflite.backends.compiled import COMPILED, mismatch
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.values.model import describe
from tests.runtimes.tflite.model.small_models import M, O, T, build
from tests.workbench import Workbench

CASE = Path(__file__).parents[5] / "shared" / "cases" / "20-ethos-u-compiled" / "model_vela.tflite"


def compiled(op: str) -> bytes:
    """Input, commands and output of one custom operator, and a dense layer behind it that stays on the CPU."""
    commands = T((4096,), "UINT8", np.arange(4096, dtype="uint8"))
    weights = T((4, 8), "INT8", np.ones((4, 8), "int8"), scales=(0.1,))
    tensors = [T((1, 8), "INT8"), commands, T((1, 8), "INT8"), weights, T((1, 4), "INT8")]
    return build(M(tensors, [O(op, (0, 1), (2,)), O("FULLY_CONNECTED", (2, 3), (4,))]))


@pytest.mark.parametrize(
    ("op", "scheme"),
    [
        ("edgetpu-custom-op", "edgetpu"),
        ("ethos-u", "ethos-u"),
        ("NeutronGraph", "neutron"),
        ("vsi-npu", "vsi-npu"),
        ("DISPATCH_OP", "dispatch"),
        ("DISPATCH_OP_2", "dispatch"),
    ],
)
def test_a_compiled_model_is_a_scheme_of_its_own_and_its_commands_are_no_weights(
    tmp_path: Path, op: str, scheme: str
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(compiled(op))
    info = inspect(path)
    assert (info.scheme, info.parameters) == (scheme, None)
    assert info.weight_bytes == {"int8": 32}
    assert describe(info)["compiled_for"] == COMPILED[scheme].name
    (variant,) = variants("net", [path])
    assert variant.scheme in COMPILED
    assert variant.custom_ops == ()  # the accelerator resolves it, and nobody else is asked to


def test_any_other_custom_operator_is_no_scheme(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(compiled("Mfcc"))
    assert (inspect(path).scheme, inspect(path).parameters) == ("int8", 4096 + 32)
    assert variants("net", [path])[0].custom_ops == ("Mfcc",)


def test_a_compiled_model_runs_where_its_accelerator_is_and_nowhere_else() -> None:
    able = {
        scheme: {kind for kind, backend in BACKENDS.items() if mismatch(scheme, backend.example()) is None}
        for scheme in COMPILED
    }
    assert able["edgetpu"] == {"edgetpu", "external"}
    assert able["ethos-u"] == able["neutron"] == able["vsi-npu"] == {"external"}
    assert able["dispatch"] == {"npu"}
    assert "Ethos-U" in str(mismatch("ethos-u", Xnnpack()))
    assert mismatch("int8", Cpu()) is None
    assert "edgetpu_compiler" in str(mismatch("int8", EdgeTpu()))


@pytest.mark.skipif(not CASE.is_file(), reason="the recorded cases are not here")
def test_a_model_compiled_by_vela_is_planned_for_the_cpu_in_vain(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    matrix = tmp_path / "matrix.toml"
    matrix.write_text(
        f'name = "vela"\ndevices = ["host"]\ndelegates = ["cpu", "xnnpack"]\n'
        f'[[model]]\nfamily = "net"\nvariants = "{CASE}"\n'
    )
    told = bench.benchbench("plan", str(matrix), expect=3).stderr
    assert "compiled for Arm's Ethos-U" in told
    shown = bench.benchbench("models", str(CASE)).stdout
    assert "268,648" not in shown
    assert "ethos-u" in shown
