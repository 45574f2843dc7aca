"""What is put on a device once is found there again, or put there again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchbench.device.session import open_session
from benchbench.values.device import Device
from benchbench.values.errors import InputError


def test_what_was_pushed_once_is_found_again_by_the_next_session(device: Device, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(os.urandom(1000))
    with open_session(device) as session:
        first = session.stage(model)
        assert session.stage(model) == first
        assert session.store.pushed == ["m.tflite"]
    with open_session(device) as session:
        assert session.stage(model) == first
        assert session.store.pushed == []
    assert Path(first).read_bytes() == model.read_bytes()


def test_what_exists_only_in_memory_is_put_back_where_the_device_lost_it(device: Device) -> None:
    with open_session(device) as session:
        staged = Path(session.store.stage_packed("script.pyz", b"script"))
        assert session.store.pushed == ["script.pyz"]
        staged.unlink()
        session.store.forget({str(staged)})
        session.store.restore()
    assert (staged.suffix, staged.read_bytes()) == (".pyz", b"script")


def test_a_file_torn_by_a_power_cut_is_pushed_again(device: Device, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(b"model")
    with open_session(device) as session:
        staged = Path(session.stage(model))
    staged.write_bytes(b"")
    for script in staged.parent.glob("*.sh"):
        script.write_bytes(b"")
    with open_session(device) as session:
        assert session.stage(model) == str(staged)
    assert staged.read_bytes() == b"model"


def test_a_model_that_changed_since_it_was_inspected_is_refused(device: Device, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(b"another")
    with open_session(device) as session, pytest.raises(InputError, match=r"m\.tflite: is not the file"):
        session.stage(model, "0" * 64)
