"""A runtime is one folder and its name in the registry: a second one is put into a copy of the package, and used."""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchbench
from benchbench.run_folder.journal import read_outcomes
from benchbench.run_folder.manifest import read_manifest

PACKAGE = Path(benchbench.__file__).parent
SLEEPER = Path(__file__).parents[1] / "beds" / "sleeper"
SCRIPT = (SLEEPER / "sleeper.sh").read_text(encoding="utf-8")
TFLITE = PACKAGE / "demo" / "fashion_mnist" / "fashion_mnist_float32.tflite"
REGISTRY = (  # all that is edited outside the folder of a runtime, in runtimes/__init__.py
    ("from benchbench.values.backend", "from benchbench.runtimes.sleeper.backend import Sleep\n{}"),
    ("from benchbench.values.backend", "from benchbench.runtimes.sleeper.runtime import Sleeper\n{}"),
    ("RUNTIMES: tuple[Runtime, ...] = (Tflite(),", "{} Sleeper(),"),
    ("OnnxDelegate, Field", "OnnxDelegate | Sleep, Field"),
)
MATRIX = """\
name = "two runtimes"
devices = ["host"]
delegates = ["xnnpack", "sleep"]
[[model]]
family = "net"
variants = ["float32.tflite", "quick.dummy", "slow.dummy"]
[measure]
rounds = 2
canary = false
runs = 3
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with one more runtime, models of both formats, a matrix and this machine as a device."""
    folder = tmp_path_factory.mktemp("two")
    package = folder / "benchbench"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "demo"))
    shutil.copytree(SLEEPER, package / "runtimes" / "sleeper", ignore=shutil.ignore_patterns("__pycache__"))
    registry = package / "runtimes" / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    for before, after in REGISTRY:
        assert text.count(before) == 1
        text = text.replace(before, after.format(before))
    registry.write_text(text, encoding="utf-8")
    shutil.copyfile(TFLITE, folder / "float32.tflite")
    (folder / "quick.dummy").write_text("scheme = int8\nus = 1000\n")
    (folder / "slow.dummy").write_text("us = 3000\n")
    (folder / "matrix.toml").write_text(MATRIX)
    (folder / "only_tflite.toml").write_text(
        MATRIX.replace(', "sleep"]', "]").replace(', "slow.dummy"]', "]").replace("rounds = 2", "rounds = 1")
    )
    (folder / "devices").mkdir()
    (folder / "devices" / "host.toml").write_text(
        f'address = {{ transport = "local" }}\nworkdir = "{folder}/host work"\n'
    )
    return folder


