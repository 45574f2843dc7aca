"""Models that others published: a float model with its PTQ and QAT twins, and Edge TPU files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchbench.analysis.frames import Run, load
from benchbench.analysis.tradeoffs import tradeoffs
from tests.beds.delegate import build
from tests.end_to_end.conftest import FAMILY, Lab

SHARED = Path(__file__).parents[3] / "shared" / "models"
EDSR = "v3_0__tflite__edsr_f32b5_"
MOBILENET = "mobilenet_v1_0.25_128_quant"
MEASURE = """
[measure]
rounds = 1
canary = false
runs = 1
min_seconds = 0
warmup_runs = 1
warmup_min_seconds = 0
"""

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the published models lie beside the repository only in CI")


def test_the_published_ptq_and_qat_twins_are_compared_with_their_float32_model(lab: Lab) -> None:
    np.savez(lab.folder / "scene.npz", x=scene())
    ends = {"QAT": "QAT", "float32": "fp32", "full_qint8": "full_qint8"}
    named = ", ".join(f'{name} = "{SHARED}/{EDSR}{end}.tflite"' for name, end in ends.items())
    text = f"""
        name = "super-resolution"
        devices = ["host"]
        threads = [2]
        delegates = ["xnnpack"]
        [[model]]
        family = "edsr"
        variants = {{ {named} }}
        dataset = "scene.npz"
        {MEASURE}"""
    run = measured(lab, text)
    assert {o.status for o in run.outcomes} == {"ok"}
    cases = run.cases.set_index("variant")
    assert list(cases.scheme.sort_index()) == ["int8", "float32", "int8"]
    assert set(cases.index) == {"QAT", "float32", "full_qint8"}
    assert not cases.accuracy_broken.astype(bool).any()
    assert cases.accuracy_sqnr_db["float32"] > 100
    assert cases.accuracy_sqnr_db[["QAT", "full_qint8"]].between(25, 60).all()
    assert cases.accuracy_agreement.isna().all()  # an image has no classes to agree on
    against = tradeoffs(run.cases).set_index("variant")
    assert against.smaller[["QAT", "full_qint8"]].between(3.2, 3.4).all()  # 436,084 to 134,072 and 132,664 bytes
    assert set(against.float32) == {"host/edsr.float32/xnnpack/t2"}


def scene() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Photographs in one large colour image, of the only size that the models take."""
    with np.load(FAMILY / "test.npz") as archive:
        tiles = archive["x"][: 18 * 32].reshape(18, 32, 28, 28).transpose(0, 2, 1, 3).reshape(504, 896)
    return np.asarray(Image.fromarray(tiles).convert("RGB").resize((960, 540)))[None]


def test_edge_tpu_files_run_on_their_delegate_alone_beside_their_twin(lab: Lab) -> None:
    if build.compiler() is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    library = build.build_delegate(lab.folder)
    text = f"""
        name = "coral"
        devices = ["host"]
        delegates = [
            "cpu",
            "edgetpu",
            {{ kind = "external", name = "tpu-like", path = "{library}", options = {{ mode = "edgetpu" }} }},
        ]
        [[model]]
        family = "mobilenet"
        variants = {{ uint8 = "{SHARED}/{MOBILENET}.tflite", edgetpu = "{SHARED}/{MOBILENET}_edgetpu.tflite" }}
        dataset = "random"
        [[model]]
        family = "deeplab"
        variants = {{ edgetpu = "{SHARED}/deeplab*.tflite" }}
        {MEASURE}"""
    planned = lab.benchbench("plan", str(lab.write("m.toml", text)))
    assert set(planned.stdout.split()) == {
        "host/mobilenet.uint8/cpu/t1",
        "host/mobilenet.uint8/external:tpu-like/t1",
        "host/mobilenet.edgetpu/edgetpu/t1",
        "host/mobilenet.edgetpu/external:tpu-like/t1",
        "host/deeplab.edgetpu/edgetpu/t1",
        "host/deeplab.edgetpu/external:tpu-like/t1",
    }
    assert (
        "host/deeplab.edgetpu/cpu/t1: compiled for the Edge TPU: runs with the edgetpu or external delegate only"
        in planned.stderr
    )
    assert "host/mobilenet.uint8/edgetpu/t1: not compiled for the Edge TPU" in planned.stderr

    run = measured(lab, text, expect=1)  # there is no Edge TPU here
    cases = run.cases.set_index("case")
    for family in ("mobilenet", "deeplab"):
        absent = cases.loc[f"host/{family}.edgetpu/edgetpu/t1"]
        assert (absent.status, absent.verdict, absent.headline) == ("failed", "unavailable", False)
        assert "libedgetpu" in str(absent.evidence)
    # The stand-in for libedgetpu takes the custom op, and copies bytes: a path that runs, and a wrong answer.
    taken = cases.loc["host/mobilenet.edgetpu/external:tpu-like/t1"]
    assert (taken.verdict, taken.executor, taken.accuracy_broken) == ("full", "external", 1)
    assert cases.accuracy_broken["host/mobilenet.uint8/cpu/t1"] == 0
    assert cases.verdict["host/mobilenet.uint8/external:tpu-like/t1"] == "none"
    assert "mobilenet.uint8: the reference of mobilenet, which has no float32 file" in run.manifest.notes


def measured(lab: Lab, text: str, expect: int = 0) -> Run:
    lab.benchbench("run", str(lab.write("m.toml", text)), expect=expect)
    return load(lab.latest())
