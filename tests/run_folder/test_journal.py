from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.run_folder.journal import (
    Journal,
    create,
    new_folder,
    read_outcomes,
    read_records,
    reopen,
)
from benchbench.run_folder.manifest import Manifest, read_manifest
from benchbench.run_folder.names import file_name, slug
from benchbench.values.errors import InputError
from benchbench.values.outcome import Measurement, Outcome, Status, Timings


def outcome(trial: str, status: Status = "ok", *, transient: bool = False) -> Outcome:
    return Outcome(
        trial=trial, case=trial, device="host", variant="a.b", round=1, position=1, status=status, transient=transient
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_folder(tmp_path / "reports", "my run")


def written(folder: Path, *trials: str) -> Journal:
    journal = create(folder, Manifest(name="test"))
    for trial in trials:
        journal.append(outcome(trial))
    return journal


def test_outcomes_come_back_as_they_were_written(folder: Path) -> None:
    journal = written(folder)
    measured = Measurement(timings=Timings(mean=1.5), output_errors={"ünï\n": None})
    told = outcome("a").model_copy(update={"measurement": measured, "error": 'new\nline "quoted" \u2028'})
    journal.append(told)
    journal.close()
    assert read_outcomes(folder) == (told,)


def test_a_run_without_an_outcome_yet_has_none(folder: Path) -> None:
    written(folder).close()
    assert read_outcomes(folder) == ()


def test_a_line_that_a_crash_tore_off_anywhere_is_passed_over_and_written_again(folder: Path) -> None:
    written(folder, "a", "b").close()
    path = folder / "outcomes.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        assert [told.trial for told in read_outcomes(folder)] == ["a"]
        journal = reopen(folder)
        assert journal.done() == {"a"}
        journal.append(outcome("b"))
        journal.close()
        assert path.read_bytes() == whole


def test_zeros_that_a_power_cut_left_are_passed_over(folder: Path) -> None:
    written(folder, "a").close()
    with (folder / "outcomes.jsonl").open("ab") as file:
        file.write(bytes(4096))
    journal = reopen(folder)
    journal.append(outcome("b"))
    journal.close()
    assert [told.trial for told in read_outcomes(folder)] == ["a", "b"]


@pytest.mark.parametrize(
    "bad",
    ['{"trial": 3}', "", "   ", "\0" * 100, "x", "\xff", "[]", "null", '"a"', "{", "[" * 10_000, "9" * 10_000],
    ids=lambda text: repr(text[:8]),
)
def test_a_line_that_is_no_outcome_costs_that_line_and_is_named_with_its_remedy(folder: Path, bad: str) -> None:
    written(folder, "a").close()
    path = folder / "outcomes.jsonl"
    with path.open("ab") as file:
        file.write(bad.encode("latin-1") + b"\n")
    journal = reopen(folder)
    journal.append(outcome("b"))
    journal.close()
    found = read_records(folder)
    assert [told.trial for told in found.outcomes] == ["a", "b"]
    (damage,) = found.damage
    assert damage.startswith(f"{path}:2: is ")
    assert "--resume" in damage
    assert len(damage) < 1000


def test_two_outcomes_glued_into_one_line_cost_that_line(folder: Path) -> None:
    written(folder, "a", "b", "c", "d").close()
    path = folder / "outcomes.jsonl"
    lines = path.read_text().splitlines()
    path.write_text(f"{lines[0]}\n{lines[1]}{lines[2]}\n{lines[3]}\n")
    journal = reopen(folder)
    assert journal.done() == {"a", "d"}
    journal.close()
    assert len(read_records(folder).damage) == 1


def test_done_is_what_ended_for_good_by_its_last_word(folder: Path) -> None:
    journal = create(folder, Manifest())
    for told in (
        outcome("ok"),
        outcome("failed", "failed"),
        outcome("lost", "failed", transient=True),
        outcome("lost, then ok", "failed", transient=True),
        outcome("lost, then ok"),
    ):
        journal.append(told)
    assert journal.done() == {"ok", "failed", "lost, then ok"}
    journal.close()


def test_one_controller_at_a_time_writes_a_run(folder: Path) -> None:
    journal = written(folder, "a")
    with pytest.raises(InputError, match="another controller is writing this run"):
        reopen(folder)
    journal.close()
    reopen(folder).close()


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no run folder: it has no run\.json"):
        reopen(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"format": 3}', '{"format": 0}', "{}", "\xff"])
def test_a_manifest_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"run\.json"):
        read_manifest(tmp_path)


