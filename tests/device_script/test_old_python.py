"""The script in the oldest Python that there is here: old boards have no newer one."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchbench import device_script
from benchbench.accuracy.outputs import read_outputs
from benchbench.device_script.onnxruntime.delegates import OnnxRuntimeDelegate
from benchbench.device_script.protocol import ANSWER, OUTPUTS, REQUEST, Evaluation
from benchbench.runtimes.device_script import read_answer, read_probe
from tests.beds import models, onnx_models
from tests.beds.launch import script_file
from tests.device_script.conftest import CPU, request_for

FOLDER = Path(str(device_script.__file__)).parent
SOURCES = sorted(FOLDER.rglob("*.py"))
OLD = ("3.7", "3.8", "3.9", "3.10")
PACKAGES = ("tflite-runtime", "numpy<2", "onnxruntime")  # as `devices --equip` installs them on such a board


@cache
def oldest() -> tuple[str, str] | None:
    """The oldest Python before this one, on the PATH or among pyenv's: its version and its path."""
    shim = shutil.which("pyenv")
    pyenv = Path(os.environ.get("PYENV_ROOT") or (Path(shim).resolve().parents[1] if shim else Path.home() / ".pyenv"))
    for version in OLD:
        places = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python3")))]
        for python in filter(None, places):
            ran = subprocess.run([python, "-c", "import ctypes, ssl"], capture_output=True, check=False)
            if ran.returncode == 0:  # the shim of a Python that is not chosen fails
                return version, python
    return None


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, dict[str, str]]:
    """The oldest Python with a runtime: its version, its path, and its environment."""
    found = oldest()
    if found is None:
        pytest.skip(f"no Python before 3.11 is on this machine: {', '.join(OLD)}")
    version, python = found
    folder = tmp_path_factory.mktemp("old-python")
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--only-binary", ":all:"]
    done = subprocess.run(
        [*install, "--python", python, "--target", str(folder), *PACKAGES], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no runtime can be had for Python {version}: {done.stderr.strip()[-300:]}")
    return version, python, {**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "error::SyntaxWarning"}


def test_the_script_is_python_3_7_and_needs_numpy_alone() -> None:
    """vermin (`make check`) knows in which Python a function came."""
    trees = [ast.parse(path.read_bytes(), feature_version=(3, 7)) for path in SOURCES]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {name.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {
        (node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and not node.level
    }
    assert imported - set(sys.stdlib_module_names) == {"device_script", "numpy"}


def test_every_file_can_be_imported_by_an_old_python(old: tuple[str, str, dict[str, str]]) -> None:
    _, python, environment = old
    parts = [path.relative_to(FOLDER).with_suffix("").parts for path in SOURCES]
    names = [".".join(place) for place in parts if place[-1] not in {"__init__", "__main__", "archive_main"}]
    program = f"import sys, importlib; sys.path.insert(0, {str(script_file())!r})\n"
    program += f"for name in {names}: importlib.import_module('device_script.' + name)"
    subprocess.run([python, "-c", program], env=environment, check=True)


@pytest.mark.parametrize("packed", [True, False])
def test_an_old_python_is_probed(old: tuple[str, str, dict[str, str]], packed: bool) -> None:
    """As it travels, and straight from a checkout."""
    version, python, environment = old
    program = [str(script_file())] if packed else ["-B", "-m", device_script.__name__.rpartition(".")[2]]
    run = subprocess.run(
        [python, *program, "--probe"], env=environment, cwd=FOLDER.parent, capture_output=True, check=True
    )
    said = read_probe(run.stdout.decode())
    assert said is not None
    assert said.python.startswith(f"{version}.")
    assert (said.runtime or "").startswith("tflite-runtime ")


def test_an_old_python_measures_and_evaluates(old: tuple[str, str, dict[str, str]], tmp_path: Path) -> None:
    version, python, environment = old
    model = tmp_path / "model.tflite"
    model.write_bytes(models.chain_model(2, (1, 8), (models.OPS.RELU,)))
    samples = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    for evaluation in (None, Evaluation("samples.npz")):
        asked = request_for("model.tflite", asked="cpu", delegate=CPU, evaluate=evaluation)
        (tmp_path / REQUEST).write_text(asked)
        command = [python, str(script_file()), REQUEST, ANSWER]
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=120)
        answer = read_answer((tmp_path / ANSWER).read_bytes())
        assert (answer.status, answer.error) == ("ok", None)
        assert (answer.python or "").startswith(f"{version}.")
        assert answer.delegation.verdict == "full"
        assert answer.ops == {"RELU": 2}
        assert answer.steady_ns
    (output,) = read_outputs(tmp_path / OUTPUTS)
    np.testing.assert_array_equal(output.raw, np.maximum(samples, 0))


def test_an_old_python_measures_and_evaluates_with_its_onnxruntime(
    old: tuple[str, str, dict[str, str]], tmp_path: Path
) -> None:
    _, python, environment = old
    (tmp_path / "model.onnx").write_bytes(onnx_models.conv("N").SerializeToString())
    samples = np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    for evaluation in (None, Evaluation("samples.npz")):
        asked = request_for("model.onnx", asked="ort-cpu", delegate=OnnxRuntimeDelegate(), evaluate=evaluation)
        (tmp_path / REQUEST).write_text(asked)
        command = [python, str(script_file()), REQUEST, ANSWER]
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=120)
        answer = read_answer((tmp_path / ANSWER).read_bytes())
        assert (answer.status, answer.error) == ("ok", None)
        assert (answer.runtime or "").startswith("onnxruntime ")
        assert answer.delegation.verdict == "full"
        assert answer.steady_ns
    (output,) = read_outputs(tmp_path / OUTPUTS)
    np.testing.assert_allclose(output.raw.sum(axis=1), 1, atol=1e-5)
