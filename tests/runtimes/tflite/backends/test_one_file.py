"""A backend is one file and its name in the union: nothing else of the package knows a delegate."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

import benchbench
from benchbench.runtimes import backend_type
from benchbench.runtimes.script_runner import PythonRunner
from benchbench.runtimes.tflite.backends import BACKENDS
from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.backends.compiled import COMPILED, mismatch
from benchbench.runtimes.tflite.backends.custom_ops import unresolved
from benchbench.runtimes.tflite.backends.owners import FLAGS, LOG_NAMES, kernel_owner
from benchbench.runtimes.tflite.benchmark_model.capabilities import Capabilities
from benchbench.runtimes.tflite.benchmark_model.runner import BenchmarkModelRunner
from benchbench.values.backend import Backend
from benchbench.values.device import RunnerKind, Traits

PACKAGE = Path(benchbench.__file__).parent
BACKEND_FILES = "runtimes/tflite/backends/"
RUNNERS: tuple[RunnerKind, ...] = ("benchmark_model", "python")
PHONE = Traits(os="android", abi="arm64-v8a", sdk=35, accelerators=tuple(BACKENDS))
TOOLS = (
    BenchmarkModelRunner(Capabilities("tflite", frozenset(), {})),
    BenchmarkModelRunner(Capabilities("litert", frozenset(), {})),
    PythonRunner(),
)
# Modules that hold the word of a delegate's kind, and why it is not knowledge of delegates.
ALLOWED = {
    "values/case.py": "a key of run folders of format 1",
    "runtimes/tflite/quantize/quantize.py": "a scheme that a compiler of its own makes",
    "runtimes/onnxruntime/": "another runtime, whose devices have such names",
    "config/rules.py": "an example in the reference of its keys",
    "device_script/": "what travels to the device knows nothing of this package",
}


class Silent(TfliteBackend):
    """A backend that says nothing but its name."""

    kind: Literal["silent"] = "silent"


def string_literals(source: str) -> Iterator[str]:
    """The strings of a module that are no docstrings."""
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_no_other_module_names_a_delegate() -> None:
    # "cpu" is also a processor, and the fallback.
    kinds = set(BACKENDS) - {"cpu"}
    naming = {
        name
        for path in PACKAGE.rglob("*.py")
        if not (name := path.relative_to(PACKAGE).as_posix()).startswith(BACKEND_FILES)
        and kinds & set(string_literals(path.read_text(encoding="utf-8")))
    }

    assert {name for name in naming if not name.startswith(tuple(ALLOWED))} == set()


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_every_backend_says_what_the_rooms_above_ask(backend: type[Backend]) -> None:
    example = backend.example()

    assert BACKENDS[example.kind] is backend
    assert example.label.startswith(example.kind)
    assert re.fullmatch(r"#[0-9a-f]{6}", str(backend.color))
    assert [other.color for other in BACKENDS.values()].count(backend.color) == 1
    assert example.fallback in {*BACKENDS}
    assert backend.compiled_schemes <= set(COMPILED)
    assert backend.compiled_schemes or not backend.only_compiled


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_a_backend_is_refused_by_exactly_the_tools_that_it_has_no_words_for(backend: type[TfliteBackend]) -> None:
    example = backend.example()
    native = example.tflite_flags(None) is not None or example.litert_flags(None) is not None

    assert (example.unsupported_reason(PHONE, "benchmark_model") is None) == native
    assert (PythonRunner().unsupported_reason(example) is None) == (example.request(None) is not None)
    if example.request(None) is None:
        assert example.unsupported_reason(PHONE, "python")


def test_a_backend_that_says_nothing_is_refused_by_everything() -> None:
    silent = Silent()

    assert all(silent.unsupported_reason(PHONE, runner) for runner in RUNNERS)
    assert all(tool.unsupported_reason(silent) for tool in TOOLS)
    assert all(mismatch(scheme, silent) for scheme in COMPILED)
    assert unresolved(("SomeOp",), silent) == ("SomeOp",)
    assert (silent.color, silent.processor, silent.tried_out) == (None, None, False)


def test_tools_refuse_a_backend_of_another_runtime() -> None:
    class Foreign(Backend):
        kind: Literal["foreign"] = "foreign"

    assert all(Foreign().unsupported_reason(PHONE, runner) for runner in RUNNERS)
    assert all(tool.unsupported_reason(Foreign()) for tool in TOOLS)


def test_a_kind_that_nobody_has_claims_nothing() -> None:
    for kind in ("coreml", "", None):
        assert backend_type(kind) is Backend


def test_no_two_delegates_share_a_name_in_logs() -> None:
    called = [[*names.flags, *names.words, *names.kernels] for names in LOG_NAMES.values()]
    everything = [name for names in called for name in names]

    assert len(everything) == len(set(everything))
    assert all(kernel_owner(kernel) == kind for kind, names in LOG_NAMES.items() for kernel in names.kernels)
    assert all(FLAGS[flag] == kind for kind, names in LOG_NAMES.items() for flag in names.flags)


QUOKKA = """
from typing import Any, Literal