def test_notes_are_kept_in_the_manifest(folder: Path) -> None:
    journal = written(folder)
    journal.note("first")
    journal.note("second")
    journal.close()
    assert read_manifest(folder).notes == ("first", "second")
    assert json.loads((folder / "run.json").read_text())["format"] == 2


def test_runs_of_one_second_and_name_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = {new_folder(tmp_path, "same") for _ in range(5)}
    assert len(folders) == 5


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be written"):
        new_folder(tmp_path / "file", "run")


def test_a_log_is_kept_whole_under_the_name_of_its_trial(folder: Path) -> None:
    journal = written(folder)
    path = journal.write_log("host/net.int8/xnnpack/t4@f0/r2", b"\0\xff said")
    journal.close()
    assert path == "logs/host__net.int8__xnnpack__t4@f0__r2.txt"
    assert (folder / path).read_bytes() == b"\0\xff said"


@pytest.mark.parametrize(
    "hostile", ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a/../../b", "x" * 500, "\0", "-rf"]
)
def test_a_hostile_name_stays_in_its_folder(folder: Path, hostile: str) -> None:
    journal = written(folder)
    path = folder / journal.write_log(hostile, b"x")
    journal.close()
    assert path.resolve().parent == (folder / "logs").resolve()
    assert new_folder(folder / "runs", hostile).resolve().parent == (folder / "runs").resolve()


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_two_trials_share_a_log(first: str, second: str) -> None:
    assert (file_name(first, ".txt") == file_name(second, ".txt")) == (first == second)


def test_rounds_of_a_case_with_a_very_long_name_have_logs_of_their_own() -> None:
    case = "host/" + "m" * 300 + "/xnnpack/t1"
    names = {file_name(f"{case}/r{number}", ".txt") for number in range(1, 20)}
    assert len(names) == 19
    assert max(map(len, names)) < 255


@given(st.text())
def test_a_slug_is_a_plain_name(text: str) -> None:
    name = slug(text)
    assert 0 < len(name) <= 60
    assert not name.startswith((".", "-"))
    assert "/" not in name


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize(
    "place",
    [
        *("measurement.timings.median", "measurement.timings.init", "measurement.memory.rss_peak_mb"),
        *("measurement.output_errors.out", "wall_s", "accuracy.top1", "quantities.p99_ms", "before.load"),
    ],
)
def test_a_line_with_a_number_that_is_none_is_passed_over_with_a_note(folder: Path, place: str, number: str) -> None:
    written(folder, "a").close()
    *above, last = place.split(".")
    inner = f'{{"at": "now", "{last}": {number}}}' if above == ["before"] else f'{{"{last}": {number}}}'
    for key in reversed(above):
        inner = f'{{"{key}": {inner}}}'
    bad = outcome("b").model_dump_json(exclude_defaults=True).removesuffix("}") + f", {inner[1:]}\n"
    path = folder / "outcomes.jsonl"
    path.write_text(path.read_text() + bad)
    records = read_records(folder)
    assert [one.trial for one in records.outcomes] == ["a"]
    (note,) = records.damage
    assert last in note
    assert "finite" in note


def test_a_line_with_a_whole_number_that_no_frame_holds_is_passed_over(folder: Path) -> None:
    written(folder, "a").close()
    path = folder / "outcomes.jsonl"
    path.write_text(path.read_text() * 2 + path.read_text().replace('"round":1', f'"round":{10**25}'))
    records = read_records(folder)
    assert (len(records.outcomes), len(records.damage)) == (2, 1)


def test_blank_lines_are_told_once(folder: Path) -> None:
    written(folder, "a", "b", "c").close()
    path = folder / "outcomes.jsonl"
    path.write_text(path.read_text().replace("\n", "\n\n"))
    records = read_records(folder)
    assert len(records.outcomes) == 3
    (note,) = records.damage
    assert f"{path}:2: " in note


def test_a_folder_in_the_place_of_the_outcomes_is_input_that_is_wrong(folder: Path) -> None:
    (folder / "outcomes.jsonl").mkdir()
    with pytest.raises(InputError, match=r"outcomes\.jsonl"):
        read_records(folder)
