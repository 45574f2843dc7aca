"""Named baselines: kept beside the runs, set and read by commands, and compared with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import benchbench
from benchbench.values.errors import InputError
from tests.cli.conftest import Said
from tests.report.builder import launches, write_run


def run_of(folder: Path, name: str, ms: float) -> Path:
    """Six launches, which a comparison can tell from ones that are slower by half."""
    write_run(folder / name, launches([ms * factor for factor in (0.99, 1.0, 1.01, 0.995, 1.005, 1.0)]), id=name)
    return folder / name


def test_a_baseline_is_set_shown_added_to_and_forgotten(said: Said) -> None:
    first, second = (str(run_of(Path("reports"), name, 10)) for name in ("a", "b"))
    assert said("baseline", "main", first)[0] == 0
    assert said("baseline", "main", "--add", second)[0] == 0
    assert said("baseline", "release/1.0", first)[0] == 0
    assert said("baseline", "main")[1].splitlines() == [first, second]
    assert said("baseline")[1].splitlines() == [f"main\t{first}", f"main\t{second}", f"release/1.0\t{first}"]
    assert json.loads(said("baseline", "--json")[1]) == {"main": [first, second], "release/1.0": [first]}
    assert json.loads(Path("reports/baselines.json").read_text()) == {"main": ["a", "b"], "release/1.0": ["a"]}
    assert said("baseline", "main", second)[0] == 0
    assert said("baseline", "main")[1].splitlines() == [second]
    assert said("baseline", "main", "--remove")[0] == 0
    assert "there is no baseline 'main'" in said("baseline", "main")[2]
    assert Path(second).is_dir()


def test_a_run_is_compared_with_a_baseline_by_its_name(said: Said) -> None:
    base, same, slower = (str(run_of(Path("reports"), *what)) for what in (("a", 10.0), ("b", 10.0), ("c", 15.0)))
    said("baseline", "main", base)
    assert said("compare", "--baseline", "main", same)[0] == 0
    code, stdout, _ = said("compare", "--baseline", "main", slower, "--json")
    assert code == 1
    assert json.loads(stdout) == json.loads(said("compare", base, slower, "--json")[1])
    assert said("compare", "--baseline", "main", base, slower)[0] == 2


def test_of_two_base_runs_the_last_is_taken_of_three_all_and_never_the_new_one(said: Said) -> None:
    runs = [
        str(run_of(Path("reports"), name, ms)) for name, ms in (("a", 10.0), ("b", 15.0), ("c", 15.05), ("d", 15.0))
    ]
    said("baseline", "main", *runs[:2])
    _, stdout, stderr = said("compare", "--baseline", "main", runs[3], "--json")
    assert json.loads(stdout) == json.loads(said("compare", runs[1], runs[3], "--json")[1])
    assert "baseline main: b\n" in stderr
    said("baseline", "main", *runs)
    told = json.loads(said("compare", "--baseline", "main", runs[3], "--json")[1])
    assert told == json.loads(said("compare", *runs[:3], runs[3], "--json")[1])
    said("baseline", "main", runs[3])
    code, _, stderr = said("compare", "--baseline", "main", runs[3])
    assert (code, "holds no run but this one" in stderr) == (2, True)


def test_a_reports_folder_may_be_moved_and_a_run_may_be_elsewhere(tmp_path: Path) -> None:
    reports, elsewhere = tmp_path / "reports", run_of(tmp_path, "other", 10)
    inside = run_of(reports, "a", 10)
    assert benchbench.set_baseline("main", [inside, elsewhere], reports) == (inside, elsewhere)
    moved = reports.rename(tmp_path / "moved")
    assert benchbench.baseline("main", moved) == (moved / "a", elsewhere)


@pytest.mark.parametrize("text", ["[]", '{"main": "a"}', '{"main": [1]}', "{", "\x00"])
def test_a_file_that_holds_no_baselines_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "baselines.json").write_text(text)
    with pytest.raises(InputError, match=r"baselines\.json"):
        benchbench.baselines(tmp_path)


def test_what_is_no_run_or_no_name_is_refused_and_a_run_that_is_gone_is_named(said: Said) -> None:
    run = str(run_of(Path("reports"), "a", 10))
    assert said("baseline", "main", "reports")[0] == 2
    assert said("baseline", "../main", run)[0] == 2
    assert said("baseline", "main", "--add")[0] == 2
    assert said("baseline", "--remove")[0] == 2
    said("baseline", "main", run)
    other = str(run_of(Path("reports"), "b", 10))
    (Path(run) / "run.json").unlink()
    code, _, stderr = said("compare", "--baseline", "main", other)
    assert (code, "reports/a is no run folder" in stderr, "none of its run folders" in stderr) == (2, True, True)


def test_a_run_that_is_gone_stops_no_command_and_is_told(said: Said) -> None:
    runs = [str(run_of(Path("reports"), name, ms)) for name, ms in zip("abcn", (10, 10.02, 9.98, 15), strict=True)]
    said("baseline", "main", *runs[:3])
    (Path(runs[0]) / "run.json").unlink()
    code, stdout, stderr = said("baseline", "main")
    assert (code, stdout.splitlines(), "reports/a is gone" in stderr) == (0, runs[:3], True)
    code, stdout, stderr = said("compare", "--baseline", "main", runs[3], "--json")
    assert (code, json.loads(stdout)["base_runs"]) == (1, ["c"])  # of two that are left the last
    assert "reports/a is no run folder any more" in stderr
    code, _, stderr = said("baseline", "main", "--add", runs[3])
    assert (code, "reports/a is left out: gone" in stderr) == (0, True)
    assert said("baseline", "main")[1].splitlines() == runs[1:]
    (Path(runs[1]) / "run.json").unlink()
    assert said("baseline", "main", "--remove")[0] == 0
    assert said("baseline")[1] == ""


def test_the_ten_latest_runs_are_kept_and_a_copy_of_one_counts_once(said: Said) -> None:
    runs = [str(run_of(Path("reports"), f"r{k:02}", 10 + 0.01 * (k % 3))) for k in range(12)]
    copy = shutil.copytree(runs[11], "reports/copy")
    for run in runs:
        assert said("baseline", "main", "--add", run)[0] == 0
    code, _, stderr = said("baseline", "main", "--add", copy)
    assert (code, "reports/copy is left out" in stderr) == (0, True)
    assert said("baseline", "main")[1].splitlines() == runs[2:]
    told = json.loads(said("compare", "--baseline", "main", copy, "--json")[1])
    assert told["base_runs"] == [f"r{k:02}" for k in range(2, 11)]  # not the run itself


def test_a_change_of_the_level_is_forgotten_by_the_gate(said: Said) -> None:
    """Runs of before a gain of 30 %, then so many of after it as are kept: a loss of 10 % is seen again."""
    levels = (1.0, 1.002, 0.998)
    for k in range(13):
        level = 13.0 if k < 3 else 10.0
        said("baseline", "main", "--add", str(run_of(Path("reports"), f"r{k:02}", level * levels[k % 3])))
    worse = str(run_of(Path("reports"), "worse", 11.0))
    assert said("compare", "--baseline", "main", worse)[0] == 1
