from __future__ import annotations

import time

import pytest

from benchbench.device_script.timing import repeat


@pytest.mark.parametrize(
    ("runs", "max_seconds", "spent_ns", "steps", "stopped_by"),
    [
        (3, 60, 0, 3, "runs and min_seconds"),
        (0, 60, 0, 0, "runs and min_seconds"),
        (3, 0, 0, 1, "max_seconds"),  # one at least
        (3, 0, 1, 0, "max_seconds"),  # unless there was one before
        (3, 5, int(6e9), 0, "max_seconds"),
    ],
)
def test_steps_end_with_what_was_asked(
    runs: int, max_seconds: float, spent_ns: int, steps: int, stopped_by: str
) -> None:
    calls: list[int] = []
    times, said = repeat(lambda: calls.append(1), runs, 0, max_seconds, spent_ns)
    assert (len(times), len(calls), said) == (steps, steps, stopped_by)


def test_steps_go_on_for_the_least_time() -> None:
    began = time.perf_counter()
    times, said = repeat(lambda: time.sleep(0.01), 1, 0.1, 60)
    assert time.perf_counter() - began >= 0.1
    assert (len(times) > 1, said) == (True, "runs and min_seconds")
