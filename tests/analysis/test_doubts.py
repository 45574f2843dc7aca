"""Each doubt says its one thing, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.analysis.disturbances import by_sensor, disturbances
from benchbench.analysis.doubts import doubts
from benchbench.analysis.frames import load as read_run
from benchbench.analysis.intervals import median_interval
from benchbench.analysis.launches import LaunchSequence
from benchbench.values.conditions import Conditions, SettingSeen
from benchbench.values.measurement_settings import Cooldown
from benchbench.values.outcome import Outcome
from tests.report.builder import conditions, launches, measurement, outcome, write_run


def kinds(found: list[Outcome], **about: Any) -> set[str]:
    counted = [o for o in found if o.status == "ok"]
    return {doubt.kind for doubt in doubts(LaunchSequence(found, counted, **({"kind": "gpu"} | about)))}


def test_five_calm_launches_that_ran_where_asked_leave_no_doubt() -> None:
    assert kinds(launches([10, 10.1, 9.9, 10, 10.2], delegate="gpu"), threads=1, cores=8) == set()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("throttled", {"after": conditions(60, throttled=["throttled"])}),
        ("hot", {"after": conditions(91)}),
        ("fell back", {"verdict": "none"}),
        ("fell back", {"verdict": "unavailable"}),
        ("unconfirmed", {"verdict": "unknown"}),
        ("partial", {"verdict": "partial"}),
        ("fewer runs", {"measurement": measurement(10_000, runs=7)}),
        ("threads", {"measurement": measurement(10_000, threads=4)}),
        ("no sensor", {"before": conditions(None), "after": conditions(None)}),
        ("busy", {"before": conditions(load=30.0)}),
        ("imported", {"wall_s": None}),
        ("battery", {"after": conditions().model_copy(update={"charging": False})}),
        ("governor", {"before": conditions().model_copy(update={"governors": ("schedutil",)})}),
    ],
)
def test_what_went_wrong_is_said_with_a_remedy(kind: str, change: dict[str, Any]) -> None:
    found = [outcome(delegate="gpu", round=n, **change) for n in range(5)]
    said = doubts(
        LaunchSequence(found, found, kind="gpu", threads=1, cores=8, disturbed=disturbances(found)),
    )
    assert [doubt.kind for doubt in said] == [kind]
    assert all(doubt.text and doubt.remedy for doubt in said)


def test_what_a_tool_cannot_do_is_skipped_and_not_taken_for_the_log_of_somebody_else() -> None:
    assert "imported" not in kinds([outcome(delegate="gpu", status="skipped", wall_s=None)])


@pytest.mark.parametrize(
    ("load", "cores", "threads", "busy"),
    [
        (8.0, 8, 1, False),  # what an idle phone's kernel threads show
        (8.0, 8, 8, False),  # our own last launch
        (12.0, 8, 8, True),
        (12.0, 8, 1, False),
        (20.0, 8, 1, True),
        (2.0, 2, 2, False),
        (3.0, 2, 4, True),
        (3.0, 2, 1, False),
        (60.0, 64, 1, False),
    ],
)
def test_busy_is_relative_to_cores_and_the_threads_asked_for(load: float, cores: int, threads: int, busy: bool) -> None:
    used = measurement(10_000, threads=threads)
    found = [outcome(delegate="gpu", round=n, measurement=used, before=conditions(load=load)) for n in range(5)]
    assert ("busy" in kinds(found, threads=threads, cores=cores)) is busy


def test_threads_that_make_it_many_times_slower_than_one_are_doubted(tmp_path: Path) -> None:
    found = [o for threads, ms in ((1, 2.0), (2, 2.4), (4, 31.0)) for o in launches([ms] * 4, threads=threads)]
    cases = read_run(write_run(tmp_path / "run", found)).cases
    said = {row["threads"]: [d for d in row["doubts"] if d.kind == "slow threads"] for row in cases.to_dict("records")}
    assert (said[1], said[2]) == ([], [])
    (doubt,) = said[4]
    assert "16×" in doubt.text
    assert doubt.remedy


def test_launches_that_vary_are_noisy() -> None:
    assert kinds(launches([10, 14, 9, 12, 16], delegate="gpu")) == {"noisy"}


@pytest.mark.parametrize(("n", "few"), [(1, True), (3, True), (4, False)])
def test_few_launches_are_doubted(n: int, few: bool) -> None:
    assert ("few launches" in kinds(launches([10.0] * n, delegate="gpu"))) is few


def test_a_clock_below_its_top_is_a_cap_only_under_the_performance_governor() -> None:
    low = {"clocks_mhz": {"policy0": 1200.0}, "max_clocks_mhz": {"policy0": 2400.0}}
    capped = conditions().model_copy(update=low)
    idle = capped.model_copy(update={"governors": ("schedutil",)})
    assert kinds([outcome(delegate="gpu", round=n, before=capped) for n in range(5)]) == {"clock"}
    assert kinds([outcome(delegate="gpu", round=n, before=idle) for n in range(5)]) == {"governor"}


def test_a_time_out_is_told_from_a_crash() -> None:
    good = launches([10.0] * 5, delegate="gpu")
    late = outcome(delegate="gpu", status="failed", ms=None, error="killed at its time limit of 300 s")
    crash = outcome(delegate="gpu", status="failed", ms=None, error="Segmentation fault", remedy="update the driver")
    assert kinds([*good, late]) == {"timed out"}
    (said,) = doubts(LaunchSequence([*good, crash], good, kind="gpu"))
    assert said.text == "1 of 6 launches failed: Segmentation fault"
    assert said.remedy == "update the driver"


def test_a_first_inference_far_above_the_steady_one_is_said() -> None:
    slow = measurement(10_000)
    slow = slow.model_copy(update={"timings": slow.timings.model_copy(update={"first": 120_000})})
    assert kinds([outcome(delegate="gpu", round=n, measurement=slow) for n in range(5)]) == {"slow start"}


def test_a_launch_that_began_above_the_cool_down_limit_is_disturbed() -> None:
    warm = outcome(before=conditions(45))
    assert by_sensor(warm) is None
    disturbed = by_sensor(warm, Cooldown(below_c=40))
    assert disturbed is not None
    assert (disturbed.kind, disturbed.text) == ("hot", "began at 45 °C, above the cool-down limit of 40 °C")


def test_the_reference_kernels_cannot_fall_back() -> None:
    assert "fell back" not in kinds(launches([10.0] * 5, delegate="cpu", verdict="none"), kind="cpu")


def test_conditions_that_nobody_read_are_no_doubt_about_the_sensor() -> None:
    assert kinds([outcome(delegate="gpu", round=n, before=None, after=None) for n in range(5)]) == set()
    assert Conditions(at="now").temperature_c is None


def test_the_load_of_benchbench_itself_is_a_doubt_on_its_own_host_alone() -> None:
    busy = [outcome(delegate="gpu", round=n, quantities={"controller_cpu": 0.02 + 0.1 * n}) for n in range(5)]
    assert kinds(busy, local=True) == {"own load"}
    assert kinds(busy, local=False) == set()
    calm = [outcome(delegate="gpu", round=n, quantities={"controller_cpu": 0.02}) for n in range(5)]
    assert kinds(calm, local=True) == set()


def test_a_setting_that_did_not_hold_is_a_doubt_and_one_that_did_is_believed() -> None:
    def launched_with(got: str | None) -> list[Outcome]:
        seen = (SettingSeen(name="governor", asked="performance", got=got),)
        idle = conditions().model_copy(update={"governors": ("schedutil",)})
        return [outcome(delegate="gpu", round=n, settings=seen, before=idle) for n in range(5)]

    assert kinds(launched_with("performance")) == set()
    assert kinds(launched_with("schedutil")) == {"setting", "governor"}
    assert kinds(launched_with(None)) == {"setting", "governor"}


def test_a_setting_that_a_device_does_not_have_is_not_told_to_be_unreadable() -> None:
    seen = (
        SettingSeen(name="governor", asked="performance", there=False),
        SettingSeen(name="stay awake", asked="7", there=False),
        SettingSeen(name="of a stranger's file", asked="1"),
    )
    found = [outcome(delegate="gpu", round=n, settings=seen) for n in range(6)]
    (said,) = doubts(LaunchSequence(found, found, kind="gpu"))
    assert (said.kind, said.text.count("does not have"), said.text.count("could not be read")) == ("setting", 2, 1)
    assert ("need root" in said.remedy, "Android alone" in said.remedy) == (False, True)


@pytest.mark.parametrize(("count", "has"), [(2, "no interval"), (3, "75 %")])
def test_few_launches_ask_for_as_many_as_an_interval_needs(count: int, has: str) -> None:
    found = launches([10.0] * count, delegate="gpu")
    (said,) = doubts(LaunchSequence(found, found, kind="gpu"))
    assert has in said.text
    assert median_interval([10.0] * count) is None or count == 3
    assert "6" in said.remedy
    logged = [o.model_copy(update={"wall_s": None}) for o in found]
    (few, _) = doubts(LaunchSequence(logged, logged, kind="gpu"))
    assert "log" in few.remedy
    assert "rounds" not in few.remedy


def test_a_failed_launch_names_its_log() -> None:
    good = launches([10.0] * 5, delegate="gpu")
    crash = outcome(delegate="gpu", status="failed", ms=None, error="boom", log="logs/0007.txt")
    (said,) = doubts(LaunchSequence([*good, crash], good, kind="gpu"))
    assert "logs/0007.txt" in said.remedy


def test_a_delegate_that_cannot_be_had_is_not_called_failed() -> None:
    lost = [outcome(delegate="gpu", round=n, status="failed", ms=None, verdict="unavailable") for n in range(2)]
    assert kinds(lost) == {"unavailable"}
    told = [one.model_copy(update={"error": "there is no GPU", "log": "logs/x.txt"}) for one in lost]
    (doubt,) = (doubt for doubt in doubts(LaunchSequence(told, [])) if doubt.kind == "unavailable")
    assert "logs/" not in doubt.remedy
    boom = outcome(delegate="gpu", round=2, status="failed", ms=None, verdict="unknown", error="boom")
    assert kinds([*lost, boom]) == {"failed"}
