"""A float .tflite becomes a family with LiteRT's real quantizer; whatever goes wrong leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchbench.demo.ship_fashion_mnist import predictions
from benchbench.pipeline import quantize
from benchbench.runtimes.quantizing.calibration import Feeding, Pixels, load
from benchbench.runtimes.quantizing.conversion import convert
from benchbench.runtimes.quantizing.manifest import Family, Made
from benchbench.runtimes.quantizing.progress import Finished, Step, Working
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult, Fed
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.converters import make
from benchbench.runtimes.tflite.quantize.schemes import SCHEMES
from benchbench.values.errors import InputError, ToolError
from benchbench.values.process_end import how_a_child_ended
from tests.runtimes.tflite.model.small_models import M, O, T, build, dense, zeros

pytest.importorskip("litert_quantizer", reason="the extra 'quantize' is not installed")

SHIPPED = Path(__file__).parents[4] / "benchbench/demo/fashion_mnist"
FLOAT32 = SHIPPED / "fashion_mnist_float32.tflite"
SAMPLES = SHIPPED / "calibration.npz"


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Family]:
    out = tmp_path_factory.mktemp("quantize") / "family"
    return out, quantize(FLOAT32, [*SCHEMES, "edgetpu"], out, representative=SAMPLES)


def made_of(family: Family) -> dict[str, Made]:
    return {made.scheme: made for made in family.made}


def test_every_scheme_is_made_and_is_what_it_is_called(family: tuple[Path, Family]) -> None:
    out, made = family[0], made_of(family[1])
    assert set(made) == set(SCHEMES)
    for scheme, entry in made.items():
        info = inspect(out / entry.file)
        assert info.scheme == entry.found == scheme.removesuffix("-io")
        assert info.sha256 == entry.sha256
        assert {t.dtype for t in (*info.inputs, *info.outputs)} == {"int8" if scheme == "int8-io" else "float32"}


def test_without_its_compiler_the_edge_tpu_is_a_skip_with_the_reason(family: tuple[Path, Family]) -> None:
    if shutil.which("edgetpu_compiler"):
        pytest.skip("the compiler is installed here")
    assert [(s.scheme, "not installed" in s.reason) for s in family[1].skipped] == [("edgetpu", True)]


def test_the_manifest_says_how_each_was_made_and_names_no_folder_of_this_machine(family: tuple[Path, Family]) -> None:
    out, made = family
    text = (out / "family.json").read_text(encoding="utf-8")
    assert Family.model_validate_json(text) == made
    assert str(out.parent) not in text
    assert made.calibration is not None
    assert (made.calibration.source, made.calibration.samples) == ("calibration.npz", 500)
    assert {path.name for path in out.iterdir()} == {"family.json", *(m.file for m in made.made)}
    assert all(m.tool.startswith("litert-quantizer ") for m in made.made if m.scheme != "float32")


def test_the_same_inputs_give_the_same_bytes(family: tuple[Path, Family], tmp_path: Path) -> None:
    schemes = ["dynamic-int4", "int8", "int16x8"]
    again = made_of(quantize(FLOAT32, schemes, tmp_path / "again", representative=SAMPLES))
    first = made_of(family[1])
    assert {s: again[s] for s in schemes} == {s: first[s] for s in schemes}


def test_each_file_says_how_true_it_is_to_float32_on_a_few_real_samples(family: tuple[Path, Family]) -> None:
    made = made_of(family[1])
    assert made.pop("float32").fidelity is None
    found = {scheme: entry.fidelity for scheme, entry in made.items() if entry.fidelity is not None}
    assert set(found) == set(made)
    assert {(f.samples, f.data, f.flags) for f in found.values()} == {(16, "calibration.npz", ())}
    assert (found["int8"].agreement, found["dynamic-int8"].agreement) == (1.0, 1.0)
    assert found["float16"].sqnr_db > found["int8"].sqnr_db > found["dynamic-int4"].sqnr_db > 10
    assert family[1].warnings == ()


def test_a_manifest_of_an_earlier_version_is_still_read(family: tuple[Path, Family]) -> None:
    plain = family[1].model_dump()
    for made in plain["made"]:
        del made["fidelity"]
    assert all(made.fidelity is None for made in Family.model_validate(plain).made)


def correct(model: Path) -> float:
    """Top-1 on the 2,000 shipped test images, by the plain interpreter."""
    with np.load(SHIPPED / "test.npz") as data:
        return float((predictions(model, data["x"]) == data["y"]).mean())


def test_depthwise_layers_stay_float_where_their_kernel_would_misread_a_single_scale(tmp_path: Path) -> None:
    """TFLite's hybrid depthwise kernel reads a scale per channel past the end of one: 10 % instead of 92 %."""
    (made,) = quantize(FLOAT32, ["dynamic-int8"], tmp_path / "out", per_channel=False).made
    assert made.granularity == "per-tensor"
    assert "DEPTHWISE_CONV_2D left float" in made.recipe
    assert correct(tmp_path / "out" / made.file) == pytest.approx(correct(FLOAT32), abs=0.01)


