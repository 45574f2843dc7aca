"""A checkpoint is read without executing anything that it says."""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchbench.demo.checkpoint import MAGIC, PROTOCOL, read_checkpoint
from benchbench.values.errors import InputError


class Storage:
    """What torch writes as a persistent id."""

    def __init__(self, key: str, values: NDArray[Any], kind: type) -> None:
        self.key, self.values, self.kind = key, values, kind


class Shown:
    """A tensor as torch pickles it: a call of _rebuild_tensor_v2."""

    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, {})

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Evil:
    """Runs a command when it is unpickled as usual."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


class Pickler(pickle.Pickler):
    """Storages become persistent ids, as in torch's old format."""

    def persistent_id(self, obj: object) -> Any:
        if isinstance(obj, Storage):
            return "storage", obj.kind, obj.key, "cpu", len(obj.values), None
        return None


@pytest.fixture
def float_storage(monkeypatch: pytest.MonkeyPatch) -> type:
    """A stand-in for the two names of torch that a checkpoint carries; torch itself is not needed to write one."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2() -> None:
        raise AssertionError("only its name is written")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    kind = type("FloatStorage", (), {"__module__": "torch"})
    torch.FloatStorage, utils._rebuild_tensor_v2 = kind, _rebuild_tensor_v2  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return kind


def checkpoint(state: object, *storages: Storage, magic: int = MAGIC) -> bytes:
    file = io.BytesIO()
    for part in (magic, PROTOCOL, {"little_endian": True}, state, [storage.key for storage in storages]):
        Pickler(file, protocol=2).dump(part)
    for storage in storages:
        file.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
    return file.getvalue()


def test_the_tensors_of_a_checkpoint_are_read_in_any_order_of_their_axes(float_storage: type) -> None:
    storage = Storage("0", np.arange(8, dtype="<f4"), float_storage)
    state = OrderedDict(rows=Shown(storage, 2, (2, 3), (3, 1)), columns=Shown(storage, 2, (3, 2), (1, 3)))
    read = read_checkpoint(checkpoint(state, storage), "net.pth")
    np.testing.assert_array_equal(read["rows"], [[2, 3, 4], [5, 6, 7]])
    np.testing.assert_array_equal(read["columns"], read["rows"].T)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (3, 3), (3, 1)), (3, (2, 3), (3, 1)), (-1, (2,), (1,)), (4, (2,), (-1,)), (0, (1000, 1000), (0, 0))],
)
def test_a_tensor_that_shows_more_than_its_storage_is_refused(
    float_storage: type, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    storage = Storage("0", np.arange(8, dtype="<f4"), float_storage)
    with pytest.raises(InputError, match=r"net\.pth.*more than its storage holds"):
        read_checkpoint(checkpoint({"x": Shown(storage, offset, shape, strides)}, storage), "net.pth")


def test_nothing_that_a_hostile_checkpoint_says_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    with pytest.raises(InputError, match=r"net\.pth.*it names (posix|nt)\.mkdir"):
        read_checkpoint(checkpoint({"x": Evil(mark)}), "net.pth")
    with pytest.raises(InputError, match="it names"):
        read_checkpoint(pickle.dumps(Evil(mark), protocol=2), "net.pth")
    assert not mark.exists()


def test_what_is_no_checkpoint_or_a_part_of_one_is_one_clear_line(float_storage: type) -> None:
    storage = Storage("0", np.arange(8, dtype="<f4"), float_storage)
    whole = checkpoint({"x": Shown(storage, 0, (8,), (1,))}, storage)
    for data in (b"", b"PK\x03\x04", whole[:-5], whole[:40], checkpoint({}, magic=1)):
        with pytest.raises(InputError, match=r"net\.pth: no PyTorch checkpoint") as caught:
            read_checkpoint(data, "net.pth")
        assert "\n" not in str(caught.value)
