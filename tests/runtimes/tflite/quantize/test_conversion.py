"""The converters in their child process: what they tell meanwhile, and that they end with who waits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchbench.pipeline import quantize
from benchbench.runtimes.quantizing.conversion import convert
from benchbench.runtimes.quantizing.progress import Finished, Step, Working
from benchbench.runtimes.quantizing.requests import ConversionRequest, ConversionResult, Fed
from benchbench.runtimes.tflite.model.inspect import inspect
from benchbench.runtimes.tflite.quantize.converters import make
from benchbench.values.process_end import how_a_child_ended
from tests.runtimes.tflite.quantize.shipped import FLOAT32, SAMPLES, saved

pytest.importorskip("litert_quantizer", reason="the extra 'quantize' is not installed")


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


@pytest.mark.parametrize(
    ("package", "installs"),
    [("tf2onnx", "'benchbench[tensorflow]'"), ("onnx_ir.passes", "'benchbench[quantize]'"), ("strange", "strange")],
)
def test_a_package_that_is_not_there_is_named_with_the_extra_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, installs: str
) -> None:
    (tmp_path / "without.py").write_text(f"def make(*_):\n    raise ModuleNotFoundError(name={package!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    common = {"kind": "tflite", "per_channel": True, "input_size": None, "samples": None, "float32": None}
    asked = common | {"source": str(FLOAT32), "scheme": "float32", "target": str(tmp_path / "made.tflite")}
    request = ConversionRequest.model_validate(asked)
    (result,) = convert("without", [request])
    assert isinstance(result, ConversionResult)
    assert result.error == f"{package} is not installed: pip install {installs}"
