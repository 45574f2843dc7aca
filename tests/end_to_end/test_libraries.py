"""Libraries of delegates that are on this host alone are put on devices, as models are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchbench.analysis.frames import load
from benchbench.device.session import Session, open_session
from benchbench.execution.libraries import libraries_on
from benchbench.pipeline import resume, run
from benchbench.runtimes.tflite.backends import Hexagon, Nnapi, Npu
from benchbench.values.device import Device, Local
from benchbench.values.errors import ToolError
from tests.beds.delegate import build
from tests.beds.models import chain_model
from tests.end_to_end.conftest import Lab
from tests.workbench import Workbench

MINE = '[{ kind = "external", name = "mine", path = "libnowhere.so", options = { mode = "elementwise" } }]'
needs_compiler = pytest.mark.skipif(build.compiler() is None, reason="no C compiler: apt-get install gcc libc6-dev")


@needs_compiler
def test_a_library_of_this_host_runs_on_devices_and_is_recorded_by_its_digest(lab: Lab) -> None:
    library = build.build_delegate(lab.folder)
    for name in ("board", "phone"):
        file = lab.folder / "devices" / f"{name}.toml"
        file.write_text(file.read_text() + f'libraries = {{ external = "host:../{library.name}" }}\n')
    quick = (
        "[measure]\nrounds = 1\nruns = 2\nmin_seconds = 0\nwarmup_runs = 1\nwarmup_min_seconds = 0\ncanary = false\n"
    )
    (lab.folder / "net.tflite").write_bytes(chain_model())
    model = '[[model]]\nfamily = "net"\nvariants = "net.tflite"\n'

    loaded = load(lab.run(f'name = "sent"\ndevices = ["board", "phone"]\ndelegates = {MINE}\n{model}{quick}'))

    sha256 = hashlib.sha256(library.read_bytes()).hexdigest()
    assert list(loaded.cases.verdict) == ["partial", "partial"]
    assert all(f"{sha256}.so" in outcome.model_dump_json() for outcome in loaded.outcomes if outcome.device == "phone")
    for device in loaded.manifest.devices:
        assert device.libraries == {"external": sha256}
        assert library.name in device.pushed
        assert device.spec is not None
        assert device.spec.libraries["external"].startswith("host:")  # from where a run that goes on sends it again


@needs_compiler
def test_a_run_is_not_gone_on_with_by_another_library(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    library = build.build_delegate(tmp_path)
    host = bench.inventory / "host.toml"
    host.write_text(host.read_text() + f'libraries = {{ "external:mine" = "host:{library}" }}\n')
    matrix = bench.matrix("float32", delegates=MINE, rounds=2)
    folder = run(matrix, inventory=bench.inventory, reports=bench.reports)
    assert load(folder).cases["verdict"].tolist() == ["none"]  # it was made, and left this model alone
    lines = (folder / "outcomes.jsonl").read_text().splitlines(keepends=True)
    (folder / "outcomes.jsonl").write_text("".join(lines[:-1]))
    library.write_bytes(library.read_bytes() + b"\0")
    with pytest.raises(ToolError, match="another library for external:mine"):
        resume(folder)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    device = Device(name="host", address=Local(), workdir=str(tmp_path / "work"))
    with open_session(device) as opened:
        yield opened


def test_files_of_a_folder_keep_their_names_and_are_put_back_when_they_are_lost(
    session: Session, tmp_path: Path
) -> None:
    folder = tmp_path / "dsp"
    folder.mkdir()
    for name in ("libhexagon_interface.so", "libhexagon_nn_skel.so"):
        (folder / name).write_text(name)
    session.device = session.device.model_copy(update={"libraries": {"hexagon": f"host:{folder}", "gpu": "/lib/x.so"}})
    session.libraries = libraries_on(session)
    place = Path(session.libraries["hexagon"])
    assert session.libraries["gpu"] == "/lib/x.so"
    assert {file.name: file.read_text() for file in place.iterdir()} == {n.name: n.name for n in folder.iterdir()}
    assert session.store.pushed == ["libhexagon_interface.so", "libhexagon_nn_skel.so"]
    assert libraries_on(session) == session.libraries
    assert len(session.store.pushed) == 2  # found again
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    assert session.restore([]) == {str(place)}
    assert sorted(file.name for file in place.iterdir()) == ["libhexagon_interface.so", "libhexagon_nn_skel.so"]
    (folder / "libhexagon_nn_skel.so").write_text("another")
    assert libraries_on(session)["hexagon"] != str(place)


@pytest.mark.parametrize(
    ("name", "make", "told"),
    [
        ("edgetpu", None, "no file on this host: it comes from Coral's package"),
        ("edgetpu", "folder", "no file on this host"),
        ("npu", "file", "no folder on this host"),
        ("cpu", "file", "that delegate takes no library"),
        ("nothing", "file", "that delegate takes no library"),
    ],
)
def test_a_library_that_cannot_be_sent_is_told(
    session: Session, tmp_path: Path, name: str, make: str | None, told: str
) -> None:
    path = tmp_path / "lib"
    if make == "folder":
        path.mkdir()
    elif make == "file":
        path.write_text("x")
    session.device = session.device.model_copy(update={"libraries": {name: f"host:{path}"}})
    with pytest.raises(ToolError, match=told) as caught:
        libraries_on(session)
    assert f"libraries: {name}" in caught.value.message


def test_a_delegate_takes_the_place_of_its_library_on_a_device() -> None:
    assert "--hexagon_lib_path=/s/abc" in Hexagon().tflite_flags("/s/abc")
    assert "--nnapi_support_library_path=/s/sl.so" in Nnapi().tflite_flags("/s/sl.so")
    assert Nnapi().files_needed("/s/sl.so") == ("/s/sl.so",)
    npu = Npu(vendor="qualcomm", plugin="/d")
    assert {"--dispatch_library_path=/s/abc", "--compiler_plugin_library_path=/d"} <= set(npu.litert_flags("/s/abc"))
    assert npu.files_needed("/s/abc") == ("/s/abc", "/d")
    assert npu.library_on({"npu": "/kind", "npu:qualcomm": "/label"}) == "/label"
