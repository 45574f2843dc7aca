"""Outputs through benchmark_model are those of the plain interpreter, in batches where these can be believed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchbench.accuracy.collect.chunks import Chunks
from benchbench.accuracy.collect.launch_sequence import Evaluated, LaunchSequence
from benchbench.accuracy.collect.with_benchmark_model import evaluate, obstacle
from benchbench.accuracy.datasets import load
from benchbench.accuracy.raw import alike
from benchbench.accuracy.shards import cut
from benchbench.device.session import Session, open_session
from benchbench.execution.prepare import PreparedDevice, prepare_device
from benchbench.execution.worker import Worker
from benchbench.modes.base import RunContext
from benchbench.run_folder import journal as journals
from benchbench.run_folder.manifest import Manifest
from benchbench.runtimes import Delegate
from benchbench.runtimes.base import Toolchain
from benchbench.runtimes.models import inspect, variant_of
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner
from benchbench.runtimes.tflite.benchmark_model.capabilities import Capabilities
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import Case, InputSpec, Trial
from benchbench.values.device import Device, Local, ToolChoice
from benchbench.values.errors import LinkLost
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds import models
from tests.beds.benchmark_model import install
from tests.beds.models import INT32, OPS, Graph

FAMILY = Path(__file__).parents[3] / "benchbench" / "demo" / "fashion_mnist"
XNNPACK = Xnnpack()
Array = NDArray[Any]


@contextmanager
def session_with(folder: Path, tool: Path) -> Iterator[tuple[Session, Toolchain]]:
    device = Device(
        name="host", address=Local(), workdir=str(folder / "a, b: work"), runner="benchmark_model", binary=str(tool)
    )
    with open_session(device) as session:
        toolchain = prepare_device(session, ToolChoice()).toolchains["tflite"]
        yield session, toolchain


def evaluated(
    model: Path,
    samples: Path,
    session: Session,
    toolchain: Toolchain,
    delegate: Delegate = XNNPACK,
    *,
    whole: bool = False,
) -> Evaluated:
    info = inspect(model)
    variant = variant_of(info, "net", model.stem)
    staged = session.store.stage([model])[0]
    work = LaunchSpec(variant, staged, delegate, threads=1, measure=MeasurementSettings(), tool=toolchain.tool)
    assert isinstance(toolchain.runner, BenchmarkModelRunner)
    assert obstacle(toolchain.runner, info) is None
    launches = LaunchSequence(session, toolchain.runner, "net/accuracy 1", Chunks(Path(session.workdir) / "kept here"))
    found = evaluate(launches, work, info, load(samples, info.inputs, whole=whole), ignored)
    launches.parts.remove()
    return found


def ignored(_done: int, _of: int) -> None:
    """Progress that nobody looks at."""


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("tool") / "benchmark_model")


@pytest.fixture
def bench(tool: Path, tmp_path: Path) -> Iterator[tuple[Session, Toolchain]]:
    with session_with(tmp_path, tool) as opened:
        yield opened


def launches(found: Evaluated) -> list[str]:
    return list(found.said)


def plain(model: Path, fed: list[Array]) -> list[Array]:
    """The only output for each sample, one at a time."""
    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    outputs = []
    for sample in fed:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    return outputs


def mixing_model() -> bytes:
    """Takes any batch and mixes its samples: what is joined after a fixed reshape lies branch by branch."""
    graph = Graph()
    x = graph.tensor("x", (1, 4))
    shape = graph.tensor("shape", (3,), INT32, data=np.array([1, -1, 2], np.int32))
    reshaped = graph.tensor("reshaped", (1, 2, 2))
    graph.op(OPS.RESHAPE, (x, shape), reshaped, (schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT()))
    branches = [graph.op(code, (reshaped,), graph.tensor(str(code), (1, 2, 2))) for code in (OPS.TANH, OPS.LOGISTIC)]
    options = schema.ConcatenationOptionsT()
    options.axis = 1
    y = graph.tensor("y", (1, 4, 2))
    graph.op(OPS.CONCATENATION, branches, y, (schema.BuiltinOptions.ConcatenationOptions, options))
    return graph.file([x], [y])


def fixed_model() -> bytes:
    """Takes one sample and no other number: its reshape says so."""
    graph = Graph()
    x, y = graph.tensor("x", (1, 4)), graph.tensor("y", (1, 2, 2))
    shape = graph.tensor("shape", (3,), INT32, data=np.array([1, 2, 2], np.int32))
    graph.op(OPS.RESHAPE, (x, shape), y, (schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT()))
    return graph.file([x], [y])


def four_numbers(folder: Path, count: int) -> tuple[Path, Array]:
    x = np.random.RandomState(1).uniform(-1, 1, (count, 4)).astype(np.float32)
    np.savez(folder / "x.npz", x=x)
    return folder / "x.npz", x


@pytest.mark.parametrize("name", ["float32", "int8-io"])
def test_a_batch_is_proven_by_its_first_and_last_sample_and_is_right_for_all(
    name: str, bench: tuple[Session, Toolchain], tmp_path: Path
) -> None:
    model = FAMILY / f"fashion_mnist_{name}.tflite"
    with np.load(FAMILY / "test.npz") as archive:
        x = archive["x"][:40]
    np.savez(tmp_path / "x.npz", x=x)
    found = evaluated(model, tmp_path / "x.npz", *bench)
    assert found.reading.status == "ok", found.reading.error
    assert launches(found) == ["sample 1 alone", "batch of 40", "sample 40 alone"]
    real = x.reshape(40, 1, 28, 28, 1).astype(np.float32)
    fed = real if name == "float32" else (real - 128).astype(np.int8)
    expected = np.concatenate(plain(model, list(fed)))
    (output,) = found.outputs
    assert output.raw.dtype == expected.dtype
    assert alike(output.raw, expected)
    assert (output.scale, output.zero_point) == ((0.0, 0) if name == "float32" else (0.00390625, -128))
    assert found.reading.measurement.timings.mean is None  # a batch is not what is timed
    assert found.reading.delegation.verdict != "unknown"


@pytest.mark.parametrize(
    ("build", "delegate", "why"),
    [
        (mixing_model, Xnnpack(), "batch of 6: its outputs are not those of its samples alone"),
        (fixed_model, Cpu(), "launch 2 (batch of 6): "),
    ],
)
def test_a_model_that_cannot_be_batched_is_found_out_and_run_one_by_one(
    build: Any, delegate: Delegate, why: str, bench: tuple[Session, Toolchain], tmp_path: Path
) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(build())
    samples, x = four_numbers(tmp_path, 6)
    found = evaluated(model, samples, *bench, delegate=delegate)
    assert found.reading.status == "ok", found.reading.error
    (remark,) = found.reading.measurement.warnings
    assert remark.startswith("samples were run one by one: ")
    assert why in remark
    assert launches(found)[-1] == "one by one"
    np.testing.assert_array_equal(found.outputs[0].raw, np.concatenate(plain(model, [row[None] for row in x])))


def test_a_model_with_a_batch_of_its_own_takes_its_samples_batch_by_batch(
    bench: tuple[Session, Toolchain], tmp_path: Path
) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(models.chain_model(shape=(4, 3)))
    x = np.random.RandomState(1).uniform(-1, 1, (10, 3)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x)
    found = evaluated(model, tmp_path / "x.npz", *bench)
    assert launches(found) == ["sample 1 alone", "one by one"]  # three launches: a batch would gain nothing
    padded = np.concatenate([x, x[-1:], x[-1:]]).reshape(3, 4, 3)
    np.testing.assert_allclose(found.outputs[0].raw, np.concatenate(plain(model, list(padded)))[:10], rtol=1e-6)


def test_nothing_is_left_on_the_device_but_the_model_and_the_tool(
    bench: tuple[Session, Toolchain], tmp_path: Path
) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(fixed_model())
    evaluated(model, four_numbers(tmp_path, 5)[0], *bench, delegate=Cpu())
    workdir = Path(bench[0].workdir)
    left = {path.name for path in Path(bench[0].agent.jobs).iterdir()}
    assert left <= {"reading"}  # when the agent last read the conditions
    assert not [path for path in (workdir / "store").iterdir() if path.suffix == ".raw"]


def turning_tool(tool: Path, folder: Path) -> Path:
    """The tool, but from its third launch on without XNNPACK: a device that changes its mind."""
    count, wrapper = folder / "count", folder / "turning"
    wrapper.write_text(
        f"""#!/bin/sh
