"""What travels inside a .tflite besides the graph: TFLite Metadata, label files in an appended zip, runtime version.

Format: https://ai.google.dev/edge/litert/models/metadata (a flatbuffer "M001" in the buffer TFLITE_METADATA, and
associated files in a zip archive appended to the model). Its fields are read by their slots, since ai-edge-litert has
generated code for the model's schema, and none for this one.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import Any

from flatbuffers import number_types

from benchbench.runtimes.tflite.model.graph import MALFORMED

# Slots of the flatbuffer TFLite Metadata: of ModelMetadata, SubGraphMetadata, TensorMetadata, ProcessUnit and
# NormalizationOptions (kind 1 of the union).
SUBGRAPHS, INPUT_TENSORS, PROCESS_UNITS, UNIT_KIND, UNIT_OPTIONS, NORMAL_MEAN, NORMAL_STD = 10, 8, 12, 4, 6, 4, 6
NORMALIZATION = 1
LARGEST_LABELS = 1_000_000  # bytes in all; ImageNet's list has 11 kB
MOST_FILES = 1_000
MODEL_FIELDS = {"name": 4, "description": 6, "version": 8, "author": 12, "license": 14}  # vtable slots of ModelMetadata


def packed_labels(raw: bytes) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The names of all files in the archive appended to a model, and its label files: name -> labels, one a line.

    Nothing is unpacked to disk. An archive that is damaged or unreasonably large counts as absent; label files are read
    as long as all of them together are no more than `LARGEST_LABELS`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = archive.infolist()
            if len(files) > MOST_FILES:
                return (), {}
            labels: dict[str, tuple[str, ...]] = {}
            left = LARGEST_LABELS
            for file in files:
                if _holds_labels(file) and file.filename not in labels and file.file_size <= left:
                    text = _text(archive, file, left)
                    left -= len(text)
                    labels[file.filename] = _lines(text)
            return tuple(file.filename for file in files), labels
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, *MALFORMED):
        return (), {}


def _holds_labels(info: zipfile.ZipInfo) -> bool:
    name = info.filename.lower()
    return "label" in name and name.endswith(".txt")


def _text(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """The file's content, which may be longer than its entry says: no more than `most` bytes of it."""
    with archive.open(info) as file:
        return file.read(most)


def _lines(text: bytes) -> tuple[str, ...]:
    lines = text.decode("utf-8", errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def model_metadata(metadata: dict[str, bytes]) -> dict[str, str]:
    """The model's own name, description, version, author and licence, as far as its TFLite Metadata says."""
    from flatbuffers import encode, packer
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


def normalizations(metadata: dict[str, bytes]) -> tuple[tuple[tuple[float, ...], tuple[float, ...]] | None, ...]:
    """Mean and std per input by which, as the model's TFLite Metadata says, pixels of 0…255 become its values."""
    from flatbuffers import encode, packer
    from flatbuffers.table import Table

    block = metadata.get("TFLITE_METADATA", b"")
    try:
        graphs = _tables(Table(block, encode.Get(packer.uoffset, block, 0)), SUBGRAPHS)
        return tuple(_normalization(tensor) for tensor in _tables(graphs[0], INPUT_TENSORS)) if graphs else ()
    except MALFORMED:
        return ()


def _normalization(tensor: Any) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    for unit in _tables(tensor, PROCESS_UNITS):
        kind = unit.Offset(UNIT_KIND)
        if kind and unit.Get(number_types.Uint8Flags, kind + unit.Pos) == NORMALIZATION and unit.Offset(UNIT_OPTIONS):
            options = type(unit)(unit.Bytes, unit.Indirect(unit.Pos + unit.Offset(UNIT_OPTIONS)))
            mean, std = _floats(options, NORMAL_MEAN), _floats(options, NORMAL_STD)
            sound = len(mean) == len(std) and all(std) and all(map(math.isfinite, (*mean, *std)))
            return (mean, std) if mean and sound else None
    return None


def _tables(table: Any, slot: int) -> list[Any]:
    """The tables of a vector; raises one of MALFORMED where it is longer than the file."""
    offset = table.Offset(slot)
    if not offset:
        return []
    begin, count = table.Vector(offset), table.VectorLen(offset)
    if count > len(table.Bytes) // 4:
        raise ValueError("a vector longer than its file")
    return [type(table)(table.Bytes, table.Indirect(begin + 4 * k)) for k in range(count)]


def _floats(table: Any, slot: int) -> tuple[float, ...]:
    offset = table.Offset(slot)
    if not offset:
        return ()
    begin, count = table.Vector(offset), table.VectorLen(offset)
    if count > len(table.Bytes) // 4:
        raise ValueError("a vector longer than its file")
    return tuple(table.Get(number_types.Float32Flags, begin + 4 * k) for k in range(count))


def minimum_runtime(metadata: dict[str, bytes]) -> str | None:
    """The oldest TFLite version that the converter says can run the model, "1.14.0"."""
    text = metadata.get("min_runtime_version", b"").rstrip(b"\0").decode("ascii", errors="replace")
    return text or None
