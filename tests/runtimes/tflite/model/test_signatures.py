"""Models with several entry points: one is chosen in the matrix, and goes through every tool and the reference."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from benchbench.config.matrix import load_matrix
from benchbench.pipeline import plan_matrix
from benchbench.runtimes.tflite.backends import Cpu, Xnnpack
from benchbench.runtimes.tflite.benchmark_model import BenchmarkModelRunner, Capabilities
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.values.case import Signature
from benchbench.values.errors import InputError
from tests.beds.launch import launch, work_for
from tests.workbench import QUICK, Workbench

TWO = Path(__file__).parents[5] / "shared" / "models" / "two_signatures.tflite"
pytestmark = pytest.mark.skipif(not TWO.is_file(), reason="the published models are not here")

FLAGS = "graph num_threads num_runs min_secs max_secs warmup_runs warmup_min_secs use_xnnpack use_cpu"


def matrix(folder: Path, more: str = "", *, device: str = "host") -> Path:
    path = folder / "matrix.toml"
    path.write_text(
        f'name = "two"\ndevices = ["{device}"]\ndelegates = ["cpu", "xnnpack"]\n'
        f'[[model]]\nfamily = "two"\nvariants = "{TWO}"\ndataset = "random"\n{more}\n'
        f"[measure]\n{QUICK.format(rounds=1, runs=2)}canary = false\n"
    )
    return path


def test_a_signature_has_its_own_graph_and_its_arguments_by_name() -> None:
    info = inspect(TWO).entered_by("add")
    assert (info.main, [t.name for t in info.inputs], [t.name for t in info.outputs]) == (1, ["a", "b"], ["y"])
    with pytest.raises(InputError, match="no signature") as caught:
        inspect(TWO).entered_by("mul")
    assert '"sub", "add"' in caught.value.remedy


def test_a_signature_that_no_file_has_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'model two: signature: .* has no signature "mul"'):
        load_matrix(matrix(tmp_path, 'signature = "mul"'))


def test_several_signatures_and_none_chosen_are_told_at_plan(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    told = bench.benchbench("plan", str(matrix(tmp_path))).stderr
    assert '"sub", "add"' in told
    bench.device("phone", 'address = { transport = "adb", serial = "X" }\n')
    _, remarks = plan_matrix(matrix(tmp_path, device="phone"), inventory=bench.inventory)
    assert any("benchmark_model fails" in remark for remark in remarks)
    _, remarks = plan_matrix(matrix(tmp_path, 'signature = "add"'), inventory=bench.inventory)
    assert not any("signatures" in remark for remark in remarks)


@pytest.mark.parametrize("delegate", [Cpu(), Xnnpack()])
def test_the_script_runs_the_graph_of_the_signature(tmp_path: Path, delegate: Cpu | Xnnpack) -> None:
    signature = Signature(key="add", inputs=("a", "b"), outputs=("y",))
    work = work_for(TWO, delegate)
    work = replace(work, variant=work.variant.model_copy(update={"signature": signature}))
    done = launch(work, tmp_path)
    assert done.reading.status == "ok", done.reading.error
    assert (done.reading.delegation.verdict, done.reading.delegation.nodes_total) == ("full", 1)
    assert [given["name"] for given in json.loads((tmp_path / "answer.json").read_text())["inputs"]] == ["a", "b"]


@pytest.mark.parametrize("signature", ["sub", "add"])
def test_outputs_of_a_signature_are_compared_with_its_own_reference(tmp_path: Path, signature: str) -> None:
    bench = Workbench(tmp_path)
    cases = load(bench.run(matrix(tmp_path, f'signature = "{signature}"'))).cases
    assert list(cases["status"]) == ["ok", "ok"]
    assert cases["accuracy_cosine"].min() > 0.9999  # a - b is not b - a


@pytest.mark.parametrize("generation", ["tflite", "litert"])
def test_both_native_tools_are_told_the_signature(generation: str) -> None:
    work = work_for(TWO, Xnnpack())
    signature = Signature(key="add", inputs=("a", "b"), outputs=("y",))
    work = replace(work, variant=work.variant.model_copy(update={"signature": signature}))
    flags = frozenset([*FLAGS.split(), "signature_to_run_for"])
    runner = BenchmarkModelRunner(Capabilities("tflite" if generation == "tflite" else "litert", flags))
    assert "--signature_to_run_for=add" in runner.job(work).argv