from benchbench.runtimes.tflite.backends.base import TfliteBackend
from benchbench.runtimes.tflite.backends.log_names import LogNames


class Quokka(TfliteBackend):
    kind: Literal["quokka"] = "quokka"
    turbo: bool = False
    color = "#123456"
    processor = "accelerator"
    log_names = LogNames(flags=("use_quokka",), words=("marsupial",), kernels=("quokkakernel",))

    def tflite_flags(self, library: str | None) -> tuple[str, ...]:
        return ("--use_quokka=true", f"--quokka_turbo={str(self.turbo).lower()}", "--use_xnnpack=true")
"""
ASKS = """
import json, sys
from pathlib import Path

from benchbench.analysis.surprises import ACCELERATORS
from benchbench.config.matrix import load_matrix
from benchbench.runtimes import backend_type
from benchbench.runtimes.tflite.backends import KINDS
from benchbench.runtimes.tflite.benchmark_model.capabilities import Capabilities
from benchbench.runtimes.tflite.benchmark_model.log_parser import read_text
from benchbench.runtimes.tflite.benchmark_model.profile import executor
from benchbench.runtimes.tflite.benchmark_model.runner import BenchmarkModelRunner

(delegate,) = load_matrix(Path(sys.argv[1])).delegates
(launch,) = read_text(Path(sys.argv[2]).read_text())
litert = BenchmarkModelRunner(Capabilities("litert", frozenset(), {}))
print(json.dumps({
    "label": delegate.label,
    "turbo": delegate.turbo,
    "last": KINDS[-1],
    "color": backend_type("quokka").color,
    "accelerator": "quokka" in ACCELERATORS,
    "asked": launch.delegation.asked,
    "verdict": launch.delegation.verdict,
    "nodes": launch.delegation.nodes_delegated,
    "executor": executor("QuokkaKernel", "x"),
    "litert": litert.unsupported_reason(delegate),
}))
"""
LOG = """\
STARTING!
Graph: [net.tflite]
Use quokka: [1]
Loaded model net.tflite
INFO: MARSUPIAL delegate created.
Replacing 31 out of 31 node(s) with delegate (QuokkaKernel) node, yielding 1 partitions for subgraph 0.
The input model file size (MB): 4.2
Initialized session in 1.5ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds.
count=50 first=100 curr=100 min=90 max=120 avg=101.0 std=2
Inference timings in us: Init: 1500, First inference: 100, Warmup (avg): 100, Inference (avg): 101
"""


def with_quokka(folder: Path) -> None:
    """The package with one more backend: a file of its own, and its name in the union."""
    package = folder / "benchbench"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "demo"))
    (package / BACKEND_FILES / "quokka.py").write_text(QUOKKA, encoding="utf-8")
    union = package / BACKEND_FILES / "__init__.py"
    text = union.read_text(encoding="utf-8")
    for before, after in (
        (" | Npu,\n", " | Npu | Quokka,\n"),
        ("\n\nDelegate = ", "\nfrom benchbench.runtimes.tflite.backends.quokka import Quokka\n\nDelegate = "),
    ):
        assert text.count(before) == 1
        text = text.replace(before, after)
    union.write_text(text, encoding="utf-8")


def test_a_new_backend_is_one_file_and_its_name_in_the_union(tmp_path: Path) -> None:
    with_quokka(tmp_path)
    shutil.copyfile(next((PACKAGE / "demo" / "fashion_mnist").glob("*.tflite")), tmp_path / "net.tflite")
    matrix, log = tmp_path / "matrix.toml", tmp_path / "log.txt"
    matrix.write_text(
        'name = "m"\ndevices = ["host"]\ndelegates = [{ kind = "quokka", turbo = true }]\n'
        '[[model]]\nfamily = "net"\nvariants = "net.tflite"\n'
    )
    log.write_text(LOG)

    asked = subprocess.run(
        [sys.executable, "-c", ASKS, str(matrix), str(log)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout) | {"litert": ""} == {
        "label": "quokka",
        "turbo": True,
        "last": "quokka",
        "color": "#123456",
        "accelerator": True,
        "asked": "quokka",
        "verdict": "full",
        "nodes": 31,
        "executor": "quokka",
        "litert": "",
    }
    assert json.loads(asked.stdout)["litert"]
