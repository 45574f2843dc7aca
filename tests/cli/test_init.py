"""`benchbench init`, through the real command line: what it writes is what `plan` takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from benchbench.config.matrix_file import MatrixFile
from benchbench.config.reference import sections
from benchbench.config.schema import device_schema, matrix_schema
from benchbench.config.toml_files import validated
from benchbench.transports.adb import connect_adb
from tests.beds.adb_server import AdbServerProcess
from tests.beds.phone import Phone
from tests.conftest import InProcess
from tests.workbench import FAMILY, Workbench


@pytest.fixture
def bench(tmp_path: Path, adb_server: AdbServerProcess) -> Workbench:
    """With models in folders, and things that are none or not to be looked at."""
    bench = Workbench(tmp_path)
    for scheme, place in (
        ("float32", "models/net.tflite"),
        ("int8", "models/net_int8.tflite"),
        ("float16", "old nets [2]/other-fp16.tflite"),
        ("int8", "models/copy of net.tflite"),
        ("int16x8", ".cache/hidden.tflite"),
        ("int16x8", "venv/lib/inside.tflite"),
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FAMILY / f"fashion_mnist_{scheme}.tflite", path)
    (tmp_path / "models" / "bad.tflite").write_bytes(b"no model")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    return bench


def test_what_it_writes_is_a_plan_for_the_models_and_devices_there_are(bench: Workbench, in_process: InProcess) -> None:
    bench.device("pi", 'address = { transport = "ssh", host = "pi.local" }\n')
    done = in_process("init")
    assert done.stdout == "matrix.toml\n"
    assert "left out: models/bad.tflite" in done.stderr
    assert "left out: models/net_int8.tflite: is the same as models/copy of net.tflite" in done.stderr
    assert "3 models, 2 devices (host, pi)" in done.stderr
    plan = json.loads(in_process("plan", "matrix.toml", "--json").stdout)
    cells = [("copy-of-net", "int8"), ("net", "float32"), ("other", "fp16")]
    assert set(plan["cases"]) == {
        f"{device}/{family}.{variant}/{delegate}/t1"
        for device in ("host", "pi")
        for family, variant in cells
        for delegate in ("cpu", "xnnpack")
    }
    assert not bench.work.exists()


def test_of_both_formats_it_asks_for_what_every_build_has(tmp_path: Path, in_process: InProcess) -> None:
    for suffix in ("tflite", "onnx"):
        shutil.copy(FAMILY / f"fashion_mnist_float32.{suffix}", tmp_path)
    in_process("init", "fashion_mnist_float32.tflite", "fashion_mnist_float32.onnx")
    assert tomllib.loads((tmp_path / "matrix.toml").read_text())["delegates"] == ["cpu", "xnnpack", "ort-cpu"]


def test_every_key_is_there_and_every_comment_that_is_one_can_be_uncommented(
    bench: Workbench, in_process: InProcess
) -> None:
    in_process("init", "models/net.tflite")
    text = (bench.folder / "matrix.toml").read_text()
    assert tomllib.loads(text)["model"] == [{"family": "net", "variants": {"float32": "models/net.tflite"}}]
    everything = re.sub(r"^#(?=\w+ = |\[)", "", text, flags=re.MULTILINE)
    read = tomllib.loads(everything)
    validated(MatrixFile, read | {"delegates": [{"kind": kind} for kind in read["delegates"]]}, Path("matrix.toml"))
    top, *tables = sections(matrix_schema(), "")
    assert {key.name for key in top.keys} == set(read)
    for table in (table for table in tables if table.heading.startswith("[")):
        written = read[table.heading.strip("[]")]
        assert {key.name for key in table.keys} == set(written[0] if isinstance(written, list) else written)


def test_editors_find_the_schema_beside_it(bench: Workbench, in_process: InProcess) -> None:
    in_process("init", "models")
    named = (bench.folder / "matrix.toml").read_text().splitlines()[0].removeprefix("#:schema ")
    assert json.loads((bench.folder / named).read_text()) == matrix_schema()


def test_taplo_finds_mistakes_by_that_schema(bench: Workbench, in_process: InProcess) -> None:
    """Taplo is what editors read TOML files with."""
    taplo = Path(sys.executable).with_name("taplo")
    if not taplo.exists():
        pytest.skip("there is no taplo here: `make test` installs it")
    in_process("init", "models")
    matrix = bench.folder / "matrix.toml"

    def checked() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [taplo, "check", "matrix.toml"], cwd=bench.folder, capture_output=True, text=True, check=False
        )

    assert checked().returncode == 0, checked().stderr
    matrix.write_text(matrix.read_text().replace("#rounds = 5", "ronds = 5"))
    assert checked().returncode != 0
    assert "'ronds' was unexpected" in checked().stderr


def test_a_matrix_that_is_there_is_overwritten_only_with_force(bench: Workbench, in_process: InProcess) -> None:
    mine = bench.folder / "matrix.toml"
    mine.write_text("mine")
    done = in_process("init", expect=2)
    assert "matrix.toml: exists already (--force writes it anew)" in done.stderr
    assert mine.read_text() == "mine"
    in_process("init", "--force")
    assert "[[model]]" in mine.read_text()


@pytest.mark.parametrize(
    ("places", "code", "telling"),
    [
        (["devices"], 3, "no model (.tflite, .onnx) in devices (name files or folders"),
        (["models/bad.tflite"], 3, "no model: models/bad.tflite is no .tflite model"),
        (["none.tflite"], 3, "no model: none.tflite cannot be read: No such file or directory"),
    ],
)
def test_without_a_model_nothing_is_written(
    bench: Workbench, in_process: InProcess, places: list[str], code: int, telling: str
) -> None:
    done = in_process("init", *places, expect=code)
    assert telling in done.stderr
    assert not (bench.folder / "matrix.toml").exists()


def test_a_phone_without_a_file_is_told_and_the_plan_stands_without_it(
    bench: Workbench, make_phone: Callable[..., Phone]
) -> None:
    with closing(connect_adb(make_phone().address)):
        pass  # the adb server knows it now
    bench.benchbench("init", "models/net.tflite")
    read = tomllib.loads((bench.folder / "matrix.toml").read_text())
    assert "devices" not in read
    assert read["delegates"] == ["cpu", "xnnpack", "gpu"]
    added = re.search(r"`benchbench (devices --add \S+)`", (bench.folder / "matrix.toml").read_text())
    assert added
    assert "host/net.float32/gpu/t1" in bench.benchbench("plan", "matrix.toml").stdout
    kept = bench.folder / bench.benchbench(*added[1].split()).stdout.strip()
    assert kept.read_text().startswith("#:schema ./device.schema.json\n")
    assert json.loads(kept.with_name("device.schema.json").read_text()) == device_schema()
    bench.benchbench("init", "models/net.tflite", "--force")
    assert len(tomllib.loads((bench.folder / "matrix.toml").read_text())["devices"]) == 2
    assert len(bench.benchbench("plan", "matrix.toml").stdout.splitlines()) == 6


@pytest.mark.parametrize(("file", "schema"), [("matrix", matrix_schema()), ("device", device_schema())])
def test_the_schema_can_be_printed_for_files_that_are_there(in_process: InProcess, file: str, schema: object) -> None:
    assert json.loads(in_process("schema", file).stdout) == schema
