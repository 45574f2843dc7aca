"""One network in two formats, with two layouts of its images, in one matrix: on this machine and on a board."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchbench.analysis.frames import Run, load
from benchbench.config.inventory import device_file
from benchbench.device.session import open_session
from benchbench.pipeline import run_again, run_models
from benchbench.run_folder.manifest import read_manifest
from benchbench.runtimes import runtime_of
from benchbench.values.device import Device, ToolChoice
from benchbench.values.errors import InputError, ToolError
from tests.beds import models, onnx_models
from tests.beds.sshd import Board
from tests.workbench import Workbench

MATRIX = """
name = "two formats"
devices = ["host", "board"]
delegates = ["cpu", "ort-cpu", "ort-xnnpack", { kind = "ort-provider", execution_provider = "NoExecutionProvider" }]
[[model]]
family = "net"
variants = ["net_float32.tflite", "net_float32.onnx"]
dataset = "images.npz"
[measure]
rounds = 1
canary = false
runs = 3
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
profile = true
require_delegation = true
"""


HIDING = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in {"onnx", "onnxruntime"}
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files, and labelled images with another mean in each channel, labels being what the network answers."""
    folder = tmp_path_factory.mktemp("formats")
    tflite = models.conv_model(size=16, channels=8)
    (folder / "net_float32.tflite").write_bytes(tflite)
    (folder / "net_float32.onnx").write_bytes(onnx_models.twin_of(tflite).SerializeToString())
    images = np.random.RandomState(5).randint(0, 256, (12, 16, 16, 3)).astype(np.uint8)
    np.savez(folder / "images.npz", x=images, y=np.arange(12) % 10)
    (folder / "images.toml").write_text("mean = [120.0, 60.0, 200.0]\nstd = [50.0, 70.0, 90.0]\n")
    return folder


@pytest.fixture
def run(files: Path, tmp_path: Path, board: Board) -> Run:
    bench = Workbench(tmp_path)
    there = device_file(Device(name="board", address=board.address))
    bench.device("board", f'{there}workdir = "{board.workdir}/work"\npython = "{sys.executable}"\n')
    for path in files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "matrix.toml").write_text(MATRIX)
    bench.benchbench("run", "matrix.toml", expect=1)
    return load(bench.latest())


def test_both_formats_are_measured_by_their_runtimes_and_answer_alike(run: Run) -> None:
    outcomes = {outcome.trial: outcome for outcome in run.outcomes}
    for device in ("host", "board"):
        tflite = outcomes[f"{device}/net.float32/cpu/t1/accuracy"]
        twin = outcomes[f"{device}/net.float32.onnx/ort-cpu/t1/accuracy"]
        assert (tflite.status, twin.status) == ("ok", "ok"), (tflite.error, twin.error)
        assert twin.accuracy["top1"] == tflite.accuracy["top1"]
        assert (twin.accuracy["agreement"], tflite.accuracy["agreement"]) == (1.0, 1.0)
        assert float(twin.accuracy["sqnr_db"] or 0) > 90
        profile = outcomes[f"{device}/net.float32.onnx/ort-cpu/t1/profile"].measurement.profile
        assert profile is not None
        assert {"Conv", "Gemm", "Softmax"} <= {row.type for row in profile.by_type}
    rows = {(row["variant"], row["kind"]): row for row in run.cases.to_dict("records") if row["device"] == "board"}
    assert rows["float32.onnx", "ort-cpu"]["executor"] == "ort-cpu"
    assert rows["float32.onnx", "ort-cpu"]["headline"]
    assert rows["float32", "cpu"]["executor"] == "cpu"
    for key in ("init_ms", "first_ms", "median_ms"):
        assert rows["float32.onnx", "ort-cpu"][key] > 0, key
    _what_cannot_be_had_is_said(run)
    _what_was_measured_with_is_recorded(run)


def _what_cannot_be_had_is_said(run: Run) -> None:
    failed = [outcome for outcome in run.outcomes if outcome.status == "failed"]
    assert {outcome.delegation.verdict for outcome in failed} == {"unavailable"}
    assert {outcome.case.split("/")[2] for outcome in failed} == {"ort-provider:no"}
    reasons = {skip.case.kind: skip.reason for skip in run.manifest.skips}
    assert "has no XnnpackExecutionProvider" in reasons["ort-xnnpack"]


