"""What a plan says of its models: operators without kernels, sizes that nobody gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.config.matrix import load_matrix
from benchbench.execution.model_remarks import model_remarks
from benchbench.runtimes.base import Target
from benchbench.runtimes.tflite.backends import Cpu, External, Xnnpack
from benchbench.values.case import Case, Variant
from benchbench.values.device import Adb, Device, Local, Traits
from tests.report.builder import launches, variant, write_run
from tests.runtimes.tflite.model.small_models import M, O, T, build

HOST, PHONE = Device(name="host", address=Local()), Device(name="pixel8", address=Adb(serial="R58N"))


def said(model: Variant, *delegates: Any, target: Target | None = None) -> str:
    where = target or Target(HOST)
    cases = [Case(device=where.device.name, variant=model, delegate=d, threads=1) for d in delegates or (Cpu(),)]
    return "\n".join(model_remarks(cases, [where]))


def test_a_plain_model_is_not_worth_a_word() -> None:
    assert said(variant(), Cpu(), Xnnpack()) == ""


def test_a_cache_that_moves_a_delegate_to_another_api_is_told_where_python_measures() -> None:
    assert "xnnpack:warm" in (told := said(variant(), Xnnpack(cache="off"), Xnnpack(cache="warm")))
    assert "xnnpack:no-cache" in told
    assert len(told.splitlines()) == 1
    native = Target(HOST, runners={"tflite": "benchmark_model"})
    assert said(variant(), Xnnpack(cache="warm"), target=native) == ""


def test_custom_operators_are_named_for_the_delegates_that_lack_them() -> None:
    odd = variant().model_copy(update={"custom_ops": ("Convolution2DTransposeBias", "Mfcc", "TransformLandmarks")})
    told = said(odd, Cpu(), Xnnpack(), External(path="libx.so"))
    cpu, xnnpack = told.splitlines()
    assert ("Convolution2DTransposeBias" in cpu, "Convolution2DTransposeBias" in xnnpack) == (True, False)
    assert "TransformLandmarks" in cpu
    assert "TransformLandmarks" in xnnpack
    assert "Mfcc" not in told  # every runtime has it
    assert "external" not in told  # its library may take anything


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target(PHONE), True),
        (Target(PHONE.model_copy(update={"binary": "/tools/android_benchmark_model_plus_flex"})), False),
        (Target(HOST, Traits(os="linux", abi="x86_64", runtime="ai-edge-litert 2.3.0"), {"tflite": "python"}), True),
        (Target(HOST, Traits(os="linux", abi="x86_64", runtime="tensorflow 2.20.0"), {"tflite": "python"}), False),
    ],
)
def test_flex_operators_are_named_where_the_tool_has_none(target: Target, told: bool) -> None:
    flex = variant().model_copy(update={"flex_ops": ("FlexErf",)})
    assert ("FlexErf" in said(flex, target=target)) == told


@pytest.mark.parametrize(
    ("signature", "given", "told"),
    [
        ((1, -1, 8), "", True),
        ((1, -1, 8), "inputs = [{ shape = [1, 4, 8] }]", False),
        ((-1, 1, 8), "", False),  # any number of samples
    ],
)
def test_a_plan_tells_a_size_that_the_file_leaves_open_unless_the_matrix_gives_it(
    tmp_path: Path, signature: tuple[int, ...], given: str, told: bool
) -> None:
    tensors = [T((1, 1, 8), signature=signature), T((1, 1, 8), signature=signature)]
    (tmp_path / "speech.tflite").write_bytes(build(M(tensors, [O("TANH", (0,), (1,))])))
    path = tmp_path / "matrix.toml"
    path.write_text(
        f'name = "m"\ndelegates = ["cpu"]\n[[model]]\nfamily = "speech"\nvariants = "speech.tflite"\n{given}\n'
    )
    (model,) = load_matrix(path).variants
    assert ("open" in said(model)) == told


def test_a_size_that_nobody_gave_is_a_remark_of_the_plan_and_a_doubt_of_the_case(tmp_path: Any) -> None:
    from benchbench.analysis.frames import load

    model = variant("speech").model_copy(update={"open_inputs": ("audio",)})
    assert "audio" in said(model)
    cases = load(write_run(tmp_path, launches([1, 1.01, 0.99], model=model), variants=[model])).cases
    doubts = {doubt.kind: doubt for doubt in cases.iloc[0]["doubts"]}
    assert "audio" in doubts["open shape"].text
    assert "inputs" in doubts["open shape"].remedy
