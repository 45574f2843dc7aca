"""Which devices a run opens, and what becomes of those that it cannot use: nothing vanishes without a word."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.analysis.frames import load
from benchbench.analysis.tally import tally
from benchbench.config.inventory import device_file
from benchbench.device.session import open_session
from benchbench.execution.selection import Selection
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.device import Device
from benchbench.values.errors import NothingToDo, Unreachable
from tests.beds.namespaces import can_mount
from tests.beds.sshd import Board
from tests.workbench import Workbench

NOBODY = 'address = { transport = "ssh", host = "127.0.0.1", port = 1, user = "x" }\n'


def run(bench: Workbench, matrix: Path, *only: str, skip: tuple[str, ...] = ()) -> Path:
    return api.run(matrix, inventory=bench.inventory, reports=bench.reports, selection=Selection(only, skip, seed=1))


def board_file(board: Board, name: str, workdir: str) -> str:
    return (
        f'{device_file(Device(name=name, address=board.address))}workdir = "{workdir}"\npython = "{sys.executable}"\n'
    )


def test_a_device_of_which_no_case_is_selected_is_neither_opened_nor_an_error(bench: Workbench) -> None:
    bench.device("board", NOBODY)
    matrix = bench.matrix("float32", devices=("host", "board", "phone-that-is-not-here"), rounds=1)
    for folder in (run(bench, matrix, "host/*"), run(bench, matrix, skip=("board/*", "phone-*"))):
        found = load(folder)
        assert [device.name for device in found.manifest.devices] == ["host"]
        assert list(found.cases["status"]) == ["ok"]
        assert tally(found).lines == ("1 of 3 selected: 1 measured",)


def test_a_rule_for_a_device_that_is_not_selected_is_no_mistake(bench: Workbench) -> None:
    rule = 'skip = [{ device = "phone-that-is-not-here", scheme = "float32" }]'
    matrix = bench.matrix("float32", devices=("host", "phone-that-is-not-here"), rounds=1, top=rule)
    assert list(load(run(bench, matrix, "host/*")).cases["status"]) == ["ok"]


def test_a_device_without_selected_cases_is_not_opened_and_its_cases_are_rows(bench: Workbench) -> None:
    bench.device("board", NOBODY)
    matrix = bench.matrix("float32", devices=("host", "board"), rounds=1, top='skip = [{ device = "board" }]')
    folder = run(bench, matrix)
    assert tally(load(folder)).lines == ("2 cases: 1 measured, 1 skipped (board: left out by the matrix)",)
    assert [skip.deliberate for skip in read_manifest(folder).skips] == [True]


def test_a_device_that_is_in_use_can_be_left_out(bench: Workbench) -> None:
    other = Device.model_validate({"name": "other", "address": {"transport": "local"}, "workdir": str(bench.work)})
    bench.device("board", NOBODY)
    matrix = bench.matrix("float32", devices=("host", "board"), rounds=1)
    with open_session(other), pytest.raises(Unreachable):
        run(bench, matrix, "board/*")  # the board alone is asked, and the one in use is left in peace


def test_unnamed_devices_that_do_not_answer_are_named_with_their_cases(bench: Workbench, adb_server: object) -> None:
    bench.device("board", NOBODY)
    matrix = bench.matrix("float32", rounds=1)
    matrix.write_text(matrix.read_text().replace("devices = ['host']\n", ""))
    folder = run(bench, matrix)
    found = load(folder)
    rows = found.cases.set_index("device")
    assert dict(rows["status"]) == {"host": "ok", "board": "skipped"}
    manifest = read_manifest(folder)
    errors = {device.name: device.error for device in manifest.devices}
    assert errors["host"] is None
    assert errors["board"] == rows.loc["board", "error"]
    assert [(skip.case.device, skip.deliberate) for skip in manifest.skips] == [("board", False)]
    (reason,) = tally(found).reasons
    assert (reason.became, reason.where, reason.text) == ("skipped", "board", errors["board"])


def test_devices_in_use_or_without_a_runner_are_named_with_their_cases(
    bench: Workbench, make_board: Callable[..., Board], adb_server: object
) -> None:
    if not can_mount():
        pytest.skip("a boot id of its own needs root")
    bare, taken = make_board(), make_board()
    nothing = board_file(bare, "bare", f"{bare.workdir}/work").replace(sys.executable, "/no/such/python")
    bench.device("bare", nothing)
    bench.device("taken", board_file(taken, "taken", f"{taken.workdir}/work"))
    matrix = bench.matrix("float32", rounds=1)
    matrix.write_text(matrix.read_text().replace("devices = ['host']\n", ""))
    with open_session(Device(name="other", address=taken.address, workdir=f"{taken.workdir}/elsewhere")):
        found = load(run(bench, matrix))
    rows = found.cases.set_index("device")
    assert dict(rows["status"]) == {"host": "ok", "bare": "skipped", "taken": "skipped"}
    assert "in use" in str(rows.loc["taken", "error"])
    assert "/no/such/python" in str(rows.loc["bare", "error"])
    told = {device.name: device.error for device in found.manifest.devices}
    assert told == {"host": None, "bare": rows.loc["bare", "error"], "taken": rows.loc["taken", "error"]}
    assert {reason.where for reason in tally(found).reasons} == {"bare", "taken"}


@pytest.mark.parametrize("names", [("host", "again"), ("again", "host")])
def test_of_two_files_of_one_machine_the_first_is_used_and_it_is_said(bench: Workbench, names: tuple[str, str]) -> None:
    bench.device("again", f'address = {{ transport = "local" }}\nworkdir = "{bench.folder}/again"\n')
    found = load(run(bench, bench.matrix("float32", devices=names, rounds=1)))
    used, other = names
    rows = found.cases.set_index("device")
    assert dict(rows["status"]) == {used: "ok", other: "skipped"}
    assert f"{other} is the same machine as {used}" in str(rows.loc[other, "error"])
    told = {device.name: device.error for device in found.manifest.devices}
    assert told == {used: None, other: rows.loc[other, "error"]}


def test_a_board_at_two_names_is_one_machine_and_other_boards_are_not(
    bench: Workbench, make_board: Callable[..., Board]
) -> None:
    if not can_mount():
        pytest.skip("a boot id of its own needs root")
    one, two = make_board(), make_board()
    bench.device("a", board_file(one, "a", f"{one.workdir}/a"))
    bench.device("b", board_file(one, "b", f"{one.workdir}/b"))
    bench.device("c", board_file(two, "c", f"{two.workdir}/c"))
    found = load(run(bench, bench.matrix("float32", devices=("a", "b", "c"), rounds=1)))
    assert dict(found.cases.set_index("device")["status"]) == {"a": "ok", "b": "skipped", "c": "ok"}


def test_devices_shows_which_of_two_files_of_one_machine_is_used(bench: Workbench, adb_server: object) -> None:
    bench.device("z", f'address = {{ transport = "local" }}\nworkdir = "{bench.folder}/z"\n')
    shown = {look["name"]: look for look in json.loads(bench.benchbench("devices", "--json").stdout)}
    assert (shown["host"]["state"], shown["z"]["state"]) == ("ready", "duplicate")
    assert "the same machine as host" in shown["z"]["problem"]


def test_nothing_selected_is_told_before_any_device_is_opened(bench: Workbench) -> None:
    bench.device("board", NOBODY)
    matrix = bench.matrix("float32", devices=("board",), rounds=1)
    with pytest.raises(NothingToDo, match="--only and --skip leave no case"):
        run(bench, matrix, skip=("*",))


def test_the_end_of_a_run_says_what_became_of_every_case(bench: Workbench) -> None:
    matrix = bench.matrix("float32", delegates='["xnnpack", "nnapi"]', rounds=1, top="threads = [1, 2]")
    done = bench.benchbench("run", str(matrix), "--only", "*/t1")
    assert "2 of 4 selected: 1 measured, 1 skipped (nnapi on host: " in done.stderr
    assert "host/fashion_mnist.float32/nnapi/t1" in done.stdout
    page = (bench.latest() / "index.html").read_text(encoding="utf-8")
    assert "2 of 4 selected: 1 measured, 1 skipped" in page.split("<main")[0]
    assert '<td class="wide">nnapi on host</td>' in page