def test_the_recipe_names_no_depthwise_layers_where_there_are_none(tmp_path: Path) -> None:
    source = tmp_path / "dense.tflite"
    weights = np.random.default_rng(0).normal(size=(128, 64)).astype(np.float32)
    tensors = [T((1, 64)), T((128, 64), data=weights), T((1, 128))]
    source.write_bytes(build(M(tensors, [O("FULLY_CONNECTED", (0, 1), (2,), ("FullyConnectedOptions", {}))])))
    (made,) = quantize(source, ["dynamic-int8"], tmp_path / "out", per_channel=False).made
    assert "DEPTHWISE" not in made.recipe
    assert made.fidelity is not None
    assert (made.fidelity.data, made.fidelity.flags) == ("random", ())


@pytest.fixture
def with_outlier(tmp_path: Path) -> Path:
    """Representative data with one sample far beyond the others, which stretches every range."""
    x = np.load(SAMPLES)["x"][:12].astype(np.float32)
    x[0] *= 1e4
    return saved(tmp_path / "outlier.npz", x=x)


def test_a_file_that_runs_and_answers_badly_is_kept_and_flagged(tmp_path: Path, with_outlier: Path) -> None:
    family = quantize(FLOAT32, ["float16", "int8"], tmp_path / "out", representative=with_outlier)
    good, bad = family.made
    assert good.warning is None
    assert bad.fidelity is not None
    assert bad.fidelity.agreement is not None
    assert bad.fidelity.agreement < 0.5
    (warning,) = family.warnings
    assert warning.startswith("fashion_mnist_int8.tflite: only ")
    assert "of the top answers are the reference's" in warning
    assert warning.endswith("on 12 samples): measure its accuracy before you ship it")


