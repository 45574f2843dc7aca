from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.beds.launch import script_file


@pytest.mark.parametrize(
    "arguments", [(), ("request.json",), ("a", "b", "--surprise"), ("--probe", "x"), ("--probe", "x", "y")]
)
def test_a_wrong_command_line_shows_the_right_one(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, str(script_file()), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "request.json answer.json | --probe" in run.stderr
    assert list(tmp_path.iterdir()) == []
