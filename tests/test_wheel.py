"""The wheel is the whole program: it is built, installed elsewhere, and run from a folder without a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchbench.analysis.frames import load

ROOT = Path(__file__).parents[1]
TRAINING = {"train_fashion_mnist.py", "qat_fashion_mnist.py", "ship_fashion_mnist.py", "onnx_fashion_mnist.py"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("site")
    uv("pip", "install", "--no-deps", "--no-index", "--python", sys.executable, "--target", str(folder), str(wheel))
    return folder


def uv(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("uv")), "--quiet", *arguments], check=True)


def installed(site: Path, cwd: Path, *command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(site), "BENCHBENCH_CACHE": str(cwd / "cache")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_holds_all_files_of_the_package_but_the_training_scripts(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    listed = subprocess.run(["git", "ls-files", "benchbench"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    tracked = set(listed.stdout.splitlines())
    left_out = {name for name in tracked if Path(name).name in TRAINING}
    assert len(left_out) == len(TRAINING)
    assert tracked - left_out <= held
    assert not left_out & held
    assert all(name.startswith("benchbench/") for name in held)


def test_it_runs_and_reports_where_there_is_no_checkout(site: Path, tmp_path: Path) -> None:
    program = str(site / "bin" / "benchbench")
    where = installed(site, tmp_path, sys.executable, "-c", "import benchbench; print(benchbench.__file__)")
    assert Path(where.strip()).is_relative_to(site)
    assert "Commands:" in installed(site, tmp_path, program, "--help")
    model = str(site / "benchbench" / "demo" / "fashion_mnist" / "fashion_mnist_int8.tflite")
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "host.toml").write_text(
        f'address = {{ transport = "local" }}\nworkdir = {json.dumps(str(tmp_path / "work"))}\n'
    )
    installed(site, tmp_path, program, "run", model, "--devices", "host", "--rounds", "1", "--dataset", "random")
    folder = next((tmp_path / "reports").iterdir())
    assert list(load(folder).cases.status) == ["ok"]
    page = installed(site, tmp_path, program, "report", str(folder), "--out", str(tmp_path / "again")).strip()
    assert "vegaEmbed" in Path(page).read_text(encoding="utf-8")
