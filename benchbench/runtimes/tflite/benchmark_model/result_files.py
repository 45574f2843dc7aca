"""The binary files that newer tools write: result, node-level runtime information, op profile.

The messages are tflite.tools.benchmark.BenchmarkResult (tflite/tools/benchmark/proto/benchmark_result.proto) and
tflite.profiling.ModelRuntimeDetails and BenchmarkProfilingData (tflite/profiling/proto/); this reads the few fields
that are needed off the wire, so that a result does not depend on which protobuf is installed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from benchbench.runtimes.tflite.backends import UNASKED, UNKNOWN
from benchbench.runtimes.tflite.backends.owners import PLUGINS, kernel_owner
from benchbench.runtimes.tflite.benchmark_model.profile import executor, from_ops
from benchbench.values.outcome import Memory, OpTime, Profile, Timings

_LATENCY = ("mean", "min", "max", "std", "median", "p5", "p95", "init", "first", "warmup_mean")  # fields 1 to 10, in ms
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class ResultFile:
    """The result as the tool's file has it: float32, so seven significant digits."""

    timings: Timings
    memory: Memory
    model_mb: float | None
    runs: int | None
    warmup_runs: int | None


@dataclass(frozen=True, slots=True)
class Partition:
    """A delegate's node, and the nodes of the model that it replaced."""

    delegate: str
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """Who executes each node of the primary subgraph."""

    nodes: int
    partitions: tuple[Partition, ...]

    def taken_by(self, kind: str) -> tuple[int, int]:
        """Nodes and partitions of the delegate that was asked for; what is none of TFLite's own is that one's."""
        own = self._own(kind)
        return sum(len(part.nodes) for part in own), len(own)

    def nodes_of(self, kind: str) -> set[int]:
        """The numbers of the nodes that it took."""
        return {number for part in self._own(kind) for number in part.nodes}

    def _own(self, kind: str) -> list[Partition]:
        return [part for part in self.partitions if _belongs(part.delegate, kind)]


def _belongs(delegate: str, kind: str) -> bool:
    owner = kernel_owner(delegate) or UNKNOWN
    return owner == kind or (owner in PLUGINS and kind != UNASKED)


def read_result(data: bytes) -> ResultFile:
    """Raises ValueError for what is no such file, or is cut."""
    latency: dict[str, float] = {}
    memory: dict[int, float] = {}
    misc: dict[int, float] = {}
    for tag, _, value in _fields(data):
        if tag == 2:
            numbers = {t: _float(v) for t, w, v in _fields(value) if w == _FIXED32 and t <= 10}
            latency = {_LATENCY[t - 1]: _us(ms) for t, ms in numbers.items() if math.isfinite(ms)}
        elif tag in {3, 4}:
            known = [field for field in _fields(value) if field[1] in {_FIXED32, _VARINT}]
            numbers = {t: _float(v) if w == _FIXED32 else float(_int(v)) for t, w, v in known}
            numbers = {t: number for t, number in numbers.items() if math.isfinite(number)}
            memory, misc = (numbers, misc) if tag == 3 else (memory, numbers)
    if "mean" not in latency:
        raise ValueError("no latency in the result file")
    if misc.get(3) == 0:  # without a warm-up its times are none, which the tool writes as 0
        latency = {name: us for name, us in latency.items() if name not in {"first", "warmup_mean"}}
    return ResultFile(
        timings=Timings.model_validate({**latency, "percentile_method": "lower index, floor(n*p/100)"}),
        memory=Memory(
            init_delta_mb=memory[1] / 1024 if 1 in memory else None,
            overall_delta_mb=memory[2] / 1024 if 2 in memory else None,
            peak_polled_mb=memory.get(3),
        ),
        model_mb=float(f"{misc[1]:.6g}") if 1 in misc else None,
        runs=int(misc[2]) if 2 in misc else None,
        warmup_runs=int(misc[3]) if 3 in misc else None,
    )


def read_runtime_info(data: bytes) -> RuntimeInfo:
    """The first subgraph; raises ValueError for what is no such file, or is cut."""
    for tag, _, subgraph in _fields(data):
        if tag != 2:
            continue
        partitions, nodes = list[Partition](), 0
        for inner, _, node in _fields(subgraph):
            if inner == 3:
                part = _partition(node)
                nodes += part is None
                partitions += [part] if part else []
        return RuntimeInfo(nodes, tuple(partitions))
    raise ValueError("no subgraph in the runtime info")


def _partition(node: bytes) -> Partition | None:
    """The delegate behind a node, or None for a node of the model."""
    for tag, _, details in _fields(node):
        if tag == 8:
            names = [value.decode("utf-8", "replace") for t, _, value in _fields(details) if t == 1]
            replaced = [n for t, w, value in _fields(details) if t == 2 for n in _ints(w, value)]
            return Partition(names[0] if names else "", tuple(replaced))
    return None


def read_profile(data: bytes) -> Profile | None:
    """The regular runs' ops; raises ValueError for what is no such file, or is cut."""
    rows = []
    for tag, _, profile in _fields(data):
        if tag == 3:
            for kind, _, part in _fields(profile):
                owner = next((value.decode() for t, _, value in _fields(part) if t == 1), "") if kind == 2 else ""
                rows += [_op(value, owner) for t, _, value in _fields(part) if t == (2 if kind == 2 else 3)]
    return from_ops(rows)


def _op(data: bytes, owner: str) -> OpTime:
    texts: dict[int, str] = {}
    stat: dict[int, int] = {}
    calls = 1
    for tag, wire, value in _fields(data):
        if tag in {1, 5}:
            texts[tag] = value.decode("utf-8", "replace")
        elif tag == 2:
            stat = {t: _int(v) for t, w, v in _fields(value) if w == _VARINT}
        elif tag == 4 and wire == _VARINT:
            calls = max(_int(value), 1)
    name, kind = texts.get(5, ""), texts.get(1, "")
    # avg is truncated to whole microseconds: the sum is exact.
    mean_us = stat.get(8, 0) / stat[9] * calls if stat.get(9) else 0.0
    who = kernel_owner(owner) or executor(kind, name)
    return OpTime(name=name, type=kind, mean_us=mean_us, percent=0, calls=calls, executor=who)


def _us(ms: float) -> float:
    """float32 milliseconds as microseconds, without the digits that float32 does not have."""
    return float(f"{ms * 1000:.7g}")


def _float(value: bytes) -> float:
    number: float = struct.unpack("<f", value)[0]
    return number


def _int(value: bytes) -> int:
    number, shift = 0, 0
    for byte in value:
        number |= (byte & 0x7F) << shift
        shift += 7
    return number - (1 << 64) if number >= 1 << 63 else number


def _ints(wire: int, value: bytes) -> list[int]:
    """A repeated integer: one, or packed."""
    if wire == _VARINT:
        return [_int(value)]
    numbers, start = [], 0
    for position, byte in enumerate(value):
        if byte < 0x80:
            numbers.append(_int(value[start : position + 1]))
            start = position + 1
    return numbers


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Tag, wire type and raw bytes of each field (protobuf's encoding); raises ValueError where the data is cut."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        tag, wire = key >> 3, key & 7
        if wire == _VARINT:
            start = at
            _, at = _varint(data, at)
            yield tag, wire, data[start:at]
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            size, at = _varint(data, at)
        if size is None or at + size > len(data):
            raise ValueError("not a protobuf message, or a cut one")
        yield tag, wire, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    for end in range(at, min(at + 10, len(data))):
        if data[end] < 0x80:
            return _int(data[at : end + 1]), end + 1
    raise ValueError("not a protobuf message, or a cut one")
