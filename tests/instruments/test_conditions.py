from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbench.instruments.conditions import (
    above_idle,
    capped,
    celsius,
    hottest,
    read_conditions,
    too_warm,
    with_what_passed,
)
from benchbench.values.conditions import Conditions
from benchbench.values.job import RawConditions
from benchbench.values.key_values import number, pairs
from benchbench.values.measurement_settings import Cooldown

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


def conditions_of(values: Mapping[str, str]) -> Conditions:
    return read_conditions(RawConditions(AT, values))


@pytest.mark.parametrize(
    ("raw", "degrees"),
    [
        ("45123", 45.123),  # the kernel's rule
        ("415", 41.5),  # tenths, some phones
        ("41", 41.0),
        ("41.5", 41.5),
        ("0", None),  # a sensor that is off
        ("-274000", None),
        ("1", 1.0),
        ("151", 15.1),
        ("2147483647", None),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("", None),
        ("cold", None),
    ],
)
def test_a_thermal_reading_is_degrees_or_nothing(raw: str, degrees: float | None) -> None:
    assert celsius(raw) == (degrees if degrees is None else pytest.approx(degrees))


def test_the_hottest_sensor_that_matters_is_not_the_charger() -> None:
    assert hottest({"cpu_thermal#0": 50, "battery#1": 60, "charger-skin#2": 70}) == 50
    assert hottest({"x86_pkg_temp#0": 61, "acpitz#1": 28}) == 61
    assert hottest({"zone-a#0": 41, "battery#1": 60}) == 41
    assert hottest({"battery#0": 30}) is None
    assert hottest({}) is None


def test_what_a_pi_feels_now_and_what_it_remembers_are_kept_apart() -> None:
    seen = conditions_of({"get_throttled": "throttled=0x50005"})
    assert seen.throttled == ("under-voltage", "throttled")
    assert seen.throttled_since_boot == ("under-voltage", "throttled")
    remembered = conditions_of({"get_throttled": "throttled=0xe0000"})
    assert remembered.throttled == ()
    assert remembered.throttled_since_boot == ("frequency capped", "throttled", "soft temperature limit")


@pytest.mark.parametrize("said", ["", "VCHI initialization failed", "throttled=0x", "throttled=0xzz"])
def test_a_pi_that_does_not_say_is_not_called_throttled(said: str) -> None:
    assert conditions_of({"get_throttled": said}).throttled == ()


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        ("0", ()),
        ("1", ()),
        ("2", ("thermal status moderate",)),
        ("6", ("thermal status shutdown",)),
        ("99", ("thermal status shutdown",)),
        ("-1", ()),
        ("inf", ()),
        ("warm", ()),
    ],
)
def test_androids_thermal_status_is_throttling_from_moderate_on(status: str, flags: tuple[str, ...]) -> None:
    assert conditions_of({"thermal_status": status}).throttled == flags


def test_throttling_that_came_and_went_between_two_looks_is_seen() -> None:
    before = conditions_of({"get_throttled": "throttled=0x10000"})
    after = conditions_of({"get_throttled": "throttled=0xd0000"})
    assert with_what_passed(before, after).throttled == ("throttled in between", "soft temperature limit in between")


def test_throttling_that_is_still_there_is_told_once() -> None:
    before = conditions_of({"get_throttled": "throttled=0x0"})
    after = conditions_of({"get_throttled": "throttled=0x40004"})
    assert with_what_passed(before, after).throttled == ("throttled",)


def test_what_happened_before_the_trial_is_not_held_against_it() -> None:
    before = conditions_of({"get_throttled": "throttled=0xf0000"})
    assert with_what_passed(before, before).throttled == ()


@pytest.mark.parametrize(
    ("status", "charging"),
    [("2", True), ("3", False), ("5", True), ("Charging", True), ("Discharging", False), ("Full", True)],
)
def test_a_battery_charges_or_not_in_the_words_of_android_and_linux(status: str, charging: bool) -> None:
    seen = conditions_of({"battery": "87", "battery_status": status})
    assert (seen.battery_percent, seen.charging) == (87, charging)


def test_a_device_without_a_battery_says_nothing_of_charging() -> None:
    assert conditions_of({}).charging is None


def test_clocks_are_megahertz_by_policy() -> None:
    values = {"clock.policy0": "1803000", "max_clock.policy0": "2850000", "governor.policy0": "schedutil"}
    seen = conditions_of(values | {"memory_available_kb": "2048", "load": "0.51"})
    assert (seen.clocks_mhz, seen.max_clocks_mhz) == ({"policy0": 1803}, {"policy0": 2850})
    assert (seen.governors, seen.memory_available_mb, seen.load) == (("schedutil",), 2, 0.51)


KEYS = st.sampled_from(["thermal.cpu#0", "clock.policy0", "battery", "load", "thermal_status", "get_throttled"])


@given(st.dictionaries(KEYS, st.one_of(st.text(), st.floats().map(str), st.integers().map(str))))
def test_no_sensor_can_say_anything_that_is_not_taken_or_passed_over(values: dict[str, str]) -> None:
    seen = conditions_of(values)
    numbers = [*seen.temperatures_c.values(), *seen.clocks_mhz.values(), seen.battery_percent, seen.load]
    assert all(value is None or math.isfinite(value) for value in numbers)


@given(st.text())
def test_a_number_is_finite_or_none(text: str) -> None:
    value = number(text)
    assert value is None or math.isfinite(value)


def test_pairs_are_lines_with_an_equals_sign_and_a_value_may_hold_another() -> None:
    assert pairs("a=1\nnoise\nb=x=y \n=z\n") == {"a": "1", "b": "x=y", "": "z"}


def test_zones_go_before_the_hal_whose_battery_and_modem_do_not_count() -> None:
    hal = {"hal.0.CPU0": "62.5", "hal.2.battery": "90", "hal.3.skin": "31", "hal.9.odd.name": "99", "hal.0.off": "nan"}
    assert conditions_of(hal).temperature_c == 62.5
    assert conditions_of(hal | {"thermal.cpu#0": "48000"}).temperature_c == 48
    assert conditions_of(hal | {"thermal.cpu#0": "0"}).temperature_c == 62.5  # a zone that is off tells nothing
    assert conditions_of({"hal.2.battery": "30"}).temperature_c is None


def test_the_gate_looks_at_each_sensor_that_matters_against_its_own_idle() -> None:
    idle = conditions_of({"thermal.cpu#0": "60000", "thermal.gpu#1": "35000", "thermal.battery#2": "25000"})
    now = conditions_of({"thermal.cpu#0": "61000", "thermal.gpu#1": "45000", "thermal.battery#2": "50000"})
    assert above_idle(now, idle) == 10
    assert too_warm(now, idle, Cooldown(above_idle_c=5))  # the GPU, although the CPU is hotter, and near its idle
    assert not too_warm(now, idle, Cooldown(above_idle_c=12))
    assert not too_warm(now, idle, Cooldown(below_c=65))
    assert too_warm(now, idle, Cooldown(below_c=60, above_idle_c=12))
    assert above_idle(conditions_of({}), idle) is None
    assert not too_warm(conditions_of({}), idle, Cooldown(below_c=40, above_idle_c=1))


def test_a_cluster_that_may_not_run_as_fast_as_when_idle_is_capped() -> None:
    idle = {"policy0": 1800.0, "policy4": 2850.0}
    assert capped({"policy0": 1800.0, "policy4": 2800.0}, idle) == ()
    assert capped({"policy0": 1800.0, "policy4": 1200.0}, idle) == ("policy4 capped at 1200 of 2850 MHz",)
    assert capped({"policy9": 1.0}, idle) == ()