count={shlex.quote(str(count))}
case "$*" in *--graph=*) echo x >> "$count" ;; esac
if [ -f "$count" ] && [ "$(wc -l < "$count")" -ge 3 ]; then
  for flag; do shift; [ "$flag" = --use_xnnpack=true ] && flag=--use_xnnpack=false; set -- "$@" "$flag"; done
fi
exec {shlex.quote(str(tool))} "$@"
"""
    )
    wrapper.chmod(0o755)
    return wrapper


def test_launches_that_differ_in_their_delegation_fail_the_evaluation(tool: Path, tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(models.chain_model(shape=(4, 3)))
    np.savez(tmp_path / "x.npz", x=np.zeros((12, 3), np.float32))
    with session_with(tmp_path, turning_tool(tool, tmp_path)) as (session, toolchain):
        found = evaluated(model, tmp_path / "x.npz", session, toolchain)
    assert found.reading.status == "failed"
    assert found.outputs == ()
    differs = "launch 3 (one by one): its delegation is none (0 nodes), and full (4 nodes) in the first launch"
    assert found.reading.error == differs


def test_a_run_that_is_cancelled_launches_nothing_more(bench: tuple[Session, Toolchain], tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(fixed_model())
    bench[0].cancelled.set()
    with pytest.raises(LinkLost, match="cancelled"):
        evaluated(model, four_numbers(tmp_path, 5)[0], *bench)


def test_a_tool_that_cannot_give_outputs_back_and_models_it_cannot_feed_are_named(tmp_path: Path) -> None:
    able = frozenset({"graph", "input_layer", "input_layer_shape", "input_layer_value_files", "output_filepath"})
    older, newer = Capabilities("tflite", able), Capabilities("litert", frozenset({"graph", "use_npu"}))
    info = inspect(FAMILY / "fashion_mnist_float32.tflite")
    assert obstacle(BenchmarkModelRunner(older), info) is None
    why = obstacle(BenchmarkModelRunner(newer), info)
    assert why == "this benchmark_model (litert) cannot take inputs from files and give outputs back: no --input_layer"
    (image,) = info.inputs
    described = (InputSpec(shape=(1, 56, 56, 1)),)
    assert "other shapes than its file" in str(obstacle(BenchmarkModelRunner(older), info, described))
    for changed, said in (
        ({"inputs": (image.model_copy(update={"signature": (1, -1, -1, 1)}),)}, "has no fixed shape: [1, -1, -1, 1]"),
        ({"inputs": (image.model_copy(update={"dtype": "string"}),)}, "is string: only plain numbers"),
        ({"outputs": (info.outputs[0].model_copy(update={"shape": (0,)}),)}, "has no fixed shape"),
    ):
        assert said in str(obstacle(BenchmarkModelRunner(older), info.model_copy(update=changed)))


def test_a_model_without_an_axis_of_samples_takes_one_whole_set_of_inputs_a_launch(
    bench: tuple[Session, Toolchain], tmp_path: Path
) -> None:
    model, samples = tmp_path / "sum.tflite", tmp_path / "samples.npz"
    model.write_bytes(models.add_model((6,)))
    fed = np.random.default_rng(0).normal(size=(2, 3, 6)).astype(np.float32)
    np.savez(samples, a=fed[0], b=fed[1])
    found = evaluated(model, samples, *bench, whole=True)
    assert found.reading.status == "ok"
    assert launches(found) == ["sample 1 alone", "one by one"]
    np.testing.assert_allclose(found.outputs[0].raw, fed[0] + fed[1], rtol=1e-6)


def test_the_trial_of_a_tool_that_gives_no_outputs_back_is_skipped_and_says_why(
    bench: tuple[Session, Toolchain], tmp_path: Path
) -> None:
    session, toolchain = bench
    newer = BenchmarkModelRunner(Capabilities("litert", frozenset({"graph", "num_runs", "use_npu"})))
    prepared = PreparedDevice(session.device, session.probe(), {"tflite": replace(toolchain, runner=newer)})
    model = tmp_path / "net.tflite"
    model.write_bytes(fixed_model())
    case = Case(device="host", variant=variant_of(inspect(model), "net", "float32"), delegate=XNNPACK, threads=1)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "logs").mkdir()
    with closing(journals.create(tmp_path / "run", Manifest())) as journal:
        shards = cut(load(four_numbers(tmp_path, 2)[0], inspect(model).inputs), tmp_path / "shards")
        trial = Trial(case=case, round=0, position=1, purpose="accuracy")
        outcome = Worker(session, prepared, session.reading()).perform(
            trial, RunContext(MeasurementSettings(), journal, {case.variant.id: shards}), ignored
        )
    assert outcome.status == "skipped"
    assert "(litert) cannot take inputs from files" in str(outcome.error)
    assert outcome.outputs is None
