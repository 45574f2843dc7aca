"""onnxruntime_perf_test on devices: what a build can do, its command, and what its launches say.

Launches are those of the stand-in, which computes with the real ONNX Runtime. What a genuine build said is read in
test_perf_test_genuine.py.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto

from benchbench.config.inventory import device_file
from benchbench.run_folder.manifest import read_manifest
from benchbench.runtimes import Delegate
from benchbench.runtimes.onnxruntime.backends import AnyProvider, Cpu, OpenVino, Xnnpack
from benchbench.runtimes.onnxruntime.backends.providers import Nnapi, Qnn
from benchbench.runtimes.onnxruntime.model.inspect import inspect
from benchbench.runtimes.onnxruntime.perf_test.capabilities import (
    Capabilities,
    providers_argv,
    read_help,
    read_left_out,
)
from benchbench.runtimes.onnxruntime.perf_test.runner import PerfTestRunner
from benchbench.runtimes.tool import LaunchSpec
from benchbench.values.case import InputSpec
from benchbench.values.device import Address, Device
from benchbench.values.errors import ToolError, Unsupported
from benchbench.values.job import JobOutput
from benchbench.values.measurement_settings import MeasurementSettings
from tests.beds import onnx_models as models
from tests.beds.launch import QUICK, Launched, run_job, work_for
from tests.beds.onnxruntime_perf_test import NAMES, USAGE, install
from tests.beds.phone import Phone
from tests.beds.sshd import Board
from tests.runtimes.onnxruntime.conftest import saved
from tests.workbench import FAMILY, Workbench, outcomes

# As absl prints the options since 1.23.
ABSL = """\
onnxruntime_perf_test: onnxruntime_perf_test [options...] model_path [result_file]

Options:

  Flags from /src/onnxruntime/test/perftest/command_args_parser.cc:
    --A (No arena.); default: false;
    --I (Made-up inputs.); default: false;
    --S (A seed.); default: -1;
    --e (The provider 'cpu','cuda',
      'nnapi' or 'xnnpack'.); default: "cpu";
    --enable_cuda_mempool (As 'a;b'.); default: "";
    --m (How: 'duration' or 'times'.); default: "duration";
    --o (A level: 3 (layout), 99 (all).); default: 99;
    --plugin_eps (Those of plug-ins.); default: "";
    --x (Threads.); default: 0;

