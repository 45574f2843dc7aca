"""Never a wrong label: what was asked for and did not take the graph never gives a number under its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from tests.beds.delegate import build
from tests.end_to_end.conftest import FAMILY, Lab

SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
HEAD = f"""
name = "verdicts"
[[model]]
family = "fashion_mnist"
variants = "{FAMILY}/fashion_mnist_float32.tflite"
[measure]
rounds = 1
canary = false
runs = 2
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""


def test_an_accelerator_that_is_not_there_is_unavailable_and_no_number_is_its(lab: Lab) -> None:
    device = lab.folder / "devices" / "phone.toml"
    device.write_text(device.read_text() + 'env = { STANDIN_GPU = "refused" }\n')
    cases = load(lab.run(f'devices = ["phone"]\ndelegates = ["nnapi"]\n{HEAD}')).cases
    assert set(cases.verdict) == {"unavailable"}
    assert not cases.headline.any()
    assert list(cases.executor) == ["xnnpack (nnapi unavailable)"]
    assert all("unsupported on this platform" in evidence for evidence in cases.evidence)


def test_a_flag_that_the_binary_does_not_know_is_refused_before_anything_is_measured(lab: Lab) -> None:
    folder = lab.run(f'devices = ["phone"]\ndelegates = ["gpu", "xnnpack"]\n{HEAD}')
    outcomes = {outcome.case: outcome for outcome in load(folder).outcomes}
    refused = outcomes["phone/fashion_mnist.float32/gpu/t1"]
    assert refused.status == "skipped"
    assert refused.error is not None
    assert "use_gpu" in refused.error
    assert refused.tool_s is None
    assert outcomes["phone/fashion_mnist.float32/xnnpack/t1"].delegation.verdict == "full"


def test_an_external_library_shows_what_it_took_on_host_board_and_phone(lab: Lab) -> None:
    if build.compiler() is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    takes = build.build_delegate(lab.folder)
    on_phone = lab.phone.path(f"{lab.phone.workdir}/libtestdelegate.so")
    on_phone.write_bytes(takes.read_bytes())
    kinds = ", ".join(
        f'{{ kind = "external", name = "{name}", path = "{path}", options = {{ {options} }} }}'
        for name, path, options in (
            ("takes-some", "LIB", 'mode = "elementwise"'),
            ("takes-none", "LIB", 'mode = "none"'),
            ("missing", "/nowhere/libmissing.so", ""),
        )
    )
    for devices, path, count in (
        ('["host", "board"]', takes, 2),
        ('["phone"]', f"{lab.phone.workdir}/{takes.name}", 1),
    ):
        text = f"devices = {devices}\ndelegates = [{kinds.replace('LIB', str(path))}]\n{HEAD}"
        run = load(lab.run(text))
        absent = [outcome for outcome in run.outcomes if outcome.case.endswith("external:missing/t1")]
        assert all("/nowhere/libmissing.so" in (outcome.error or "") for outcome in absent)
        assert all(outcome.tool_s is None and outcome.remedy for outcome in absent)  # nothing was launched
        cases = run.cases.set_index("delegate")
        assert list(cases.loc[["external:takes-none"]].verdict) == ["none"] * count
        assert list(cases.loc[["external:missing"]].verdict) == ["unavailable"] * count
        assert not cases.loc[["external:takes-none"]].headline.any()
        assert not cases.loc[["external:missing"]].headline.any()
        missing = cases.loc[["external:missing"]]
        assert all("external" not in str(e) or "unavailable" in str(e) for e in missing.executor)


@pytest.mark.skipif(not SWIFTSHADER.exists(), reason="no software Vulkan: apt-get install chromium-common libvulkan1")
def test_a_gpu_that_is_there_takes_the_whole_graph_and_its_outputs_are_the_cpus(lab: Lab) -> None:
    device = lab.folder / "devices" / "host.toml"
    device.write_text(device.read_text() + f'env = {{ VK_ICD_FILENAMES = "{SWIFTSHADER}" }}\n')
    gpu = '[{ kind = "gpu", precision = "fp32" }, "xnnpack"]'
    entry = HEAD.replace("[measure]", 'dataset = "random"\nsamples = 4\n[measure]')
    case = load(lab.run(f'devices = ["host"]\ndelegates = {gpu}\n{entry}')).cases.set_index("kind").loc["gpu"]
    assert (case.verdict, case.executor, case.headline) == ("full", "gpu", True)
    assert "SwiftShader" in case.evidence
    assert case.accuracy_agreement == 1.0
    assert case.accuracy_sqnr_db > 60


def test_without_a_gpu_driver_there_is_no_gpu_number(lab: Lab) -> None:
    device = lab.folder / "devices" / "host.toml"
    device.write_text(device.read_text() + 'env = { VK_ICD_FILENAMES = "/nowhere/driver.json" }\n')
    lab.benchbench("run", str(lab.write("m.toml", f'devices = ["host"]\ndelegates = ["gpu"]\n{HEAD}')), expect=1)
    (outcome,) = load(lab.latest()).outcomes
    assert outcome.status == "failed"
    assert outcome.delegation.verdict == "unavailable"
    assert outcome.measurement.timings.typical is None
