"""What a person did wrong: one line on stderr with its remedy, an exit code, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.beds.adb_server import AdbServerProcess
from tests.cli.conftest import Said
from tests.workbench import FAMILY, Workbench


@pytest.fixture
def workbench(bench: Workbench) -> Workbench:
    """Things that are wrong in every way."""
    good = bench.matrix("float32").read_text()
    wrong = {
        "typo.toml": good.replace("rounds", "ronds"),
        "device.toml": good.replace("'host'", "'hots'"),
        "missing.toml": good.replace("float32.tflite", "none.tflite"),
        "corrupt.toml": good.replace(f"{FAMILY}/fashion_mnist_float32.tflite", "corrupt.tflite"),
        "twice.toml": good.replace('["xnnpack"]', '["xnnpack", "xnnpack"]'),
        "rule.toml": good + '[[skip]]\ndelegate = "gpu"\n',
        "everything.toml": good + '[[skip]]\ndelegate = "*"\n',
        "nothing.toml": good.replace("devices = ['host']", "devices = []"),
        "dataset.toml": good.replace("[measure]", 'dataset = "corrupt.tflite"\n[measure]'),
        "broken.toml": "name = ",
    }
    for name, text in wrong.items():
        (bench.folder / name).write_text(text)
    (bench.folder / "corrupt.tflite").write_bytes(b"no model")
    (bench.folder / "bin.toml").write_bytes(b"\xff\xfe\x00")
    (bench.folder / "empty").mkdir()
    (bench.folder / "bad devices").mkdir()
    (bench.folder / "bad devices" / "a.toml").write_text("adress = 3")
    return bench


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize(
    ("matrix", "code", "telling"),
    [
        ("none.toml", 2, "none.toml: no such file"),
        ("empty", 2, "empty: cannot be read: Is a directory"),
        ("broken.toml", 2, "broken.toml: is not TOML"),
        ("bin.toml", 2, "bin.toml: is not UTF-8 text"),
        ("typo.toml", 2, 'typo.toml: measure.ronds: no such key (did you mean "rounds"?)'),
        ("device.toml", 2, "device.toml: devices: no device fits 'hots' (did you mean \"host\"?"),
        ("missing.toml", 2, "missing.toml: model fashion_mnist: variants: no file fits"),
        ("corrupt.toml", 2, "corrupt.tflite"),
        ("twice.toml", 2, "twice.toml: duplicate case: delegates has 'xnnpack' twice"),
        ("rule.toml", 2, "rule.toml: [[skip]] delegate = 'gpu' fits no case"),
        ("everything.toml", 3, "everything.toml: nothing is left to run"),
        ("nothing.toml", 3, "nothing.toml: devices: is empty"),
    ],
)
def test_a_mistake_in_a_matrix_is_one_line_and_an_exit_code(
    workbench: Workbench, said: Said, verb: str, matrix: str, code: int, telling: str
) -> None:
    got, stdout, stderr = said(verb, matrix)
    assert (got, stdout) == (code, "")
    assert stderr.startswith("benchbench: ")
    assert stderr.count("\n") == 1
    assert telling in stderr
    assert not workbench.reports.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "telling"),
    [
        (["dance"], 2, "No such command 'dance'"),
        (["plan"], 2, "Missing argument 'MATRIX'"),
        (["run"], 2, "give a matrix, models (.tflite, .onnx), or a run folder with --resume or --again"),
        (["run", "matrix.toml", "--resume", "empty"], 2, "give a matrix, models (.tflite, .onnx), or a run folder"),
        (["run", "--resume", "none"], 2, "none"),
        (["run", "--resume"], 2, "(see benchbench run --help)"),
        (["run", "corrupt.tflite", "--threads", ""], 2, "it names nothing"),
        (["run", "--resume", "empty"], 2, "empty: is no run folder: it has no run.json"),
        (["run", "matrix.toml", "--only", "gpu"], 3, "--only 'gpu' fits no case"),
        (["plan", "matrix.toml", "--skip", "*"], 3, "nothing is left to run"),
        (["plan", "matrix.toml", "--seed", "-1"], 2, "--seed"),
        (["plan", "matrix.toml", "--sed", "1"], 2, "--sed"),
        (["plan", "matrix.toml", "--inventory", "bad devices"], 2, 'adress: no such key (did you mean "address"?)'),
        (["plan", "matrix.toml", "--inventory", "device"], 2, "device: no such folder"),
        (["devices", "--inventory", "device"], 2, "device: no such folder"),
        (["run", "dataset.toml"], 2, "corrupt.tflite"),
        (["run", "matrix.toml", "--reports", "typo.toml"], 2, "typo.toml"),
        (["devices", "nobody"], 2, "devices: no device fits 'nobody'"),
        (["devices", "--add", "nobody"], 2, "no device fits 'nobody'"),
        (["models", "none.tflite"], 2, "none.tflite"),
        (["models", "corrupt.tflite"], 2, "corrupt.tflite"),
        (["report", "empty"], 2, "empty: is no run folder"),
        (["report", "none"], 2, "none: is no run folder"),
        (["compare", "empty", "none"], 2, "is no run folder"),
        (["import", "none.log"], 2, "none.log"),
    ],
)
def test_a_wrong_argument_is_one_line_and_an_exit_code(
    workbench: Workbench, said: Said, adb_server: AdbServerProcess, arguments: list[str], code: int, telling: str
) -> None:
    got, stdout, stderr = said(*arguments)
    assert (got, stdout) == (code, "")
    assert stderr.count("\n") == 1
    assert stderr.startswith("benchbench: ")
    assert telling in stderr


def test_a_file_without_a_launch_does_not_stop_the_import_of_the_others(
    workbench: Workbench, said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    summary = "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 4\n"
    files = {
        "notes.txt": b"hello\n",
        "a.txt": summary.encode(),
        "m.onnx": b"\x08\x07\x12\x07pytorch\x1a\x03",
        "b.txt": b"",
    }
    for name, content in files.items():
        Path(name).write_bytes(content)
    code, stdout, stderr = said("import", "--json", *files, "none.txt")
    assert code == 0
    assert [json.loads(line)["source"] for line in stdout.splitlines()] == ["a.txt"]
    told = dict(zip(("notes.txt", "m.onnx", "b.txt", "none.txt"), stderr.splitlines(), strict=True))
    assert all(name in line for name, line in told.items())
    assert "it is an ONNX model" in told["m.onnx"]
    code, stdout, stderr = said("import", "notes.txt", "m.onnx")
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert "notes.txt" in stderr


def test_debug_shows_where_it_went_wrong(workbench: Workbench, said: Said) -> None:
    code, _, stderr = said("plan", "typo.toml", "--debug")
    assert code == 2
    assert "Traceback" in stderr
    assert stderr.splitlines()[-1].startswith("benchbench: typo.toml: measure.ronds")


def test_one_unreadable_model_does_not_silence_the_others(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    good, bad = FAMILY / "fashion_mnist_int8.tflite", tmp_path / "bad.tflite"
    bad.write_bytes(b"PK\x03\x04")
    done = bench.benchbench("models", str(bad), str(good), str(tmp_path / "gone.tflite"), expect=2)
    assert "fashion_mnist_int8" in done.stdout
    assert "bad.tflite" in done.stderr
    assert "gone.tflite" in done.stderr