Try --helpfull to get a list of all flags or --help=substring shows help for
flags which include specified substring in either in the name, or description or
path.
"""
EVERYTHING = Capabilities(frozenset("mecrtpSxyfFouidCTRMAIsvPqzDZnlh"), frozenset({*NAMES, "vitisai"}))


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("tool") / "onnxruntime_perf_test")


def spec(model: ModelProto, folder: Path, delegate: Delegate, tool: Path | str = "tool", **changes: Any) -> LaunchSpec:
    """A trial of a model; `shapes` are those that the matrix gives."""
    path = saved(model, folder / "net.onnx")
    inputs = tuple(InputSpec(shape=shape) for shape in changes.pop("shapes", ()))
    work = work_for(path, delegate, tool=str(tool), python=None, **changes)
    about = {"format": "onnx", "sha256": inspect(path).sha256, "inputs": inputs}
    return replace(work, variant=work.variant.model_copy(update=about))


def trial(work: LaunchSpec, folder: Path, env: Mapping[str, str] | None = None) -> Launched:
    runner = PerfTestRunner(EVERYTHING)
    raw = run_job(runner.job(work), folder / "job", env)
    return Launched(raw, runner.read(work, raw), folder / "job")


def timed_words(work: LaunchSpec) -> str:
    """The line of the launch that is timed."""
    script = PerfTestRunner(EVERYTHING).job(work).argv[-1]
    return next(line for line in script.splitlines() if "result.csv" in line and line.startswith("tool"))


def test_the_help_of_both_generations_says_options_and_providers() -> None:
    old, new = read_help(USAGE.encode(), b"", 255), read_help(ABSL.encode(), b"", 1)
    assert {*"meIxyofSCi"} <= old.options
    assert old.providers == frozenset(NAMES)
    assert new.options == {"A", "I", "S", "e", "enable_cuda_mempool", "m", "o", "plugin_eps", "x"}
    assert new.providers == {"cpu", "cuda", "nnapi", "xnnpack"}
    assert "-y" in (new.unknown(["-x", "2", "-P", "-y", "2"]) or "")
    assert new.lacks("qnn")
    with pytest.raises(ToolError, match=r"cannot open shared object"):
        read_help(b"", b"perf: error while loading shared libraries: cannot open shared object file\n", 127)


def test_the_providers_that_a_build_lacks_are_asked_for(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_PROVIDERS", "nnapi")
    tiny = Path(inspect(FAMILY / "fashion_mnist_float32.onnx").path)
    asked = providers_argv(str(tool), str(tiny), ["nnapi", "qnn", "xnnpack"])
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    assert read_left_out(said) == {name: f"was built without {name}" for name in ("qnn", "xnnpack")}


def test_every_setting_is_said_in_the_tools_words(tmp_path: Path) -> None:
    cpu = Cpu(optimization="extended", inter_threads=2, arena=False, memory_pattern=False, config={"session.x": "1"})
    words = timed_words(spec(models.conv("N"), tmp_path, cpu, threads=4, shapes=[(2, 3, 8, 8)]))
    assert words.startswith("tool -I -S 0 -e cpu -x 4 -o 2 -P -y 2 -A -M -C 'session.x|1' -f N:2 -m times -r 6 -s")
    nnapi = Nnapi(options={"NNAPI_FLAG_USE_FP16": "1", "NNAPI_FLAG_CPU_DISABLED": "0"})
    assert "-e nnapi -x 1 -o 99 -i NNAPI_FLAG_USE_FP16 -m" in timed_words(spec(models.conv(), tmp_path, nnapi))
    qnn = Qnn(options={"backend_type": "htp", "htp_performance_mode": "burst"})
    assert "-i 'backend_type|htp htp_performance_mode|burst'" in timed_words(spec(models.conv(), tmp_path, qnn))
    other = AnyProvider(execution_provider="VitisAIExecutionProvider")
    assert "-e vitisai " in timed_words(spec(models.conv(), tmp_path, other))
    by_time = QUICK.model_copy(update={"min_seconds": 1.0, "warmup_min_seconds": 0.5})
    assert "-m duration -t 2 -s" in timed_words(spec(models.conv(), tmp_path, Cpu(), measure=by_time))


@pytest.mark.parametrize(
    ("delegate", "changes", "said"),
    [
        (Xnnpack(options={"intra_op_num_threads": "2"}), {}, "no options to ort-xnnpack"),
        (OpenVino(path="/lib/ep.so"), {}, "no plug-in"),
        (Cpu(config={"a key": "1"}), {}, "'a key'"),
        (AnyProvider(execution_provider="NoExecutionProvider"), {}, "does not know -e no"),
        (Cpu(), {"library": "/lib/ep.so"}, "plug-in's library"),
        (Cpu(), {"data": {"net.bin": "/store/1"}}, "beside a model"),
        (Cpu(), {"cache": "/cache"}, "compiles"),
    ],
)
def test_what_the_tool_cannot_do_is_a_skip_with_the_reason(
    delegate: Delegate, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    work = spec(models.conv(), tmp_path, delegate, **changes)
    with pytest.raises(Unsupported, match=said):
        PerfTestRunner(EVERYTHING).job(work)


def test_inputs_that_it_would_make_up_otherwise_are_a_skip(tmp_path: Path) -> None:
    unnamed = models.model([models.node("Relu", ["x"], "y")], [("x", 1, [1, None])], [("y", 1, [1, None])])
    runner = PerfTestRunner(EVERYTHING)
    with pytest.raises(Unsupported, match="no name"):
        runner.job(spec(unnamed, tmp_path, Cpu(), shapes=[(1, 7)]))
    assert runner.job(spec(unnamed, tmp_path, Cpu(), shapes=[(1, 1)]))
    work = spec(models.conv(), tmp_path, Cpu())
    ranged = work.variant.model_copy(update={"inputs": (InputSpec(shape=(1, 3, 8, 8), range=(0, 9)),)})
    with pytest.raises(Unsupported, match="range"):
        runner.job(replace(work, variant=ranged))


def test_a_launch_has_every_inference_in_order_without_the_warm_up(tool: Path, tmp_path: Path) -> None:
    reading = trial(spec(models.conv(), tmp_path, Cpu(), tool, threads=2), tmp_path).reading
    measured, times = reading.measurement, reading.measurement.timings
    assert reading.status == "ok", reading.error
    assert (measured.runs, measured.warmup_runs, measured.threads, len(times.samples)) == (5, 2, 2, 5)
    assert (times.init or 0) > 0
    assert times.median == np.median(times.samples)
    assert (measured.memory.rss_peak_mb or 0) > 10
    assert (reading.delegation.verdict, reading.delegation.executor) == ("full", "ort-cpu")
    assert measured.warnings == ()


def test_by_time_the_warm_up_ends_with_its_seconds_and_too_few_inferences_are_said(tmp_path: Path) -> None:
    """The tool's own first inference is a warm-up already: 0.02 s of the 0.5 that were asked for."""
    measure = MeasurementSettings(runs=50, min_seconds=1, warmup_runs=1, warmup_min_seconds=0.5)
    work = spec(models.conv(), tmp_path, Cpu(), measure=measure)
    said = b"Session creation time cost: 0.1 s\nFirst inference time cost: 20 ms\nAverage inference time cost: 200 ms\n"
    raw = JobOutput(0, said, b"", {"times.txt": b"0.3, 0.2, 0.1, 0.12, 0.11, "})
    measured = PerfTestRunner(EVERYTHING).read(work, raw).measurement
    assert measured.timings.samples == pytest.approx((100_000, 120_000, 110_000))
    assert (measured.warmup_runs, measured.runs, measured.runs_asked) == (3, 3, 50)
    assert (measured.timings.first, measured.timings.init) == pytest.approx((20_000, 100_000))
    assert measured.warnings[0].startswith("3 of 50 inferences")
    without = PerfTestRunner(EVERYTHING).read(work, replace(raw, answers={}))
    assert without.measurement.timings.mean == pytest.approx(200_000)
    assert "did not come back" in without.measurement.warnings[0]


