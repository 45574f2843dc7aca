"""What inspect reads is what independent readers of the same files see."""

from __future__ import annotations

import json
import time
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.values.errors import InputError
from benchbench.values.model import ModelInfo, describe
from tests.runtimes.tflite.model.small_models import M, O, T, build, dense, zeros

ROOT = Path(__file__).parents[4]
SHIPPED = sorted((ROOT / "benchbench/demo/fashion_mnist").glob("*.tflite"))
SHARED = ROOT.parent / "shared/models"
FLOAT32 = ROOT / "benchbench/demo/fashion_mnist/fashion_mnist_float32.tflite"

published = pytest.mark.skipif(not SHARED.is_dir(), reason="the published models lie beside the repository only in CI")


def inspected(tmp_path: Path, raw: bytes) -> ModelInfo:
    file = tmp_path / "model.tflite"
    file.write_bytes(raw)
    return inspect(file)


@pytest.mark.parametrize("file", [*SHIPPED, *sorted(SHARED.glob("*.tflite"))], ids=lambda file: file.stem)
def test_ops_types_and_shapes_agree_with_the_interpreter(file: Path) -> None:
    info = inspect(file)
    interpreter = Interpreter(str(file), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    assert Counter(op["op_name"] for op in interpreter._get_ops_details()) == Counter(info.subgraphs[0].ops)
    details = (interpreter.get_input_details(), interpreter.get_output_details())
    for seen, said in zip((info.inputs, info.outputs), details, strict=True):
        assert [(t.name, t.dtype, t.shape) for t in seen] == [
            (d["name"], np.dtype(d["dtype"]).name, tuple(d["shape"].tolist())) for d in said
        ]
        assert [t.signature for t in seen] == [tuple(d["shape_signature"].tolist()) for d in said]
        quantization = [(t.scale or 0.0, t.zero_point or 0) for t in seen]
        assert quantization == [pytest.approx(d["quantization"]) for d in said]
    assert {s.key for s in info.signatures} == set(interpreter.get_signature_list())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_file_is_of_the_scheme_in_its_name(file: Path) -> None:
    info = inspect(file)
    scheme = file.stem.removeprefix("fashion_mnist_")
    assert info.scheme == ("int8" if scheme.startswith("int8") else scheme)
    io = "int8" if scheme == "int8-io" else "float32"
    assert {tensor.dtype for tensor in (*info.inputs, *info.outputs)} == {io}
    coarse = "pertensor" in scheme
    scaled = scheme not in {"float32", "float16"}
    assert info.granularity == (("per-tensor" if coarse else "per-channel") if scaled else None)
    assert info.parameters == 134_730
    assert info.macs == 3_433_920  # by hand: the sum over the layers of output pixels x kernel x inputs


def test_reading_five_megabytes_takes_less_than_a_tenth_of_a_second(tmp_path: Path) -> None:
    big = build(
        M([T((1, 1000)), T((1250, 1000), data=zeros(1250, 1000)), T((1, 1250))], [O("FULLY_CONNECTED", (0, 1), (2,))])
    )
    inspected(tmp_path, big)  # imports
    started = time.process_time()
    inspected(tmp_path, big)
    assert time.process_time() - started < 0.1


@published
@pytest.mark.parametrize(
    ("name", "scheme", "io", "granularity"),
    [
        ("v3_0__tflite__edsr_f32b5_fp32", "float32", "float32", None),
        ("v3_0__tflite__edsr_f32b5_full_qint8", "int8", "int8", "per-channel"),
        ("v3_0__tflite__edsr_f32b5_QAT", "int8", "uint8", "per-channel"),
        ("mobilenet_v1_0.25_128_quant", "uint8", "uint8", "per-tensor"),
        ("mobilenet_v1_0.25_128_quant_edgetpu", "edgetpu", "uint8", None),
        ("deeplabv3_mnv2_dm05_pascal_quant_edgetpu", "edgetpu", "uint8", "per-tensor"),
    ],
)
def test_published_models_are_recognised(name: str, scheme: str, io: str, granularity: str | None) -> None:
    info = inspect(SHARED / f"{name}.tflite")
    assert (info.scheme, info.inputs[0].dtype, info.granularity) == (scheme, io, granularity)
    assert bool(info.compiled_for) == (scheme == "edgetpu")


@published
def test_ptq_and_qat_are_said_to_be_indistinguishable() -> None:
    for name in ("full_qint8", "QAT"):
        assert "quantization-aware" in inspect(SHARED / f"v3_0__tflite__edsr_f32b5_{name}.tflite").notes[0]


INT8 = T((4, 8), "INT8", zeros(4, 8, dtype="int8"), scales=(0.1,))
INT4 = T((4, 8), "INT4", zeros(16, dtype="uint8"), scales=(0.1,) * 4)
FLOAT16 = T((4, 8), "FLOAT16", zeros(4, 8, dtype="float16"))


@pytest.mark.parametrize(
    ("raw", "scheme"),
    [
        (dense(T((4, 8), data=zeros(4, 8))), "float32"),
        (dense(FLOAT16, decoded=True), "float16"),
        (dense(INT8), "dynamic-int8"),
        (dense(INT8, decoded=True), "weight-only-int8"),
        (dense(INT4), "dynamic-int4"),
        (dense(INT4, decoded=True), "weight-only-int4"),
        (dense(INT8, "INT8"), "int8"),
        (dense(INT4, "INT8"), "int4"),
        (dense(INT8, "INT16"), "int16x8"),
        (dense(T((4, 8), "UINT8", zeros(4, 8, dtype="uint8"), scales=(0.1,)), "UINT8"), "uint8"),
        (build(M([T((1, 8), "UINT8"), T((1, 8), "UINT8")], [O("edgetpu-custom-op", (0,), (1,))])), "edgetpu"),
        (build(M([T((1, 8), "INT8"), T((1, 8), "INT8")], [O("RELU", (0,), (1,))])), "int8"),
    ],
)
def test_the_scheme_follows_from_weights_and_activations(tmp_path: Path, raw: bytes, scheme: str) -> None:
    assert inspected(tmp_path, raw).scheme == scheme


def test_only_a_large_layer_left_in_float_makes_a_model_mixed(tmp_path: Path) -> None:
    def two_layers(width: int) -> bytes:
        large = T((100, 8), "INT8", zeros(100, 8, dtype="int8"), scales=(0.1,))
        left_alone = T((width, 100), data=zeros(width, 100))
        ops = [O("FULLY_CONNECTED", (0, 1), (2,)), O("FULLY_CONNECTED", (2, 3), (4,))]
        return build(M([T((1, 8)), large, T((1, 100)), left_alone, T((1, width))], ops))

    assert inspected(tmp_path, two_layers(width=1)).scheme == "mixed"  # 100 of 900 weights
    small = T((1, 8), data=zeros(1, 8))
    ops = [O("FULLY_CONNECTED", (0, 1), (2,)), O("MUL", (2, 3), (4,))]
    dominant = T((100, 8), "INT8", zeros(100, 8, dtype="int8"), scales=(0.1,))
    assert (
        inspected(tmp_path, build(M([T((1, 8)), dominant, T((1, 100)), small, T((1, 100))], ops))).scheme
        == "dynamic-int8"
    )


def test_the_initial_value_of_a_variable_is_no_weight(tmp_path: Path) -> None:
    state = T((100, 8), "INT8", zeros(100, 8, dtype="int8"), scales=(0.1,))
    tensors = [T((1, 8), "INT8"), INT8, T((1, 4), "INT8"), T((), "RESOURCE"), state]
    ops = [O("ASSIGN_VARIABLE", (3, 4), ()), O("FULLY_CONNECTED", (0, 1), (2,))]
    assert inspected(tmp_path, build(M(tensors, ops, outputs=(2,)))).scheme == "int8"


def test_custom_and_flex_operators_are_told_apart(tmp_path: Path) -> None:
    tensors = [T((1,)), T((1,)), T((1,))]
    info = inspected(tmp_path, build(M(tensors, [O("Landmarks2Rect", (0,), (1,)), O("FlexErf", (1,), (2,))])))
    assert (info.custom_ops, info.flex_ops) == (("Landmarks2Rect",), ("FlexErf",))
    assert info.macs is None
    assert info.macs_note == "without FlexErf, Landmarks2Rect"


@pytest.mark.parametrize(
    ("tensors", "op", "macs"),
    [
        ([T((1, 8, 8, 3)), T((16, 3, 3, 3), data=zeros(16, 3, 3, 3)), T((1, 4, 4, 16))], "CONV_2D", 4 * 4 * 16 * 27),
        (
            [T((1, 8, 8, 4)), T((1, 3, 3, 4), data=zeros(1, 3, 3, 4)), T((1, 8, 8, 4))],
            "DEPTHWISE_CONV_2D",
            8 * 8 * 4 * 9,
        ),
        ([T((2, 8)), T((4, 8), data=zeros(4, 8)), T((2, 4))], "FULLY_CONNECTED", 2 * 4 * 8),
        ([T((5, 2, 3)), T((5, 3, 7)), T((5, 2, 7))], "BATCH_MATMUL", 5 * 2 * 3 * 7),
        ([T((1, 4, 4, 4, 2)), T((3, 3, 3, 2, 6), data=zeros(3, 3, 3, 2, 6)), T((1, 2, 2, 2, 6))], "CONV_3D", 48 * 54),
    ],
)
def test_macs_are_counted_by_the_textbook(tmp_path: Path, tensors: list[T], op: str, macs: int) -> None:
    info = inspected(tmp_path, build(M(tensors, [O(op, (0, 1), (2,))])))
    assert (info.macs, describe(info)["flops"]) == (macs, 2 * macs)


def test_macs_of_a_transposed_convolution_come_from_its_input(tmp_path: Path) -> None:
    shape = T((4,), "INT32", np.array([1, 8, 8, 5], "int32"))
    tensors = [T((1, 4, 4, 3)), shape, T((5, 2, 2, 3), data=zeros(5, 2, 2, 3)), T((1, 8, 8, 5))]
    info = inspected(tmp_path, build(M(tensors, [O("TRANSPOSE_CONV", (1, 2, 0), (3,))])))
    assert info.macs == 4 * 4 * 3 * 5 * 2 * 2
    assert info.parameters == 60  # the output's shape is no parameter


def test_a_product_with_its_first_operand_transposed_sums_over_the_other_axis(tmp_path: Path) -> None:
    tensors = [T((3, 2)), T((3, 7)), T((2, 7))]
    op = O("BATCH_MATMUL", (0, 1), (2,), ("BatchMatMulOptions", {"adjX": True}))
    assert inspected(tmp_path, build(M(tensors, [op]))).macs == 2 * 3 * 7


def test_macs_of_a_dynamic_shape_are_not_guessed(tmp_path: Path) -> None:
    tensors = [T((1, 1, 8), signature=(1, -1, 8)), T((4, 8), data=zeros(4, 8)), T((1, 1, 4), signature=(1, -1, 4))]
    info = inspected(tmp_path, build(M(tensors, [O("FULLY_CONNECTED", (0, 1), (2,))])))
    assert (info.macs, info.macs_note) == (None, "FULLY_CONNECTED has a dynamic shape")
    assert info.inputs[0].signature == (1, -1, 8)


def test_zero_weights_show_pruning(tmp_path: Path) -> None:
    weights = np.ones((4, 8), "float32")
    weights[:3] = 0
    assert inspected(tmp_path, dense(T((4, 8), data=weights))).zero_weights == pytest.approx(0.75)
    nibbles = np.array([0x00, 0x10] * 8, "uint8")  # three of four are zero
    assert inspected(tmp_path, dense(T((4, 8), "INT4", nibbles, scales=(0.1,)))).zero_weights == pytest.approx(0.75)


def test_labels_in_an_appended_archive_and_the_runtime_version_are_found(tmp_path: Path) -> None:
    file = tmp_path / "labelled.tflite"
    file.write_bytes(FLOAT32.read_bytes())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("labels.txt", "shirt\nshoe\n\n")
        archive.writestr("vocab.txt", "a\n")
    info = inspect(file)
    assert info.labels == {"labels.txt": ("shirt", "shoe")}
    assert info.packed_files == ("labels.txt", "vocab.txt")
    assert info.minimum_runtime == "1.6.0"
    assert info.scheme == "float32"


def test_a_description_of_a_model_is_strict_json() -> None:
    plain = json.loads(json.dumps(describe(inspect(FLOAT32)), allow_nan=False))
    assert plain["ops"]["CONV_2D"] == 6
    assert plain["nodes"] == sum(plain["ops"].values()) == 14
    assert plain["inputs"][0]["shape"] == [1, 28, 28, 1]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04" + bytes(50), "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"hello, I am no model", "lacks the identifier TFL3"),
        (b"\x10\x00\x00\x00TFL3", "truncated or corrupt"),
        (FLOAT32.read_bytes()[:100_000], "truncated or corrupt"),
    ],
)
def test_what_is_no_model_gets_one_clear_line(tmp_path: Path, raw: bytes, told: str) -> None:
    with pytest.raises(InputError, match=r"model\.tflite is no \.tflite model") as caught:
        inspected(tmp_path, raw)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.tflite cannot be read: No such file"):
        inspect(tmp_path / "gone.tflite")


def test_an_operator_of_a_tensor_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a subgraph of 2 tensors refers to tensor 9"):
        inspected(tmp_path, build(M([T((1,)), T((1,))], [O("RELU", (9,), (1,))])))


SEEDS = [dense(INT8, decoded=True), (ROOT / "benchbench/demo/fashion_mnist/fashion_mnist_int8.tflite").read_bytes()]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.data())
def test_no_truncation_and_no_flipped_bit_makes_it_crash(tmp_path: Path, seed: bytes, data: st.DataObject) -> None:
    raw = bytearray(seed[: data.draw(st.integers(0, len(seed)))] if data.draw(st.booleans()) else seed)
    for _ in range(data.draw(st.integers(0, 8)) if raw else 0):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(InputError):
        json.dumps(describe(inspected(tmp_path, bytes(raw))), allow_nan=False)
