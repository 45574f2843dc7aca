"""A device that is this machine, in a work folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbench.values.device import Device, Local


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(name="host", address=Local(), workdir=str(tmp_path / "work folder"))
