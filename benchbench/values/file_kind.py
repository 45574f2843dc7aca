"""What a file is, by its first bytes: for messages about one that is not what was asked for."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress

_MAGIC = (
    (b"LITERTLM", "a language model for LiteRT-LM (.litertlm)"),
    (b"\x7fELF", "a program or shared library (ELF)"),
    (b"MZ", "a program for Windows"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xca\xfe\xba\xbe", "a program for macOS"),
    (b"\x89HDF", "an HDF5 file, as Keras .h5 files are"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"%PDF", "a PDF"),
    (b"GGUF", "a GGUF language model"),
    (b"\x93NUMPY", "a numpy array (.npy)"),
    (b"PAR1", "a parquet table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x1f\x8b", "compressed (gzip): unpack it first"),
    (b"BZh", "compressed (bzip2): unpack it first"),
    (b"\xfd7zXZ", "compressed (xz): unpack it first"),
    (b"(\xb5/\xfd", "compressed (zstd): unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: `git lfs pull` fetches that"),
)
# A zip archive by what is in it.
_MEMBERS = (
    ("TF_LITE", "a MediaPipe task bundle (.task)"),
    (".tflite", "a bundle of models, as MediaPipe's .task files are"),
    ("AndroidManifest.xml", "an Android package (.apk)"),
    ("config.json", "a Keras model (.keras)"),
    ("data.pkl", "a PyTorch file"),
    (".npy", "numpy arrays (.npz)"),
)
_ONNX_FIELDS = {0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42}  # producer, version, domain, …, graph, opset
JSON = "JSON"
_LONGEST_JSON = 64 * 2**20


def file_kind(data: bytes) -> str | None:
    """In words that follow "it is"; None = unknown, text, or one of the many things without a mark."""
    if not data:
        return "empty"
    if data[4:8] == b"TFL3":
        return "a TFLite model (.tflite)"
    if data[:4] == b"PK\x03\x04":
        return _zipped(data)
    known = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    return known or _onnx(data) or _text(data)


def _zipped(data: bytes) -> str:
    names = ""
    with suppress(zipfile.BadZipFile, NotImplementedError):
        names = "\n".join(zipfile.ZipFile(io.BytesIO(data)).namelist())
    return next((kind for part, kind in _MEMBERS if part in names), "a zip archive")


def _onnx(data: bytes) -> str | None:
    """A protobuf that begins with the version of the format, a small number, and goes on with a field of a model."""
    if len(data) < 4 or data[0] != 0x08 or not 3 <= data[1] <= 20 or data[2] not in _ONNX_FIELDS:
        return None
    # Core ML begins alike; there the second field is a message, here the name of who made the model.
    named = data[2] != 0x12 or data[4 : 4 + data[3]].decode("ascii", "replace").isprintable()
    return "an ONNX model (.onnx)" if named else "a Core ML model (.mlmodel)"


def _text(data: bytes) -> str | None:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML)"
    if start[:1] in {b"{", b"["} and len(data) <= _LONGEST_JSON and _is_json(data):
        return JSON
    return None


def _is_json(data: bytes) -> bool:
    """One value, or one on each line."""
    with suppress(ValueError, RecursionError):
        text = data.decode("utf-8-sig")
        with suppress(ValueError):
            return isinstance(json.loads(text), dict | list)
        return all(isinstance(json.loads(line), dict | list) for line in text.splitlines() if line.strip())
    return False
