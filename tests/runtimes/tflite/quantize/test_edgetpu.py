"""The Edge TPU compiler's own words are read; the compiler itself is Google's and stands in as a script here.

The texts follow outputs of version 16 and 15 as published in its documentation and issues.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.runtimes.quantizing.manifest import Mapping
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.edgetpu import compile_for_edgetpu, read_mapping
from benchbench.values.errors import ToolError
from tests.runtimes.tflite.model.small_models import M, O, T, build

PRINTED = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 1354 ms.

Input model: net_int8.tflite
Input size: 5.10MiB
Output model: net_int8_edgetpu.tflite
Output size: 6.28MiB
On-chip memory used for caching model parameters: 6.03MiB
On-chip memory remaining for caching model parameters: 1.21MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 143
Operation log: net_int8_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of the model will \
instead run on the CPU, which is slower. If possible, consider updating your model to use only operations supported by \
the Edge TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 139
Number of operations that will run on CPU: 4
"""
TABLE = """
Operator                       Count      Status

CONV_2D                        135        Mapped to Edge TPU
PAD                            4          Mapped to Edge TPU
TRANSPOSE                      1          Operation not supported
LOGISTIC                       2          More than one subgraph is not supported
QUANTIZE                       1          Operation is otherwise supported, but not mapped due to some unspecified \
limitation
"""
LOG = "Edge TPU Compiler version 16.0.384591198\nInput: net_int8.tflite\nOutput: net_int8_edgetpu.tflite\n" + TABLE


def test_counts_and_rows_are_read_from_what_the_compiler_prints() -> None:
    mapping = read_mapping(PRINTED + TABLE)
    assert (mapping.compiler, mapping.ops_on_tpu, mapping.ops_on_cpu, mapping.subgraphs) == (
        "16.0.384591198",
        139,
        4,
        1,
    )
    assert [(row.op, row.count) for row in mapping.ops[:2]] == [("CONV_2D", 135), ("PAD", 4)]
    assert mapping.ops[2].status == "Operation not supported"


def test_the_log_alone_gives_the_same_counts() -> None:
    mapping = read_mapping(LOG)
    assert (mapping.ops_on_tpu, mapping.ops_on_cpu, mapping.subgraphs) == (139, 4, None)


def test_rows_that_are_printed_and_logged_count_once() -> None:
    assert read_mapping(PRINTED + TABLE + LOG).ops == read_mapping(LOG).ops


def test_a_model_that_was_mapped_whole_says_nothing_of_the_cpu() -> None:
    text = LOG.partition("TRANSPOSE")[0]
    assert (read_mapping(text).ops_on_tpu, read_mapping(text).ops_on_cpu) == (139, 0)


@pytest.mark.parametrize("text", ["", "garbage\n", "Edge TPU Compiler version 15.0.340273435\n\nERROR: quantized?"])
def test_a_text_without_counts_gives_none_not_zero(text: str) -> None:
    assert read_mapping(text).ops_on_tpu is None


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = folder / "edgetpu_compiler"
    compiler.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_compiled_model_is_kept_with_its_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = tmp_path / "compiled"
    compiled.write_bytes(build(M([T((1, 8), "UINT8"), T((1, 8), "UINT8")], [O("edgetpu-custom-op", (0,), (1,))])))
    (tmp_path / "log").write_text(LOG, encoding="utf-8")
    (tmp_path / "printed").write_text(PRINTED, encoding="utf-8")
    # $3 is the folder given with --out_dir, $4 the model.
    copies = f"cp {compiled} $3/net_int8_edgetpu.tflite; cp {tmp_path}/log $3/net_int8_edgetpu.log"
    stand_in(tmp_path, f"{copies}; cat {tmp_path}/printed", monkeypatch)
    made = compile_for_edgetpu(tmp_path / "net_int8.tflite", tmp_path / "net_edgetpu.tflite")
    assert made.compiler == "edgetpu_compiler 16.0.384591198"
    assert (made.mapping.ops_on_tpu, len(made.mapping.ops)) == (139, 5)
    assert inspect(made.path).scheme == "edgetpu"
    assert Mapping.model_validate_json(made.mapping.model_dump_json()) == made.mapping


def test_a_compiler_that_refuses_a_model_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "echo 'Invalid model: net_int8.tflite' >&2; echo 'Model not quantized' >&2; exit 1", monkeypatch)
    with pytest.raises(ToolError, match="edgetpu_compiler failed: Model not quantized"):
        compile_for_edgetpu(tmp_path / "net_int8.tflite", tmp_path / "out.tflite")


def test_a_missing_compiler_says_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"not installed \(see https://coral\.ai"):
        compile_for_edgetpu(tmp_path / "net_int8.tflite", tmp_path / "out.tflite")