def _what_was_measured_with_is_recorded(run: Run) -> None:
    manifest = run.manifest
    tools = {name: str(tool.version) for name, tool in manifest.devices[1].tools.items()}
    assert tools["onnx"].startswith("onnxruntime 1.")
    assert tools["tflite"].startswith("ai-edge-litert ")
    assert {"onnx", "onnxruntime"} <= set(manifest.versions)
    assert any("net.float32.onnx: takes image with channels first (NCHW)" in note for note in manifest.notes)
    options = {case.kind: case.options for case in manifest.cases}
    assert options["ort-cpu"]["arena"] is True
    assert options["ort-cpu"]["optimization"] == "all"


def test_images_that_are_stored_with_channels_first_feed_both_layouts(files: Path, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    for path in files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with np.load(files / "images.npz") as stored:
        np.savez(tmp_path / "turned.npz", x=np.moveaxis(stored["x"], -1, 1), y=stored["y"])
    (tmp_path / "turned.toml").write_bytes((files / "images.toml").read_bytes())
    alone = MATRIX.replace('"net_float32.tflite", ', "").replace('"host", "board"', '"host"')
    answers = []
    for dataset in ("images.npz", "turned.npz"):
        text = alone.replace("images.npz", dataset).replace("profile = true", "")
        (tmp_path / "alone.toml").write_text(text)
        outputs = bench.run(tmp_path / "alone.toml", "*/ort-cpu/*") / "outputs"
        with np.load(next(outputs.glob("host*/outputs.npz"))) as found:
            answers.append(found["output_0"])
    assert np.array_equal(*answers)


def test_without_the_packages_of_the_extra_a_base_install_goes_on_and_says_which(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are hidden from Python, as where nobody installed them."""
    bench = Workbench(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(HIDING)
    for path in files.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "matrix.toml").write_text(
        MATRIX.replace(', "net_float32.onnx"', "").replace('"host", "board"', '"host"').replace('"cpu", ', '"cpu"]#')
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    refused = bench.benchbench("models", "net_float32.onnx", expect=2)
    bench.benchbench("run", "matrix.toml")
    (device,) = json.loads(bench.benchbench("devices", "host", "--json").stdout)
    assert "pip install 'benchbench[onnx]'" in refused.stderr
    assert set(read_manifest(bench.latest()).versions).isdisjoint({"onnx", "onnxruntime"})
    assert list(device["tools"]) == ["tflite"]
    assert "has no ONNX Runtime" in device["delegates"]["ort-cpu"]["reason"]


def test_weights_beside_a_model_travel_to_a_board_and_must_stay_what_they_were(tmp_path: Path, board: Board) -> None:
    bench = Workbench(tmp_path)
    there = device_file(Device(name="board", address=board.address))
    bench.device("board", f'{there}workdir = "{board.workdir}/work"\npython = "{sys.executable}"\n')
    (tmp_path / "model").mkdir()
    path, weights = tmp_path / "model" / "net.onnx", tmp_path / "model" / "net.bin"
    onnx.save(onnx_models.matmul(), path, save_as_external_data=True, location="net.bin", size_threshold=0)
    run = run_models([path], devices=["board"], rounds=1, inventory=bench.inventory, reports=bench.reports)
    (outcome,) = [outcome for outcome in load(run).outcomes if outcome.timed]
    assert (outcome.status, outcome.case) == ("ok", "board/net.float32.onnx/ort-cpu/t1")
    assert read_manifest(run).devices[0].pushed.count("net.bin") == 1
    weights.write_bytes(bytes(len(weights.read_bytes())))
    with pytest.raises(InputError, match=r"net\.bin"):
        run_again(run, reports=bench.reports)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"os": "android", "abi": "arm64-v8a"}, "no tool runs .onnx models on phones"),
        ({"abi": "armv7l"}, "no ONNX Runtime is published for armv7l"),
    ],
)
def test_devices_for_which_nothing_is_published_have_the_reason(
    board: Board, changes: dict[str, str], said: str
) -> None:
    """The board has a Python without packages; what it says of itself is another's."""
    device = Device(name="board", address=board.address, workdir="work", python="/usr/bin/python3")
    with open_session(device) as session:
        traits = session.probe().model_copy(update=changes)
        with pytest.raises(ToolError, match=said) as caught:
            runtime_of("onnx").prepare(session, traits, ToolChoice())
    assert caught.value.remedy
