"""What is no log and no model is told for what it is."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchbench.importing.logs import read_log
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.values.errors import InputError
from benchbench.values.file_kind import file_kind


def zipped(name: str) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, b"x")
        return file.getvalue()


def numpy_bytes() -> bytes:
    with io.BytesIO() as file:
        np.savez(file, x=np.zeros(3))
        return file.getvalue()


LAUNCH = "STARTING!\nInference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 4\n"
FILES = {
    "JSON": json.dumps({"log": LAUNCH}).encode(),
    "JSON ": b"\n".join(json.dumps({"line": line}).encode() for line in LAUNCH.splitlines()),
    ".litertlm": b"LITERTLM\x01\x00\x00\x00" + LAUNCH.encode(),
    ".task": zipped("TF_LITE_PREFILL_DECODE"),
    "bundle": zipped("hand_detector.tflite"),
    ".apk": zipped("AndroidManifest.xml"),
    ".keras": zipped("config.json"),
    ".npz": numpy_bytes(),
    ".onnx": b"\x08\x07\x12\x07pytorch\x1a\x03" + b"2.0" * 10,
    ".onnx ": b"\x08\x0a\x3a\x90\x01" + b"x" * 300,
    "ELF": b"\x7fELF" + b"STARTING!\0Loaded model \0" * 20,  # the tool itself holds its words
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "HTML": b"<!DOCTYPE html>\n<html><body>404</body></html>",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "gzip": b"\x1f\x8b\x08" + b"x" * 30,
    "empty": b"",
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_told_for_what_it_is_as_a_model_and_as_a_log(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILES[kind])
    for read in (inspect, lambda path: read_log(str(path), path.read_bytes())):
        with pytest.raises(InputError) as caught:
            read(path)
        assert f"it is {file_kind(FILES[kind])}" in caught.value.message
        assert kind.strip() in caught.value.message
        assert str(path) in caught.value.message


def test_a_program_of_this_machine_is_one() -> None:
    assert "ELF" in (file_kind(Path(sys.executable).read_bytes()) or "")


def test_a_model_is_no_log(tmp_path: Path) -> None:
    model = Path(__file__).parents[2] / "benchbench" / "demo" / "fashion_mnist" / "fashion_mnist_int8.tflite"
    with pytest.raises(InputError, match="it is a TFLite model"):
        read_log("m.tflite", model.read_bytes())


@pytest.mark.parametrize("first", ["", "[12:34:56] ", "{note}\n", "[1]\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_log_is_taken_for_one_whatever_it_begins_with(first: str, encoding: str) -> None:
    text = (first + LAUNCH).encode(encoding)
    assert file_kind(text) is None
    assert len(read_log("log", text)) == 1


def test_core_ml_is_not_onnx() -> None:
    assert file_kind(b"\x08\x05\x12\x04\x0a\x02\x08\x01" + b"x" * 20) == "a Core ML model (.mlmodel)"
