from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchbench.accuracy.datasets import load
from benchbench.accuracy.samples import Files
from benchbench.accuracy.shards import cut
from benchbench.values.errors import InputError
from tests.accuracy.conftest import Described

COLOUR = Described(shape=(1, 4, 4, 3), dtype="uint8")
ONE = 4 * 4 * 3


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for k in range(count):
        Image.new("RGB", (4, 4), (k, 2 * k, 0)).save(folder / f"{k:03}.png")
    return folder


def test_shards_hold_every_sample_once_and_are_made_when_they_are_needed(tmp_path: Path) -> None:
    dataset = load(pictures(tmp_path / "pictures", 7), [COLOUR])
    shards = cut(dataset, tmp_path / "shards", most_bytes=3 * ONE)
    assert shards.size == 3
    assert not shards.folder.exists()
    middle = shards.holding(4)
    assert middle.first == 3
    assert [path.name for path in shards.folder.iterdir()] == [middle.path.name]
    whole = []
    for sample in (0, 3, 6):
        with np.load(shards.holding(sample).path) as archive:
            whole.append(archive["x0"])
    assert [len(array) for array in whole] == [3, 3, 1]
    assert [int(array[0, 0, 0, 0]) for array in whole] == [0, 3, 6]
    np.testing.assert_array_equal(np.concatenate(whole), dataset.inputs[0][:7])


def test_a_sample_that_is_larger_than_a_shard_has_one_of_its_own(tmp_path: Path) -> None:
    shards = cut(load(pictures(tmp_path / "pictures", 2), [COLOUR]), tmp_path / "shards", most_bytes=1)
    assert (shards.size, shards.holding(1).first) == (1, 1)


def test_devices_that_ask_at_the_same_time_get_one_whole_file(tmp_path: Path) -> None:
    shards = cut(load(pictures(tmp_path / "pictures", 40), [COLOUR]), tmp_path / "shards")
    sizes: list[int] = []

    def ask() -> None:
        with np.load(shards.holding(0).path) as archive:
            sizes.append(len(archive["x0"]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [40] * 8


def test_the_first_images_of_a_folder_are_decoded_only_when_they_are_asked_for(tmp_path: Path) -> None:
    dataset = load(pictures(tmp_path / "pictures", 5), [COLOUR])
    assert isinstance(dataset.inputs[0], Files)
    first = dataset.first(2)
    for path in dataset.inputs[0].paths[2:]:
        path.unlink()
    assert first.inputs[0][:100].shape == (2, 4, 4, 3)
    assert first.inputs[0][1:5].shape == (1, 4, 4, 3)
    dataset.inputs[0].paths[1].unlink()
    with pytest.raises(InputError, match="No such file"):
        first.inputs[0][:2]