def test_a_provider_that_took_nothing_is_none_and_one_that_is_not_there_unavailable(tool: Path, tmp_path: Path) -> None:
    idle = trial(spec(models.conv(), tmp_path, Nnapi(), tool), tmp_path, {"STANDIN_PROVIDERS": "nnapi"}).reading
    assert (idle.status, idle.delegation.verdict, idle.delegation.nodes_delegated) == ("ok", "none", 0)
    assert (idle.delegation.nodes_total or 0) > 0
    assert idle.delegation.executor == "ort-cpu (ort-nnapi took nothing)"
    absent = trial(spec(models.conv(), tmp_path, Xnnpack(), tool), tmp_path).reading
    assert (absent.status, absent.delegation.verdict) == ("failed", "unavailable")
    assert "Xnnpack is not supported in this build" in (absent.error or "")
    quiet = JobOutput(0, b"Average inference time cost: 2 ms\n", b"", {"times.txt": b"0.002, "})
    unknown = PerfTestRunner(EVERYTHING).read(spec(models.conv(), tmp_path, Nnapi()), quiet)
    assert (unknown.delegation.verdict, unknown.delegation.asked) == ("unknown", "ort-nnapi")
    assert unknown.delegation.evidence


def test_a_real_provider_is_full_or_partial_by_who_ran_the_nodes(
    tool: Path, openvino_build: Mapping[str, str], tmp_path: Path
) -> None:
    whole = trial(spec(models.conv(), tmp_path, OpenVino(), tool), tmp_path, openvino_build).reading
    assert (whole.delegation.verdict, whole.delegation.partitions) == ("full", 1), whole.error
    part = trial(spec(models.with_binarizer(), tmp_path, OpenVino(), tool), tmp_path, openvino_build).reading
    assert (part.delegation.verdict, part.delegation.partitions) == ("partial", 2)
    assert "1 nodes ran by CPUExecutionProvider" in (part.delegation.evidence or "")


def test_a_profile_names_operators_and_who_ran_them(tool: Path, tmp_path: Path) -> None:
    work = spec(models.conv(), tmp_path, Cpu(optimization="disable"), tool, profile=True)
    reading = trial(work, tmp_path).reading
    assert reading.status == "ok", reading.error
    profile = reading.measurement.profile
    assert profile is not None
    assert {row.type for row in profile.by_type} == {"Conv", "Relu", "GlobalAveragePool", "Flatten", "Softmax"}
    assert [row.calls for row in profile.by_op] == [1] * 5
    assert (reading.measurement.runs, reading.delegation.verdict) == (5, "full")


