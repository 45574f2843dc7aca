"""What travels inside a .tflite besides the graph: TFLite Metadata, label files in an appended zip, runtime version.

Format: https://ai.google.dev/edge/litert/models/metadata (a flatbuffer "M001" in the buffer TFLITE_METADATA, and
associated files in a zip archive appended to the model).
"""

from __future__ import annotations

import io
import zipfile
import zlib

from benchbench.models.graph import MALFORMED

LARGEST_LABELS = 1_000_000  # bytes; ImageNet's list has 11 kB
MODEL_FIELDS = {"name": 4, "description": 6, "version": 8, "author": 12, "license": 14}  # vtable slots of ModelMetadata


def packed_labels(raw: bytes) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The names of all files in the archive appended to a model, and its label files: name -> labels, one a line.

    Nothing is unpacked to disk; an archive that is damaged or unreasonably large counts as absent.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = tuple(archive.namelist())
            return files, {name: _lines(archive, name) for name in files if _holds_labels(archive.getinfo(name))}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, *MALFORMED):
        return (), {}


def _holds_labels(info: zipfile.ZipInfo) -> bool:
    name = info.filename.lower()
    return "label" in name and name.endswith(".txt") and info.file_size <= LARGEST_LABELS


def _lines(archive: zipfile.ZipFile, name: str) -> tuple[str, ...]:
    with archive.open(name) as file:
        text = file.read(LARGEST_LABELS).decode("utf-8", errors="replace")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def model_metadata(metadata: dict[str, bytes]) -> dict[str, str]:
    """The model's own name, description, version, author and licence, as far as its TFLite Metadata says."""
    from flatbuffers import encode, number_types, packer
    from flatbuffers.table import Table

    block = metadata.get("TFLITE_METADATA", b"")
    try:
        table = Table(block, encode.Get(packer.uoffset, block, 0))
        offsets = {
            field: number_types.UOffsetTFlags.py_type(table.Offset(slot)) for field, slot in MODEL_FIELDS.items()
        }
        said = {field: table.String(offset + table.Pos) for field, offset in offsets.items() if offset}
    except MALFORMED:
        return {}
    return {field: value.decode("utf-8", errors="replace") for field, value in said.items()}


def minimum_runtime(metadata: dict[str, bytes]) -> str | None:
    """The oldest TFLite version that the converter says can run the model, "1.14.0"."""
    text = metadata.get("min_runtime_version", b"").rstrip(b"\0").decode("ascii", errors="replace")
    return text or None
