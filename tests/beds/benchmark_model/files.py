"""The files that the tool writes: result, node-level runtime info, op profile, outputs."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from .delegation import Coverage
from .flags import Values, error, info
from .loop import Measured, moments, percentile, statistics


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(tag: int, value: float | bytes) -> bytes:
    """One field of a protobuf message: float32, unsigned integer, or bytes."""
    if isinstance(value, float):
        return bytes([tag << 3 | 5]) + struct.pack("<f", value)
    if isinstance(value, bytes):
        return bytes([tag << 3 | 2]) + varint(len(value)) + value
    return bytes([tag << 3]) + varint(value)


def write_result(path: str, run: Measured) -> None:
    """tflite.tools.benchmark.BenchmarkResult: latency (ms) in field 2, memory in 3, the rest in 4."""
    mean, deviation = moments(run.times)
    percentiles = [percentile(run.times, percent) for percent in (50, 5, 95)]
    first = run.warmup[0] if run.warmup else 0
    us = [
        mean,
        min(run.times),
        max(run.times),
        int(deviation),
        *percentiles,
        run.init_us,
        first,
        moments(run.warmup)[0],
    ]
    latency = b"".join(field(tag, value / 1000) for tag, value in enumerate(us, 1))
    memory = field(1, run.memory_kb[0]) + field(2, run.memory_kb[1]) + (field(3, run.peak_mb) if run.peak_mb else b"")
    misc = field(1, run.model_mb) + field(2, len(run.times)) + field(3, len(run.warmup))
    info(f"Saving benchmark result to: {path}")
    try:
        Path(path).write_bytes(field(2, latency) + field(3, memory) + field(4, misc))
        info(f"Saved benchmark result to: {path}")
    except OSError:
        error(f"Failed to save benchmark result to: {path}")


def write_runtime_info(path: str, found: Coverage, external: int) -> None:
    from ai_edge_litert import model_runtime_info_pb2 as proto

    details = proto.ModelRuntimeDetails()
    graph = details.subgraphs.add(subgraph_id=0, name="main")
    owner = {node: delegate for delegate, nodes in found.partitions.items() for node in nodes}
    for node, name in found.nodes.items():
        row = graph.nodes.add(id=node, name=name)
        if node in owner:
            row.delegated_to_node_id = owner[node]
    for position, (delegate, nodes) in enumerate(found.partitions.items()):
        name = "ExternalDelegate" if position < external else "TfLiteXNNPackDelegate"
        row = graph.nodes.add(id=delegate, name=name, type=name)
        row.delegate_node_details.delegate_name = name
        row.delegate_node_details.tflite_node_ids_replaced.extend(nodes)
    graph.execution_plan.extend([*(node for node in found.nodes if node not in owner), *found.partitions])
    Path(path).write_bytes(details.SerializeToString())


def write_profile(values: Values, name: str, times: list[int]) -> None:
    """One row for the whole graph: proto to a file, or the tables on stdout."""
    label = f"Delegate/{name}:0" if name.endswith("Delegate") else f"[{name}]:0"
    if values["op_profiling_output_mode"] == "proto":
        from ai_edge_litert import profiling_info_pb2 as proto

        data = proto.BenchmarkProfilingData()
        graph = data.runtime_profile.subgraph_profiles.add(subgraph_name="main")
        row = graph.per_op_profiles.add(node_type=name, name=label, times_called=1)
        time = row.inference_microseconds
        time.first, time.last, time.min, time.max = times[0], times[-1], min(times), max(times)
        time.sum, time.count, time.avg = sum(times), len(times), sum(times) // len(times)
        Path(values["op_profiling_output_file"] or "/dev/null").write_bytes(data.SerializeToString())
        return
    print_profile(name, label, times)


def print_profile(name: str, label: str, times: list[int]) -> None:
    mean_ms = moments(times)[0] / 1000
    columns = "[mem KB]\t[times called]"
    info("Operator-wise Profiling Info for Regular Benchmark Runs:")
    for title in ("Run Order", "Top by Computation Time"):
        print(f"{'=' * 30} {title} {'=' * 30}")
        print(f"\t             [node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  {columns}\t[Name]")
        row = f"\t{name:>24}\t{times[0] / 1000:9.3f}\t{mean_ms:9.3f}\t100.000%\t100.000%\t     0.000\t        1"
        print(f"{row}\t{label}\n")
    print("Number of nodes executed: 1")
    print(f"{'=' * 30} Summary by node type {'=' * 30}")
    print(f"\t             [Node type]\t  [count]\t  [avg ms]\t    [avg %]\t    [cdf %]\t  {columns}")
    print(f"\t{name:>24}\t        1\t{mean_ms:10.3f}\t   100.000%\t   100.000%\t     0.000\t        1\n")
    print(
        f"Timings (microseconds): {statistics(times).split(' p5=')[0]}\nMemory (bytes): count=0\n1 nodes observed\n\n\n"
    )


def write_outputs(path: str, interpreter: Any) -> None:
    """The raw bytes of every output tensor, concatenated; nothing and no message where the folder is missing."""
    if Path(path).resolve().parent.is_dir():
        outputs = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
        Path(path).write_bytes(b"".join(output.tobytes() for output in outputs))


def keep_weights(path: str, model: str) -> None:
    """Fill the weight cache where it is empty, with as many bytes as the model has."""
    info("XNNPack file-backed weight cache enabled.")
    try:
        if not Path(path).exists():
            Path(path).write_bytes(Path(model).read_bytes())
    except OSError as reason:
        where = "./litert/tflite/delegates/xnnpack/weight_cache.cc:473"
        error(f"{where}: could not open file ('{path}'): {reason.strerror}.")
        error(
            f"XNNPack weight cache could neither be loaded from or saved to '{path}'. "
            "Check that this location is readable and writable."
        )
