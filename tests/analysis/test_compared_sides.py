"""What differs between the sides of a comparison besides times, and what is no comparison at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchbench.analysis.compare import compare
from benchbench.analysis.compare_quantities import compare_quantities
from benchbench.analysis.comparison_text import as_markdown, in_short
from benchbench.analysis.frames import load
from benchbench.analysis.recommend import recommend
from benchbench.values.errors import InputError
from tests.analysis.test_comparison import compared, gpu
from tests.report.builder import launches, write_run


def traits(**changed: Any) -> list[dict[str, object]]:
    known = {"os": "android", "os_version": "16", "abi": "arm64-v8a", "soc": "Tensor G3", "memory_mb": 7800.0}
    return [{"name": "pixel8", "reached": "adb", "error": None, "traits": known | changed}]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"soc": "Tensor G4"}, "SoC Tensor G3, then Tensor G4"),
        ({"os_version": "17"}, "system 16, then 17"),
        ({"memory_mb": 15600.0}, "memory 7800 MB, then 15600"),
        ({"memory_mb": 7801.5, "boot_id": "another"}, None),
        ({"soc": None}, None),
    ],
)
def test_another_machine_by_the_same_name_is_told(tmp_path: Path, changed: dict[str, Any], told: str | None) -> None:
    base = load(write_run(tmp_path / "base", gpu(), devices=traits()))
    frame = compare(base, load(write_run(tmp_path / "new", gpu(), devices=traits(**changed))))
    found = [doubt.text for doubt in frame["doubts"].iloc[0] if doubt.kind == "other device"]
    assert found == ([f"pixel8: {told}"] if told else [])
    shown = as_markdown(frame, (), {})
    assert ("other device (1 of 1 case)" in shown) == bool(told)


def test_another_kernel_of_this_machine_is_told(tmp_path: Path) -> None:
    here = [device | {"reached": "local"} for device in traits()]
    runs = [
        load(write_run(tmp_path / system, gpu(), devices=here, host={"system": system})) for system in ("6.1", "6.2")
    ]
    assert "6.1, then 6.2" in compare(*runs)["doubts"].iloc[0][0].text


def test_paths_are_runs_and_what_cannot_be_compared_is_told(tmp_path: Path) -> None:
    base, new = write_run(tmp_path / "base", gpu()), write_run(tmp_path / "new", gpu(1.4))
    assert compare(str(base), new)["verdict"].tolist() == ["slower"]
    assert compare([base], str(new))["verdict"].tolist() == ["slower"]
    with pytest.raises(InputError, match="no base run"):
        compare([], new)


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf")])
def test_what_counts_as_the_same_is_a_share(tmp_path: Path, wrong: float) -> None:
    run = load(write_run(tmp_path / "a", gpu()))
    for compared_by in (compare, compare_quantities):
        with pytest.raises(InputError, match="same_within"):
            compared_by([run], run, same_within=wrong)
    with pytest.raises(InputError, match="same_within"):
        recommend(run.cases, same_within=wrong)
    with pytest.raises(InputError, match="loses_at_most"):
        recommend(run.cases, loses_at_most=wrong)


def test_a_time_of_0_is_not_said_to_lack_launches(tmp_path: Path) -> None:
    frame = compared(tmp_path, gpu(), gpu(0.0))
    assert frame["verdict"].tolist() == ["cannot tell"]
    assert "0 or below" in frame["why"].iloc[0]
    assert frame["more_rounds"].isna().all()


def test_a_case_that_cannot_be_told_is_not_called_without_a_change(tmp_path: Path) -> None:
    cpu = launches([9, 10, 11, 12, 8], delegate="xnnpack")
    wide = launches([9, 10.5, 11.5, 12, 8], delegate="xnnpack")
    same, _, rest = as_markdown(compared(tmp_path, [*cpu, *gpu()], [*wide, *gpu()]), (), {}).partition("</details>")
    assert ("1 case without a change" in same, "gpu" in same, "xnnpack/t1" in same) == (True, True, False)
    assert ("1 case that cannot be told" in rest, "xnnpack/t1" in rest) == (True, True)
    alone = compared(tmp_path / "alone", cpu, wide)
    assert "none ruled out" in in_short(alone, (), {})