def test_the_command_prints_data_on_stdout_and_progress_and_doubts_on_stderr(
    tmp_path: Path, with_outlier: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "benchbench.cli.main",
        "quantize",
        str(FLOAT32),
        "--representative",
        str(with_outlier),
    ]
    command += ["--scheme", "int8", "--scheme", "float32", "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (float32, int8) = json.loads(done.stdout)["made"]
    assert (float32["fidelity"], int8["fidelity"]["samples"]) == (None, 12)
    lines = done.stderr.splitlines()
    assert [line.partition(",")[0] for line in lines[:2]] == ["[1/2] float32: made", "[2/2] int8: made"]
    assert lines[2].startswith("fashion_mnist_int8.tflite: only ")
    assert len(lines) == 3


def test_progress_tells_what_is_done_and_how_long_a_calibration_takes(tmp_path: Path) -> None:
    steps: list[Step] = []
    schemes = ["float32", "int8"]
    family = quantize(FLOAT32, schemes, tmp_path / "out", representative=SAMPLES, progress=steps.append)
    assert {step.total for step in steps} == {2}
    finished = [step for step in steps if isinstance(step, Finished)]
    assert [(step.label, step.number, step.result) for step in finished] == [
        ("float32", 1, family.made[0]),
        ("int8", 2, family.made[1]),
    ]
    of_int8 = [step for step in steps if isinstance(step, Working) and step.label == "int8"]
    assert list(dict.fromkeys(step.doing for step in of_int8)) == ["making", "calibrating", "trying"]
    calibrating = [step for step in of_int8 if step.doing == "calibrating"]
    assert all(0 < step.fed < step.samples == 500 for step in calibrating)
    assert calibrating[0].left_seconds == pytest.approx(
        calibrating[0].seconds * (500 - calibrating[0].fed) / calibrating[0].fed
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_whoever_ends_quantize_ends_its_converter(tmp_path: Path, number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-m", "benchbench.cli.main", "quantize", str(FLOAT32), "--representative", str(SAMPLES)]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as running:
        while not list(tmp_path.glob("benchbench-*/requests.jsonl")):
            assert running.poll() is None
            time.sleep(0.02)
        (converter,) = converters(running.pid)
        running.send_signal(number)
        stdout, stderr = running.communicate()
    assert (running.returncode, stdout) == (code, "")
    assert not (tmp_path / "out").exists()
    assert gone(converter)
    if number is signal.SIGINT:
        assert stderr.splitlines()[-1] == "benchbench: interrupted (nothing was made)"
        assert list(tmp_path.iterdir()) == []


def gone(pid: int) -> bool:
    """Whether a process ends soon; a zombie that nobody reaps has ended."""
    status = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not status.exists() or status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def converters(pid: int) -> list[int]:
    """The converters that a process has started and not yet reaped; those of tests have other children, too."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        if found := [int(child) for child in children if b"quantizing.conversion" in command(child)]:
            return found
    return []


def command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def test_a_family_is_called_by_its_source_without_the_scheme(tmp_path: Path) -> None:
    for source, name in [("net_float32", "net"), ("net-1.0.FP32", "net-1.0"), ("net", "net"), ("float32", "float32")]:
        path = tmp_path / f"{source}.tflite"
        shutil.copyfile(FLOAT32, path)
        family = quantize(path, ["float32"], tmp_path / f"out of {source}")
        assert (family.name, family.made[0].file) == (name, f"{name}_float32.tflite")


def test_per_tensor_scales_show_in_the_file_and_in_its_name(tmp_path: Path) -> None:
    (made,) = quantize(FLOAT32, ["int8"], tmp_path / "out", representative=SAMPLES, per_channel=False).made
    assert (made.granularity, made.file) == ("per-tensor", "fashion_mnist_int8-pertensor.tflite")


def test_without_representative_data_the_schemes_that_need_it_are_skipped(tmp_path: Path) -> None:
    family = quantize(FLOAT32, ["float16", "int8"], tmp_path / "out")
    assert list(made_of(family)) == ["float16"]
    assert [skipped.scheme for skipped in family.skipped] == ["int8"]
    assert "--representative" in family.skipped[0].reason


def test_pixels_are_normalised_as_recorded(tmp_path: Path) -> None:
    family = quantize(FLOAT32, ["int8-io"], tmp_path / "out", representative=SAMPLES, pixels=Pixels(mean=127, std=128))
    (tensor,) = inspect(tmp_path / "out" / family.made[0].file).inputs
    assert tensor.scale == pytest.approx(255 / 128 / 255, rel=0.01)
    assert family.calibration is not None
    assert (family.calibration.mean, family.calibration.std) == (127, 128)


def test_a_model_in_which_nothing_can_be_quantized_is_not_passed_off_as_quantized(tmp_path: Path) -> None:
    source = tmp_path / "relu.tflite"
    source.write_bytes(build(M([T((1, 8)), T((1, 8))], [O("COS", (0,), (1,))])))
    with pytest.raises(ToolError, match=r"nothing but a copy .* it has no layer with weights"):
        quantize(source, ["float32", "dynamic-int8"], tmp_path / "out")


def test_a_model_that_cannot_run_is_no_variant(tmp_path: Path) -> None:
    source = tmp_path / "custom.tflite"
    source.write_bytes(build(M([T((1, 8)), T((1, 8))], [O("SomebodysOwnOp", (0,), (1,))])))
    with pytest.raises(ToolError, match=r"no scheme could be made.*SomebodysOwnOp"):
        quantize(source, ["float32"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def refused(tmp_path: Path, match: str, **changed: object) -> None:
    """Asserts that the call is refused in one line, with nothing left behind."""
    arguments = {"source": FLOAT32, "schemes": ["int8"], "representative": SAMPLES} | changed
    out = tmp_path / "out" / "family"
    with pytest.raises(InputError, match=match) as caught:
        quantize(out=out, **arguments)  # type: ignore[arg-type]  # the table above mixes types
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not out.parent.exists() or not list(out.parent.iterdir())


def saved(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return path


def test_a_quantized_source_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, r"already quantized \(int8\)", source=SHIPPED / "fashion_mnist_int8.tflite")
    refused(tmp_path, r"already quantized \(float16\)", source=SHIPPED / "fashion_mnist_float16.tflite")


def test_samples_of_another_shape_are_refused_with_the_shape_wanted(tmp_path: Path) -> None:
    data = saved(tmp_path / "wide.npz", x=zeros(3, 32, 32, 3))
    refused(tmp_path, r"shape \[32, 32, 3\] do not fit.*it wants \[n, 28, 28, 1\]", representative=data)


def test_nan_in_the_samples_is_refused_with_its_place(tmp_path: Path) -> None:
    x = zeros(5, 28, 28, 1)
    x[3, 0, 0, 0] = np.nan
    refused(tmp_path, "sample 3 holds NaN", representative=saved(tmp_path / "nan.npz", x=x))


def test_empty_data_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "is empty", representative=saved(tmp_path / "empty.npz", x=zeros(0, 28, 28, 1)))
    (tmp_path / "nothing").mkdir()
    refused(tmp_path, "is empty: no .npy and no image", representative=tmp_path / "nothing")


def test_data_without_an_array_for_the_input_is_refused(tmp_path: Path) -> None:
    data = saved(tmp_path / "odd.npz", a=zeros(1), b=zeros(1))
    refused(tmp_path, r"no array for the input image.*name its arrays after the inputs: image", representative=data)


def test_pickled_data_is_not_executed(tmp_path: Path) -> None:
    data = saved(tmp_path / "pickled.npz", x=np.array([{"a": 1}], dtype=object))
    refused(tmp_path, "is no .npz with arrays", representative=data)


def test_damaged_data_is_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.npz", x=np.ones((5, 28, 28, 1), np.float32)).read_bytes()
    for name, content, match in [
        ("text", b"junk", "is no .npz, or only a part of one"),
        ("part", whole[: len(whole) // 2], "is no .npz, or only a part of one"),
        ("flipped", whole[:5000] + b"?" + whole[5001:], "is no .npz with arrays: Bad CRC-32"),
    ]:
        (tmp_path / f"{name}.npz").write_bytes(content)
        refused(tmp_path, match, representative=tmp_path / f"{name}.npz")
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays/0.npy").write_bytes(whole)
    refused(tmp_path, r"0\.npy is no \.npy file", representative=tmp_path / "arrays")


@pytest.mark.parametrize(("mean", "std"), [(0, 0), (0, -1), (float("nan"), 1)])
def test_pixels_that_cannot_be_normalised_are_refused(mean: float, std: float) -> None:
    with pytest.raises(InputError, match="pixels cannot become"):
        Pixels(mean, std)


def test_what_does_not_exist_or_is_no_model_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "does not exist", representative=tmp_path / "gone.npz")
    refused(tmp_path, "is no model file and no SavedModel folder", source=tmp_path)
    for suffix, why in (
        (".pb", r"\.pb cannot be quantized \(give a \.tflite"),
        (".onnx", r"is no ONNX model"),
    ):
        source = tmp_path / f"net{suffix}"
        source.touch()
        refused(tmp_path, why, source=source)


def test_unknown_schemes_and_sizes_of_a_tflite_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, r"no scheme is called int3 \(the schemes are float32", schemes=["int3"])
    refused(tmp_path, "at least one", schemes=[])
    refused(tmp_path, "its input size is built in", input_sizes=[32])


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    for name in ("../net", "a/b", "", ".net", "/net"):
        refused(tmp_path, "cannot name a family", name=name)


def test_a_folder_that_holds_something_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(InputError, match=r"exists \(name a new folder"):
        quantize(FLOAT32, ["float16"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_folders_of_arrays_and_images_and_a_function_feed_the_same_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    images = np.load(SAMPLES)["x"][:20]
    arrays, pictures = tmp_path / "arrays", tmp_path / "pictures"
    arrays.mkdir()
    pictures.mkdir()
    for k, image in enumerate(images):
        np.save(arrays / f"{k:02}.npy", image)
        Image.fromarray(image[..., 0]).save(pictures / f"{k:02}.png")
    (tmp_path / "feeding_test.py").write_text(
        f"import numpy as np\ndef samples():\n    yield from np.load({str(SAMPLES)!r})['x'][:20]\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    npz = saved(tmp_path / "few.npz", image=images)
    sources: list[Path | str | Feeding] = [arrays, pictures, npz, "feeding_test:samples", lambda: images]
    inputs = inspect(FLOAT32).arguments
    loaded = [load(source, inputs) for source in sources]
    assert {calibration.samples for calibration in loaded} == {20}
    assert len({calibration.sha256 for calibration in loaded}) == 1


def test_a_function_that_fails_is_quoted(tmp_path: Path) -> None:
    refused(tmp_path, "no_such_module:samples failed: ModuleNotFoundError", representative="no_such_module:samples")


def test_an_order_that_fails_does_not_take_the_next_with_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\0" * 100)

    def request(source: Path, name: str) -> ConversionRequest:
        common = {"kind": "tflite", "scheme": "float16", "per_channel": True, "input_size": None, "samples": None}
        return ConversionRequest.model_validate(
            common | {"source": str(source), "float32": None, "target": str(tmp_path / name)}
        )

    results = convert(make.__module__, [request(broken, "a.tflite"), request(FLOAT32, "b.tflite")])
    bad, good = [result.error for result in results if isinstance(result, ConversionResult)]
    assert bad
    assert good is None
    assert inspect(tmp_path / "b.tflite").scheme == "float16"


def test_a_process_that_was_killed_is_named_by_its_signal() -> None:
    child = subprocess.run([sys.executable, "-c", "import os; os.abort()"], capture_output=True, text=True, check=False)
    assert how_a_child_ended(child) == "crashed (SIGABRT)"
    assert child.returncode == -signal.SIGABRT


def test_a_converter_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    samples = saved(tmp_path / "samples.npz", image=np.load(SAMPLES)["x"].astype(np.float32))
    request = ConversionRequest(
        source=str(FLOAT32),
        kind="tflite",
        scheme="int8",
        per_channel=True,
        input_size=None,
        samples=str(samples),
        float32=None,
        target=str(tmp_path / "int8.tflite"),
    )
    with closing(convert(make.__module__, [request])) as messages:
        assert isinstance(next(messages), Fed)
        (converter,) = converters(os.getpid())
    assert not Path(f"/proc/{converter}").exists()
    assert not (tmp_path / "int8.tflite").exists()


def test_a_model_with_two_inputs_is_calibrated_by_their_names(tmp_path: Path) -> None:
    source = tmp_path / "pair.tflite"
    tensors = [T((1, 8)), T((1, 8)), T((1, 8)), T((4, 8), data=np.ones((4, 8), "float32")), T((1, 4))]
    ops = [
        O("ADD", (0, 1), (2,), ("AddOptions", {})),
        O("FULLY_CONNECTED", (2, 3), (4,), ("FullyConnectedOptions", {})),
    ]
    source.write_bytes(build(M(tensors, ops, inputs=(0, 1))))
    random = np.random.default_rng(0)
    arrays = {name: random.random((4, 8), dtype="float32") for name in ("t0", "t1")}
    data = saved(tmp_path / "pair.npz", **arrays)
    family = quantize(source, ["float32", "int8"], tmp_path / "out", representative=data)
    assert [made.scheme for made in family.made] == ["float32", "int8"]
    assert json.loads((tmp_path / "out/family.json").read_text(encoding="utf-8"))["calibration"]["samples"] == 4


def test_nothing_is_left_when_the_disk_refuses(tmp_path: Path) -> None:
    source = tmp_path / "dense.tflite"
    source.write_bytes(dense(T((4, 8), data=zeros(4, 8))))
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(InputError, match="file"):
        quantize(source, ["float32"], blocked / "out")
    assert blocked.is_file()
