"""Models that leave their input open: the matrix says its shape and the range of its values, to both runners alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchbench.config.matrix import load_matrix
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, Capabilities
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import InputSpec
from benchbench.values.errors import InputError
from tests.beds import models
from tests.beds.launch import launch, work_for

FLAGS = (
    "graph num_threads num_runs min_secs max_secs warmup_runs warmup_min_secs use_xnnpack "
    "input_layer input_layer_shape input_layer_value_range"
)
WIDE = InputSpec(shape=(1, 24, 16, 8), range=(2, 3))
MATRIX = """
name = "open"
delegates = ["cpu"]
[[model]]
family = "chain"
variants = "chain.tflite"
inputs = [{specs}]
"""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Elementwise nodes, which run in any shape of rank four; written for 1 x 16 x 16 x 8."""
    path = tmp_path / "chain.tflite"
    path.write_bytes(models.chain_model(4))
    return path


def test_the_python_runner_resizes_the_input_and_keeps_to_the_range(chain: Path, tmp_path: Path) -> None:
    work = _fed(work_for(chain, Xnnpack()))
    done = launch(work, tmp_path)
    assert done.reading.status == "ok", done.reading.error
    answer = (tmp_path / "answer.json").read_text()
    assert "[1, 24, 16, 8]" in " ".join(answer.split())


def _fed(work: LaunchSpec) -> LaunchSpec:
    return replace(work, variant=work.variant.model_copy(update={"inputs": (WIDE,)}))


def test_the_native_tool_is_told_the_shape_and_the_range(chain: Path) -> None:
    work = _fed(work_for(chain, Xnnpack()))
    argv = BenchmarkModelRunner(Capabilities("tflite", frozenset(FLAGS.split()))).job(work).argv
    assert "--input_layer=input0" in argv
    assert "--input_layer_shape=1,24,16,8" in argv
    assert "--input_layer_value_range=input0,2,3" in argv


def test_the_matrix_describes_all_inputs_of_a_model_or_none(chain: Path, tmp_path: Path) -> None:
    path = tmp_path / "matrix.toml"
    path.write_text(MATRIX.format(specs="{ shape = [1, 24, 16, 8], range = [2, 3] }"))
    assert load_matrix(path).variants[0].inputs == (WIDE,)
    path.write_text(MATRIX.format(specs="{ shape = [1, 2] }, { shape = [1, 2] }"))
    with pytest.raises(InputError, match="has 1, the matrix describes 2"):
        load_matrix(path)
    path.write_text(MATRIX.format(specs="{ shape = [0] }"))
    with pytest.raises(InputError, match="whole numbers from 1"):
        load_matrix(path)
