"""run.json is one model: what is written is read, older folders are, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchbench.run_folder.journal import create, reopen
from benchbench.run_folder.manifest import (
    CaseRecord,
    DatasetRecord,
    DeviceRecord,
    Manifest,
    SelectionRecord,
    SkipRecord,
    ToolRecord,
    TrialRecord,
    read_manifest,
    write_manifest,
)
from benchbench.values.device import Adb, Cluster, Device, ToolChoice, Traits
from benchbench.values.errors import InputError
from benchbench.values.measurement_settings import Cooldown, MeasurementSettings
from benchbench.values.preprocessing import Preprocessing
from tests.report.builder import skip, variant

FORMAT_1 = Path(__file__).parents[1] / "recorded" / "format-1"
CASE = CaseRecord(
    id="pixel8/net.int8/gpu/t4",
    device="pixel8",
    variant="net.int8",
    family="net",
    name="int8",
    scheme="int8",
    delegate="gpu",
    kind="gpu",
    options={"kind": "gpu", "precision": "half"},
    threads=4,
    affinity="big",
    runner="python",
)
WHOLE = Manifest(
    name="all of it, ünï",
    id="0123",
    created="2026-11-28T10:00:00+00:00",
    benchbench="0.1.0",
    seed=7,
    host={"system": "Linux"},
    versions={"numpy": "2.4.6"},
    matrix={"threads": [1, 4], "skip": [{"delegate": "npu"}]},
    measure=MeasurementSettings(cooldown=Cooldown(below_c=40)),
    devices=(
        DeviceRecord(
            name="pixel8",
            reached="adb 1",
            spec=Device(name="pixel8", address=Adb(serial="1"), env={"A": "(redacted)"}),
            traits=Traits(os="android", abi="arm64-v8a", clusters=(Cluster(cores=(0, 1), max_mhz=1700),)),
            tools={"tflite": ToolRecord(name="python", sha256="ab", version="1")},
            pushed=("a.tflite",),
        ),
        DeviceRecord(name="rpi5", error="in use"),
    ),
    variants=(variant(),),
    cases=(CASE,),
    trials=(TrialRecord(id=f"{CASE.id}/r1", case=CASE.id, device="pixel8", round=1, position=1),),
    skips=(SkipRecord(case=CASE.model_copy(update={"id": "other"}), reason="no driver", deliberate=True),),
    selection=SelectionRecord(only=("*gpu*",), of=9),
    tools=(ToolRecord(name="python", sha256="ab", version="1"),),
    tool_choice=ToolChoice(),
    datasets=(DatasetRecord(family="net", dataset="test.npz", preprocessing=Preprocessing(mean=(0.5,))),),
    notes=("one", "two"),
)


@pytest.mark.parametrize("manifest", [Manifest(), WHOLE], ids=["nothing", "everything"])
def test_what_is_written_is_what_is_read(tmp_path: Path, manifest: Manifest) -> None:
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_a_folder_of_format_1_is_read_whole() -> None:
    written = json.loads((FORMAT_1 / "run.json").read_text())
    read = read_manifest(FORMAT_1)
    assert [case.id for case in read.cases] == [case["id"] for case in written["cases"]]
    assert [trial.id for trial in read.trials] == [trial["id"] for trial in written["trials"]]
    assert [variant.sha256 for variant in read.variants] == [record["sha256"] for record in written["variants"]]
    assert [skip.case.id for skip in read.skips] == [skip["case"] for skip in written["skips"]]
    assert read.measure == MeasurementSettings.model_validate(written["measure"])


def test_a_skip_of_format_1_is_a_case_and_its_reason(tmp_path: Path) -> None:
    old = skip("rpi5", variant(), "gpu", "no driver", threads=4, deliberate=True)
    bare = {"case": "rpi5/net.int8/gpu/t1", "reason": "no driver"}
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "skips": [old, bare]}))
    first, second = read_manifest(tmp_path).skips
    assert (first.case.id, first.case.device, first.case.threads) == (old["case"], "rpi5", 4)
    assert (first.reason, first.deliberate) == ("no driver", True)
    assert (second.case.device, second.case.variant, second.case.delegate) == ("rpi5", "net.int8", "gpu")


def test_the_one_tool_of_a_device_of_format_1_is_that_of_its_format(tmp_path: Path) -> None:
    known = {"runner": "python", "tool_sha256": "ab", "tool_version": None}
    devices = [{"name": "a"} | known, {"name": "b", "error": "in use"} | dict.fromkeys(known)]
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "devices": devices}))
    first, second = read_manifest(tmp_path).devices
    assert first.tools == {"tflite": ToolRecord(name="python", sha256="ab")}
    assert (second.tools, second.error) == ({}, "in use")


def test_going_on_with_a_run_of_format_1_makes_it_one_of_format_2(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "name": "old", "notes": ["one"]}))
    journal = reopen(tmp_path)
    journal.note("two")
    journal.close()
    written = json.loads((tmp_path / "run.json").read_text())
    assert (written["format"], written["name"], written["notes"]) == (2, "old", ["one", "two"])


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"cases": [{"id": 3}]}, r"cases\.0\.id", "restore"),
        ({"seed": "x"}, "seed", "restore"),
        ({"notes": 3}, "notes", "restore"),
        ({"skips": 3}, "skips", "restore"),
        ({"skips": ["x"]}, r"skips\.0", "restore"),
        ({"measure": {"rounds": 0}}, r"measure\.rounds", "restore"),
        ({"energy": 1}, "energy", "the benchbench that wrote it"),
        ({"devices": [{"name": "a", "meter": "ina226"}]}, r"devices\.0\.meter", "the benchbench that wrote it"),
    ],
)
@pytest.mark.parametrize("form", [1, 2])
def test_what_is_wrong_is_named_by_file_key_and_remedy(
    tmp_path: Path, change: dict[str, Any], key: str, remedy: str, form: int
) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": form} | change))
    with pytest.raises(InputError, match=rf"run\.json: {key}") as told:
        read_manifest(tmp_path)
    assert remedy in str(told.value.remedy)


def test_a_manifest_on_the_disk_is_that_of_the_open_journal(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    journal = create(tmp_path, WHOLE)
    journal.record(WHOLE.model_copy(update={"name": "another"}))
    journal.close()
    assert read_manifest(tmp_path) == journal.manifest == WHOLE.model_copy(update={"name": "another"})