def command(folder: Path, *arguments: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchbench.cli.main", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=900,  # against hangs only
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout if expect == 0 else done.stderr


def test_its_files_are_models(folder: Path) -> None:
    (found,) = json.loads(command(folder, "models", "quick.dummy", "--json"))

    assert (found["format"], found["scheme"], found["nodes"]) == ("dummy", "int8", 1)


def test_a_matrix_of_both_formats_runs_each_with_its_own_tool(folder: Path) -> None:
    command(folder, "run", "matrix.toml")
    (run,) = (folder / "reports").iterdir()
    outcomes = read_outcomes(run)
    manifest = read_manifest(run)

    assert {(o.case, o.status, o.runner) for o in outcomes} == {
        ("host/net.float32/xnnpack/t1", "ok", "python"),
        ("host/net.quick/sleep/t1", "ok", "sleeper"),
        ("host/net.slow/sleep/t1", "ok", "sleeper"),
    }
    assert {o.measurement.timings.median for o in outcomes if o.variant == "net.slow"} == {3000.0}
    assert {tool.name for tool in manifest.tools} == {"python", "sleeper"}
    assert {name: tool.name for name, tool in manifest.devices[0].tools.items()} == {
        "tflite": "python",
        "dummy": "sleeper",
    }
    with (run / "cases.csv").open(encoding="utf-8", newline="") as file:
        tools = {row["variant"]: row["tool_sha256"] for row in csv.DictReader(file)}
    assert tools["slow"] == hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert tools["float32"] not in {"", tools["slow"]}
    assert manifest.skips == ()
    assert "sleep" in (run / "index.html").read_text(encoding="utf-8")


def test_its_models_run_without_a_matrix_on_its_usual_backend(folder: Path) -> None:
    planned = json.loads(command(folder, "plan", "only_tflite.toml", "--json"))
    command(folder, "run", "quick.dummy", "--devices", "host", "--rounds", "1", "--reports", "alone")
    (run,) = (folder / "alone").iterdir()

    assert [o.case for o in read_outcomes(run)] == ["host/quick.int8/sleep/t1"]
    assert [(s["case"], s["reason"]) for s in planned["skips"]] == [
        ("host/net.quick/xnnpack/t1", "xnnpack is a delegate for .tflite models, not for .dummy")
    ]


def test_a_run_is_resumed_with_the_tools_of_both_formats_or_not_at_all(folder: Path) -> None:
    command(folder, "run", "matrix.toml", "--reports", "begun")
    (run,) = (folder / "begun").iterdir()
    lines = (run / "outcomes.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "outcomes.jsonl").write_text("".join(lines[:-3]), encoding="utf-8")
    tool = folder / "benchbench" / "runtimes" / "sleeper" / "sleeper.sh"
    tool.write_text(f"{SCRIPT}# another one\n")
    refused = command(folder, "run", "--resume", str(run), expect=5)
    tool.write_text(SCRIPT)
    command(folder, "run", "--resume", str(run))

    digest = hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert f"host was measured with another tool (sha256 {digest[:12]}…)" in refused
    assert len(read_outcomes(run)) == len(lines)


def test_what_its_tool_said_elsewhere_is_imported(folder: Path) -> None:
    (folder / "phone.txt").write_text("inference us=1000\ninference us=3000\n")
    (line,) = command(folder, "import", "phone.txt", "--json").splitlines()
    command(folder, "import", "phone.txt", "--reports", "imported")
    (run,) = (folder / "imported").iterdir()

    assert (json.loads(line)["status"], json.loads(line)["timings_us"]["mean"]) == ("ok", 2000.0)
    assert [(o.case, o.runner) for o in read_outcomes(run)] == [("phone/unknown.dummy/sleep/t1", "sleeper.sh")]


def test_devices_shows_its_backend_beside_the_others(folder: Path) -> None:
    (device,) = json.loads(command(folder, "devices", "host", "--json"))

    assert {name: tool["runner"] for name, tool in device["tools"].items()} == {
        "tflite": "python",
        "onnx": "python",
        "dummy": "sleeper",
    }
    assert device["delegates"]["sleep"]["possible"]
    assert device["delegates"]["xnnpack"]["possible"]


ONNX_RUNTIME = re.compile(r"onnx(?!_ir)|(?<![a-z])ort(?![a-z])", re.IGNORECASE)
OWN = ("runtimes/onnxruntime/", "device_script/onnxruntime/", "demo/")  # the demo shows a network in both formats


def named_in(node: ast.AST) -> Iterator[str]:
    """All that code names: variables, attributes, modules, strings; not the text of docstrings, helps, descriptions."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.keyword(arg="help" | "description"):
            return
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
            yield name
        case ast.ImportFrom(module=str(name)) | ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            yield name
        case ast.Constant(value=str(text)):
            yield text
    for child in ast.iter_child_nodes(node):
        yield from named_in(child)


def test_what_of_onnx_runtime_is_outside_its_folders_is_what_contributing_lists() -> None:
    """Its second half travels to devices. What files are called by their bytes serves messages about any file."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        names = named_in(ast.parse(path.read_text(encoding="utf-8")))
        if not name.startswith(OWN) and any(ONNX_RUNTIME.search(one) for one in names):
            found.add(name)

    assert found == {"device_script/engines.py", "runtimes/__init__.py", "values/device.py", "values/file_kind.py"}
