"""A run that is done again: the same plan in the same order, or the cases of it that somebody looks at."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.analysis.frames import load
from benchbench.execution.recorded_files import found_files
from benchbench.execution.resumption import recorded_plan, resumption_of
from benchbench.execution.selection import Selection
from benchbench.plan import selected
from benchbench.report.log_lines import telling_lines
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.case import CANARY, DataFile
from benchbench.values.errors import InputError
from tests.execution.runs import shortened
from tests.sample import SAMPLE
from tests.workbench import FAMILY, Workbench, outcomes


def test_a_run_is_done_again_in_the_same_order_in_a_folder_of_its_own(bench: Workbench) -> None:
    first = bench.run(bench.matrix("float32", "int8", rounds=2))
    bench.benchbench("run", "--again", str(first))
    second = bench.latest()
    assert second != first
    was, now = read_manifest(first), read_manifest(second)
    assert [trial.id for trial in now.trials] == [trial.id for trial in was.trials]
    assert [outcome.trial for outcome in outcomes(second)] == [outcome.trial for outcome in outcomes(first)]
    assert (now.seed, now.measure, now.variants, now.tools) == (was.seed, was.measure, was.variants, was.tools)
    assert now.id != was.id
    assert now.notes == (f"the plan of {first.name} again",)
    judged = bench.benchbench("compare", str(first), str(second), expect=3)  # two launches a side tell nothing
    assert "2 cases: 2 cannot tell" in judged.stdout


def test_one_case_is_done_again_and_every_row_has_its_command(bench: Workbench) -> None:
    first = bench.run(bench.matrix("float32", "int8", rounds=2))
    again = load(api.run_again(first, reports=bench.reports, selection=Selection(only=("*int8*",))))
    assert again.trials["case"].unique().tolist() == ["host/fashion_mnist.int8/xnnpack/t1"]
    assert len(again.trials) == 2
    commands = [shlex.split(command) for command in again.trials["command"]]
    assert all(len(words) >= 4 for words in commands)
    assert all(words[1].startswith(str(bench.work)) for words in commands)


def test_a_launch_is_done_again_by_its_log_alone(bench: Workbench) -> None:
    folder = bench.run(bench.matrix("int8", rounds=1, runs=3))
    (outcome,) = outcomes(folder)
    log = (folder / str(outcome.log)).read_text()
    parts = dict(re.findall(r"^== (\S+) ==\n(.*?)(?=\n\n== |\Z)", log, flags=re.DOTALL | re.MULTILINE))
    place = bench.folder / "by hand"
    place.mkdir()
    (place / "request.json").write_text(parts["request.json"])
    assert f"$ {outcome.command}\n" in log
    subprocess.run(shlex.split(str(outcome.command)), cwd=place, check=True, capture_output=True)
    answer, was = (json.loads(text) for text in ((place / "answer.json").read_text(), parts["answer.json"]))
    assert answer["status"] == "ok"
    assert [len(one["steady_ns"]) for one in (answer, was)] == [3, 3]
    assert answer["delegation"] == was["delegation"]
    told = telling_lines(folder, str(outcome.log), ("xnnpack",))
    assert not any(line in parts["request.json"] for line in told)


@pytest.mark.parametrize(
    ("more", "said"), [(["--only", "*/npu/*"], "leave no case"), (["--seed", "3"], "it takes no --seed")]
)
def test_what_cannot_be_done_again_is_told(bench: Workbench, more: list[str], said: str) -> None:
    folder = bench.run(bench.matrix("float32", rounds=1))
    code = 2 if "--seed" in more else 3
    assert said in bench.benchbench("run", "--again", str(folder), *more, expect=code).stderr


def moved(bench: Workbench, *schemes: str, only: tuple[str, ...] = (), model: str = "") -> tuple[Path, Path]:
    """A run of copies of the shipped files and the folder of those, from which they can go."""
    own = bench.folder / "own"
    own.mkdir()
    matrix = bench.matrix(*schemes, rounds=1, model=model)
    for path in FAMILY.glob("*.*"):
        shutil.copy(path, own)
    matrix.write_text(matrix.read_text().replace(str(FAMILY), str(own)))
    return bench.run(matrix, *only), own


def test_no_more_than_the_files_of_the_selected_cases_is_asked_for(bench: Workbench) -> None:
    folder, own = moved(bench, "float32", "int8")
    (own / "fashion_mnist_float32.tflite").unlink()
    again = api.run_again(folder, reports=bench.reports, selection=Selection(only=("*int8*",)))
    assert [outcome.status for outcome in outcomes(again)] == ["ok"]
    assert read_manifest(again).variants == read_manifest(folder).variants
    with pytest.raises(InputError, match=r"1 file .*fashion_mnist_float32\.tflite"):
        api.run_again(folder, reports=bench.reports)


def test_a_run_of_selected_cases_is_gone_on_with_without_the_others_files(bench: Workbench) -> None:
    folder, own = moved(bench, "float32", "int8", only=("*int8*",))
    (own / "fashion_mnist_float32.tflite").unlink()
    shortened(folder, 0)
    api.resume(folder)
    assert [outcome.status for outcome in outcomes(folder)] == ["ok"]


def test_all_files_that_are_gone_are_named_with_their_digests_and_found_by_them(bench: Workbench) -> None:
    dataset = f'dataset = "{FAMILY}/test.npz"\nsamples = 4'
    folder, own = moved(bench, "float16", "float32", "int8", only=("*float16*", "*int8*"), model=dataset)
    files = {path.name.removeprefix("fashion_mnist_"): path.read_bytes() for path in own.iterdir()}
    shutil.rmtree(own)
    only = Selection(only=("*int8*",))
    with pytest.raises(InputError) as told:
        api.run_again(folder, reports=bench.reports, selection=only)
    needed = ("float32.tflite", "int8.tflite", "test.npz")  # float32: outputs are compared with it
    assert "3 files" in told.value.message
    for name in needed:
        digest = hashlib.sha256(files[name]).hexdigest()
        assert re.search(rf"{re.escape(name)} \(sha256 {digest[:12]}", told.value.message)
    (folder / "models" / "deep").mkdir(parents=True)
    for number, name in enumerate(needed):
        (folder / "models" / "deep" / f"{number}{Path(name).suffix}").write_bytes(files[name])
    done = {
        outcome.purpose: outcome for outcome in outcomes(api.run_again(folder, reports=bench.reports, selection=only))
    }
    was = {outcome.purpose: outcome for outcome in outcomes(folder) if "int8" in outcome.case}
    assert done["accuracy"].accuracy == was["accuracy"].accuracy != {}
    assert done["latency"].status == "ok"


def test_data_are_looked_for_beside_their_model(bench: Workbench) -> None:
    folder, own = moved(bench, "int8")
    manifest, place = read_manifest(folder), folder / "models" / "a"
    data = DataFile(name="weights.bin", sha256=hashlib.sha256(b"w").hexdigest())
    variants = tuple(variant.model_copy(update={"data": (data,)}) for variant in manifest.variants)
    manifest = manifest.model_copy(update={"variants": variants})
    plan = recorded_plan(manifest, folder)
    with pytest.raises(InputError, match=r"1 file .*own/weights\.bin"):
        found_files(manifest, folder, plan)
    place.mkdir(parents=True)
    (place.parent / "weights.bin").write_bytes(b"w")
    shutil.copy(own / "fashion_mnist_int8.tflite", place / "net.tflite")
    with pytest.raises(InputError, match=r"1 file .*own/weights\.bin"):
        found_files(manifest, folder, plan)
    (place / "weights.bin").write_bytes(b"w")
    assert [variant.path for variant in found_files(manifest, folder, plan).variants] == [str(place / "net.tflite")]


def test_the_shipped_run_is_done_again_with_the_shipped_files(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = read_manifest(SAMPLE)
    plan = selected(recorded_plan(manifest, SAMPLE), only=("host/fashion_mnist.*",), skip=())
    monkeypatch.setenv("HOME", str(bench.folder))
    with pytest.raises(InputError, match="10 files"):
        resumption_of(manifest, SAMPLE, plan)
    place = bench.folder / "benchbench" / "benchbench" / "demo"
    place.mkdir(parents=True)
    (place / "fashion_mnist").symlink_to(FAMILY)
    begun = resumption_of(manifest, SAMPLE, plan)
    assert {Path(variant.path).parent for variant in begun.work.plan.variants if variant.family != CANARY} == {
        place / "fashion_mnist"
    }
    assert [device.name for device in begun.devices] == ["host"]
    assert begun.work.datasets.keys() == {variant.id for variant in begun.work.variants}