def test_a_failure_is_told_in_the_tools_words(tool: Path, tmp_path: Path) -> None:
    work = replace(spec(models.conv(), tmp_path, Cpu(), tool), model=str(tmp_path / "missing.onnx"))
    reading = trial(work, tmp_path).reading
    assert (reading.status, reading.delegation.verdict) == ("failed", "unknown")
    assert (reading.error or "").startswith("ended with exit code 255")
    assert "missing.onnx" in (reading.error or "")


MATRIX = f"""
name = "phones"
devices = ["phone", "board"]
delegates = ["ort-cpu", "ort-xnnpack", "ort-nnapi"]
[[model]]
family = "fashion_mnist"
variants = "{FAMILY}/fashion_mnist_float32.onnx"
dataset = "{FAMILY}/test.npz"
samples = 4
[measure]
rounds = 1
canary = false
profile = true
runs = 3
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""
POSSIBLE = {"ort-cpu": True, "ort-qnn": False, "ort-nnapi": False, "ort-provider": True}


def test_a_phone_and_a_board_measure_onnx_with_the_tool_that_their_files_name(
    phone: Phone, board: Board, tool: Path, tmp_path: Path
) -> None:
    bench = Workbench(tmp_path)
    places: dict[str, tuple[Address, str]] = {
        "phone": (phone.address, phone.workdir),
        "board": (board.address, board.workdir),
    }
    for name, (address, workdir) in places.items():
        bench.device(
            name,
            f'{device_file(Device(name=name, address=address))}workdir = "{workdir}/bench"\n'
            f'onnxruntime_perf_test = "{tool}"\nenv = {{ STANDIN_PROVIDERS = "nnapi" }}\n',
        )
    (tmp_path / "matrix.toml").write_text(MATRIX)
    bench.benchbench("run", "matrix.toml")
    run = bench.latest()
    found = {outcome.trial: outcome for outcome in outcomes(run)}
    for device in places:
        timed = found[f"{device}/fashion_mnist.float32.onnx/ort-cpu/t1/r1"]
        assert (timed.status, timed.runner, timed.delegation.verdict) == ("ok", "onnxruntime_perf_test", "full")
        assert timed.measurement.runs == 3
        profile = found[f"{device}/fashion_mnist.float32.onnx/ort-cpu/t1/profile"].measurement.profile
        assert profile is not None
        accuracy = found[f"{device}/fashion_mnist.float32.onnx/ort-cpu/t1/accuracy"]
        assert (accuracy.status, "no outputs" in (accuracy.error or "")) == ("skipped", True)
        xnnpack = found[f"{device}/fashion_mnist.float32.onnx/ort-xnnpack/t1/r1"]
        assert (xnnpack.status, "without xnnpack" in (xnnpack.error or "")) == ("skipped", True)
    assert found["phone/fashion_mnist.float32.onnx/ort-nnapi/t1/r1"].delegation.verdict == "none"
    manifest = read_manifest(run)
    assert {skip.case.device: skip.case.kind for skip in manifest.skips} == {"board": "ort-nnapi"}
    tools = {device.name: device.tools["onnx"].version for device in manifest.devices}
    assert tools == dict.fromkeys(places, "onnxruntime_perf_test (given)")
    (listed,) = json.loads(bench.benchbench("devices", "phone", "--json").stdout)
    assert listed["tools"]["onnx"]["runner"] == "onnxruntime_perf_test"
    possible = {kind: listed["delegates"][kind]["possible"] for kind in POSSIBLE}
    assert possible == POSSIBLE
    assert "without qnn" in listed["delegates"]["ort-qnn"]["reason"]


def test_a_name_that_leads_nowhere_or_to_another_program_is_told(phone: Phone, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho hello\n")
    there = device_file(Device(name="phone", address=phone.address))
    text = f'{there}workdir = "{phone.workdir}/bench"\n'
    bench.device("phone", f'{text}onnxruntime_perf_test = "{other}"\n')
    (listed,) = json.loads(bench.benchbench("devices", "phone", "--json").stdout)
    assert "could not be asked for its options" in listed["delegates"]["ort-cpu"]["reason"]
    bench.device("phone", f'{text}onnxruntime_perf_test = "nowhere"\n')
    (tmp_path / "matrix.toml").write_text(MATRIX.replace(', "board"', ""))
    refused = bench.benchbench("run", "matrix.toml", expect=2)
    assert "nowhere" in refused.stderr
