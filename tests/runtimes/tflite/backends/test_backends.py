"""Every delegate: its label, where it can exist, and its arguments for each tool."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from benchbench.device_script.tflite.delegates import CompiledModelDelegate, InterpreterDelegate
from benchbench.runtimes.tflite.backends import KINDS, Delegate
from benchbench.runtimes.tflite.backends.cpu import Cpu
from benchbench.runtimes.tflite.backends.edgetpu import EdgeTpu
from benchbench.runtimes.tflite.backends.external import External
from benchbench.runtimes.tflite.backends.gpu import Gpu
from benchbench.runtimes.tflite.backends.hexagon import Hexagon
from benchbench.runtimes.tflite.backends.nnapi import Nnapi
from benchbench.runtimes.tflite.backends.npu import Npu
from benchbench.runtimes.tflite.backends.xnnpack import Xnnpack
from benchbench.values.device import RunnerKind, Traits

PHONE = Traits(os="android", abi="arm64-v8a", sdk=35)
BOARD = Traits(os="linux", abi="aarch64", accelerators=("gpu", "npu", "edgetpu"))
BARE = Traits(os="linux", abi="aarch64")
ONE_OF_EACH: dict[str, Any] = {
    "cpu": Cpu(),
    "xnnpack": Xnnpack(),
    "gpu": Gpu(),
    "nnapi": Nnapi(),
    "edgetpu": EdgeTpu(),
    "hexagon": Hexagon(),
    "external": External(path="libvx_delegate.so"),
    "npu": Npu(),
}


def parse(value: dict[str, Any]) -> Delegate:
    adapter: TypeAdapter[Delegate] = TypeAdapter(Delegate)
    return adapter.validate_python(value)


def test_the_union_knows_every_kind_by_its_tag() -> None:
    assert tuple(ONE_OF_EACH) == KINDS
    for kind, delegate in ONE_OF_EACH.items():
        assert parse(delegate.model_dump()) == delegate
        assert delegate.kind == kind


@pytest.mark.parametrize(
    ("delegate", "label"),
    [
        (Cpu(), "cpu"),
        (Xnnpack(force_fp16=True), "xnnpack:fp16"),
        (Xnnpack(force_fp16=True, cache="warm"), "xnnpack:fp16:warm"),
        (Gpu(cache="off"), "gpu:no-cache"),
        (Gpu(), "gpu"),
        (Gpu(precision="fp32", backend="cl", sustained_speed=True), "gpu:fp32:cl:sustained"),
        (Nnapi(accelerator="google-edgetpu", burst=True), "nnapi:google-edgetpu:burst"),
        (EdgeTpu(device="usb:0"), "edgetpu:usb0"),
        (External(path="/usr/lib/libvx_delegate.so"), "external:vx_delegate"),
        (External(path="/usr/lib/libarmnn.so.33.0", name="armnn"), "external:armnn"),
        (External(path="/x/../a b$(rm).so"), "external:a_b__rm_"),
        (External(path="/usr/lib/lib.so"), "external:lib.so"),
        (Npu(vendor="intel", backend="cpu"), "npu:intel:cpu"),
    ],
)
def test_a_label_tells_apart_what_differs_and_is_safe_in_a_path(delegate: Delegate, label: str) -> None:
    assert delegate.label == label
    assert "/" not in delegate.label


@pytest.mark.parametrize("delegate", ONE_OF_EACH.values(), ids=str)
def test_xnnpack_is_always_explicit_for_the_native_tool(delegate: Delegate) -> None:
    """Unset is not false: without the flag the tool applies XNNPACK to what the delegate leaves, unsaid."""
    flags = delegate.tflite_flags(None)
    if flags is not None:
        wanted = "false" if delegate.kind == "cpu" else "true"
        assert f"--use_xnnpack={wanted}" in flags


def test_options_reach_the_native_tool_by_their_own_names() -> None:
    assert Cpu().tflite_flags(None) == ("--use_xnnpack=false",)
    assert Xnnpack(force_fp16=True).tflite_flags(None) == ("--use_xnnpack=true", "--xnnpack_force_fp16=true")
    gpu = Gpu(precision="fp32", backend="cl", sustained_speed=True).tflite_flags(None) or ()
    assert {"--use_gpu=true", "--gpu_precision_loss_allowed=false", "--gpu_backend=cl"} <= set(gpu)
    assert "--gpu_inference_for_sustained_speed=true" in gpu
    nnapi = Nnapi(accelerator="qti-dsp", allow_fp16=True, execution_preference="sustained_speed").tflite_flags(None)
    assert "--nnapi_accelerator_name=qti-dsp" in nnapi
    assert "--nnapi_execution_preference=sustained_speed" in nnapi
    assert "--nnapi_allow_fp16=true" in nnapi
    assert "--disable_nnapi_cpu=true" in nnapi
    assert "--hexagon_lib_path=/data/dsp" in Hexagon(library_folder="/data/dsp").tflite_flags(None)


def test_external_options_are_joined_as_the_native_tool_splits_them() -> None:
    delegate = External(path="liba.so", options={"a": "1", "b": "x"})
    assert "--external_delegate_options=a:1;b:x" in delegate.tflite_flags(None)
    assert "--external_delegate_path=/d/liba.so" in delegate.tflite_flags("/d/liba.so")


def test_external_options_may_be_any_scalar_in_the_matrix() -> None:
    delegate = parse({"kind": "external", "path": "liba.so", "options": {"fast": True, "level": 3}})
    assert isinstance(delegate, External)
    assert delegate.options == {"fast": "true", "level": "3"}


def test_what_the_native_tool_would_drop_silently_is_refused_for_it_alone() -> None:
    colon = External(path="liba.so", options={"device": "usb:0"})
    assert "would drop option 'device'" in (colon.unsupported_reason(PHONE, "benchmark_model") or "")
    assert colon.unsupported_reason(BOARD, "python") is None
    tpu = EdgeTpu(device="usb:0")
    assert "drops a ':'" in (tpu.unsupported_reason(BOARD, "benchmark_model") or "")
    assert tpu.unsupported_reason(BOARD, "python") is None
    assert EdgeTpu(device="usb").unsupported_reason(BOARD, "benchmark_model") is None


def test_compiled_model_has_no_switch_for_xnnpack_nor_external_delegates() -> None:
    for kind in ("cpu", "edgetpu", "external", "hexagon", "nnapi"):
        assert ONE_OF_EACH[kind].litert_flags(None) is None
    assert ONE_OF_EACH["npu"].tflite_flags(None) is None
    assert Xnnpack().litert_flags(None) == ("--use_cpu=true",)
    assert "--gpu-precision=fp16" in (Gpu().litert_flags(None) or ())
    assert "--dispatch_library_path=/d" in Npu(dispatch="/d").litert_flags(None)


@pytest.mark.parametrize(
    ("delegate", "traits", "runner", "words"),
    [
        (Gpu(), BARE, "python", "libvulkan1"),
        (Gpu(backend="cl"), BOARD, "python", 'needs runner = "benchmark_model"'),
        (Gpu(backend="opengl"), BOARD, "python", 'needs runner = "benchmark_model"'),
        (Gpu(sustained_speed=True), BOARD, "python", "sustained_speed"),
        (Xnnpack(force_fp16=True), BOARD, "python", "cannot force fp16"),
        (Gpu(cache="warm"), BOARD, "python", 'use runner = "benchmark_model"'),
        (Npu(cache="cold"), BOARD, "python", 'use runner = "benchmark_model"'),
        (Xnnpack(cache="warm"), BOARD.model_copy(update={"runtime": "tflite-runtime 2.14.0"}), "python", "no weight"),
        (Nnapi(), BOARD, "benchmark_model", "Android only"),
        (Nnapi(), PHONE, "python", 'needs runner = "benchmark_model"'),
        (Nnapi(), PHONE.model_copy(update={"sdk": 26}), "benchmark_model", "Android 8.1"),
        (Nnapi(accelerator="x"), PHONE.model_copy(update={"sdk": 28}), "benchmark_model", "Android 10"),
        (Hexagon(), BOARD, "benchmark_model", "Qualcomm"),
        (Hexagon(), PHONE, "python", 'needs runner = "benchmark_model"'),
        (Npu(vendor="intel"), BARE, "python", "ai-edge-litert-sdk-intel"),
        (Npu(vendor="qualcomm", backend="cpu"), BOARD, "python", 'vendor = "intel"'),
        (Npu(vendor="intel", backend="cpu"), PHONE, "benchmark_model", 'needs runner = "python"'),
        (Npu(dispatch="/d"), BOARD, "python", 'needs? runner = "benchmark_model"'),
        # Each is an option of one generation of the tool, and no tool has both.
        (Gpu(backend="webgpu", sustained_speed=True), PHONE, "benchmark_model", "no tool"),
    ],
)
def test_what_cannot_be_says_why_and_what_to_do(
    delegate: Delegate, traits: Traits, runner: RunnerKind, words: str
) -> None:
    reason = delegate.unsupported_reason(traits, runner) or ""
    assert words.replace("needs?", "need") in reason


def test_what_may_exist_is_not_refused() -> None:
    native: tuple[Delegate, ...] = (Cpu(), Xnnpack(), Gpu(), Nnapi(), Hexagon(), External(path="liba.so"), Npu())
    for delegate in native:
        assert delegate.unsupported_reason(PHONE, "benchmark_model") is None
    scripted: tuple[Delegate, ...] = (Cpu(), Xnnpack(), Gpu(), EdgeTpu(), External(path="liba.so"), Npu(vendor="intel"))
    for delegate in scripted:
        assert delegate.unsupported_reason(BOARD, "python") is None
        assert delegate.request(None) is not None


def test_a_cache_is_off_where_a_tool_has_none_and_measured_where_it_has_one() -> None:
    for cached in (Xnnpack(cache="warm"), Gpu(cache="cold"), Npu(cache="warm"), Nnapi(cache="warm")):
        assert cached.unsupported_reason(PHONE, "benchmark_model") is None
    assert Gpu(cache="off").unsupported_reason(BOARD, "python") is None
    # Through the API that has the cache, so that off, cold and warm are compared with one another.
    for cache in ("off", "cold", "warm"):
        assert parse({"kind": "xnnpack", "cache": cache}).request(None) == CompiledModelDelegate("cpu")
    assert Xnnpack().request(None) == InterpreterDelegate(xnnpack=True)


def test_weights_are_kept_from_the_first_release_on_whose_python_does() -> None:
    def skipped(runtime: str | None, cache: Literal["off", "cold", "warm"] = "warm") -> bool:
        traits = BOARD.model_copy(update={"runtime": runtime})
        return Xnnpack(cache=cache).unsupported_reason(traits, "python") is not None

    old = ("1.4.0", "2.0.2", "2.1.0", "2.1.4", "2.1.6")
    new = ("2.2.0", "2.3.0", "2.10.1", "3.0.0", "of unknown version")
    assert [skipped(f"ai-edge-litert {version}") for version in (*old, *new)] == [True] * len(old) + [False] * len(new)
    assert skipped("ai-edge-litert 2.1.4", "off")  # it is measured through the same API
    assert not skipped(None)


def test_the_fallback_is_named_truly() -> None:
    assert Cpu().fallback == Xnnpack().fallback == "cpu"
    assert Gpu().fallback == Nnapi().fallback == EdgeTpu().fallback == "xnnpack"


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "edgetpu", "device": "usb:0; reboot"},
        {"kind": "nnapi", "accelerator": "a b"},
        {"kind": "external", "path": ""},
        {"kind": "external", "path": "liba.so", "name": "../x"},
        {"kind": "gpu", "precison": "fp32"},
        {"kind": "tpu"},
    ],
)
def test_a_wrong_option_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse(value)


def test_requests_of_the_python_runner_carry_library_and_options() -> None:
    assert Cpu().request(None) == InterpreterDelegate(xnnpack=False)
    tpu = EdgeTpu(device="pci:0").request("/d/libedgetpu.so.1")
    assert (tpu.library, tpu.options) == ("/d/libedgetpu.so.1", {"device": "pci:0"})
    npu = Npu(vendor="intel", backend="cpu").request(None)
    assert npu == CompiledModelDelegate("npu", vendor="intel", backend="cpu")
