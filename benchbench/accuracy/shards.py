"""A dataset cut into files that travel one by one: neither this host nor a device ever holds more than one of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from benchbench.accuracy.datasets import Dataset

SHARD_BYTES = 32 * 2**20  # the smallest boards have half a gigabyte for everything


@dataclass(frozen=True, slots=True)
class Shard:
    """Some consecutive samples in a file of this host: an .npz with one array an input, in order."""

    path: Path
    first: int  # number of its first sample in the dataset


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of a dataset in a folder of their own, each written when it is first asked for, by any thread."""

    dataset: Dataset
    folder: Path
    size: int  # samples in each but the last
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def holding(self, sample: int) -> Shard:
        """The shard with the sample of that number."""
        first = sample // self.size * self.size
        path = self.folder / f"{first:08}.npz"
        with self._writing:
            if not path.exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                self.dataset.save(path, first, first + self.size)
        return Shard(path, first)


def cut(dataset: Dataset, folder: Path, most_bytes: int = SHARD_BYTES) -> Shards:
    """Shards of at most so many bytes, or of one sample where that is larger."""
    one = sum(samples[:1].nbytes for samples in dataset.inputs)
    return Shards(dataset, folder, max(1, most_bytes // max(1, one)))
