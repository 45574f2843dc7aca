"""Runs whose rounds go on by need, on this machine: what is kept of it, and how such a run is gone on with."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchbench import pipeline as api
from benchbench.analysis.frames import load
from benchbench.run_folder.manifest import read_manifest
from benchbench.values.errors import NothingToDo
from tests.workbench import FAMILY, Workbench, outcomes, planned


def rounds(folder: Path) -> Counter[str]:
    return Counter(outcome.case for outcome in outcomes(folder) if outcome.timed)


def test_a_run_stops_where_it_is_precise_records_why_and_is_gone_on_with_anywhere(bench: Workbench) -> None:
    """With a precision that any machine keeps to: eight launches are the fewest that are precise."""
    matrix = bench.matrix("float32", runs=100, measure="precision = 0.99\nmax_rounds = 20\nprofile = true")
    told = bench.benchbench("run", str(matrix)).stderr
    folder = bench.latest()
    (stop,) = read_manifest(folder).stops
    assert (stop.kind, stop.rounds, rounds(folder)[stop.case]) == ("precise", 8, 8)
    assert f"{stop.case}  no further round: {stop.text}" in told
    assert load(folder).cases["stopped"].tolist() == [stop.text]
    assert load(folder).left == ()
    assert stop.text in (folder / "index.html").read_text()
    assert sum(outcome.purpose == "profile" for outcome in outcomes(folder)) == 1
    made = [outcome.trial for outcome in outcomes(folder)]
    assert made == [trial for trial in planned(folder) if trial in set(made)]
    with pytest.raises(NothingToDo):
        api.resume(folder)

    lines = (folder / "outcomes.jsonl").read_text().splitlines(keepends=True)
    (folder / "outcomes.jsonl").write_text("".join(lines[:5]))
    manifest = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(manifest | {"stops": []}))
    api.resume(folder)
    assert [outcome.trial for outcome in outcomes(folder)] == made
    assert [(one.kind, one.rounds) for one in read_manifest(folder).stops] == [("precise", 8)]


def test_a_race_knows_accuracy_first_and_spends_rounds_on_those_that_may_win(bench: Workbench) -> None:
    data = f'dataset = "{FAMILY}/test.npz"\nsamples = 50'
    limits = 'goal = "best"\nloses_at_most = 0.5\nmax_rounds = 5'
    matrix = bench.matrix("float32", "int8", delegates='["xnnpack", "cpu"]', rounds=3, model=data, measure=limits)
    folder = api.run(matrix, inventory=bench.inventory, reports=bench.reports)
    stops = {stop.case: stop for stop in read_manifest(folder).stops}
    assert {case: stop.rounds for case, stop in stops.items()} == rounds(folder)
    assert len(stops) == 4
    assert {stop.kind for stop in stops.values()} <= {"best", "cannot win", "max_rounds"}
    told = outcomes(folder)
    scored = [place for place, outcome in enumerate(told) if outcome.accuracy]
    further = [place for place, outcome in enumerate(told) if outcome.timed and outcome.round > 3]
    assert len(scored) == 4
    assert max(scored) < min(further, default=len(told))
    bench.benchbench("report", str(folder))
    with pytest.raises(NothingToDo):
        api.resume(folder)


def test_a_device_that_is_away_fails_the_rounds_that_all_cases_have_and_no_more(bench: Workbench) -> None:
    bench.device("board", 'address = { transport = "ssh", host = "127.0.0.1", port = 1 }\n')
    matrix = bench.matrix(
        "float32", devices=("host", "board"), rounds=2, runs=100, measure="precision = 0.99\nmax_rounds = 20"
    )
    folder = api.run(matrix, inventory=bench.inventory, reports=bench.reports)
    assert {case.partition("/")[0]: n for case, n in rounds(folder).items()} == {"host": 8, "board": 2}
    assert {stop.kind for stop in read_manifest(folder).stops} == {"precise", "failing"}


def test_a_library_that_is_not_there_is_looked_for_twice_at_most(
    bench: Workbench,
) -> None:
    missing = '{ kind = "external", path = "/no/such/libmine.so" }'
    matrix = bench.matrix("float32", delegates=f'[{missing}, "cpu"]', rounds=4)
    told = bench.benchbench("run", str(matrix), expect=1).stderr
    folder = bench.latest()
    external, cpu = (f"host/fashion_mnist.float32/{name}/t1" for name in ("external:mine", "cpu"))
    assert rounds(folder) == {external: 2, cpu: 4}
    (stop,) = read_manifest(folder).stops
    assert (stop.case, stop.kind, stop.rounds) == (external, "unavailable", 2)
    assert f"{external}  no further round: unavailable in 2 launches: " in told
    run = load(folder)
    assert run.left == ()
    assert run.cases.set_index("case")["stopped"].to_dict() == {external: stop.text, cpu: ""}
    with pytest.raises(NothingToDo):
        api.resume(folder)
