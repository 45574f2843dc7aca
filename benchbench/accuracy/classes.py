"""A classifier class by class: two small tables beside the outputs of a trial, and whence the classes have names."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from benchbench.accuracy.images import class_folders
from benchbench.accuracy.metrics import Classification, wilson
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError

CLASSES, CONFUSION = "classes.csv", "confusion.csv"
CLASS_COLUMNS = ("class", "name", "support", "found", "recall", "recall_low", "recall_high")
CONFUSION_COLUMNS = ("label", "label_name", "answer", "answer_name", "count")
NAMES = "labels.txt"  # beside a dataset or a model: one name a line, in the order of the classes
LARGEST_NAMES = 1_000_000  # bytes; ImageNet's list has 11 kB
LONGEST_NAME = 200  # characters
LARGEST_NUMBER = 2**53  # in a table
_NO_SHARE = (math.nan,) * 3


def class_names(
    classes: int, packed: Iterable[Sequence[str]], files: Iterable[Path], dataset: Path | None, offset: int = 0
) -> dict[int, str]:
    """The names of a model's classes, as far as somebody says them, by class.

    The first of these that names exactly so many classes: label lists `packed` in a model, the lists in `files` (one
    name a line; absent ones are passed over). Else the folders of an image dataset, whose numbers `offset` is added to.
    """
    lists = chain(packed, map(_lines, files))
    fitting = next((names for names in lists if len(names) == classes), None)
    if fitting is not None:
        return dict(enumerate(fitting))
    folders = class_folders(dataset) if dataset is not None and dataset.is_dir() else {}
    return {number + offset: name for name, number in folders.items() if not name.isdecimal()}


def _lines(path: Path) -> tuple[str, ...]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_NAMES:
            return ()
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def write_classes(folder: Path, found: Classification, names: Mapping[int, str]) -> None:
    """Write classes.csv, one line a class, and confusion.csv, one line a cell that is not zero.

    Shares run from 0 to 1, intervals are Wilson's 95 %; recall is empty for a class without samples.
    """
    hits = np.diag(found.confusion)
    rows: list[tuple[Any, ...]] = []
    for number, (support, hit) in enumerate(zip(found.support.tolist(), hits.tolist(), strict=True)):
        shares = [f"{share:.6g}" for share in (hit / support, *wilson(hit, support))] if support else [""] * 3
        rows.append((number, _plain(names.get(number, "")), support, hit, *shares))
    _write(folder / CLASSES, CLASS_COLUMNS, rows)
    cells = zip(*found.confusion.nonzero(), strict=True)
    counts = [(label, answer, found.confusion[label, answer]) for label, answer in cells]
    _write(folder / CONFUSION, ("label", "answer", "count"), counts)


def _plain(name: str) -> str:
    """A name that any reader of CSV takes for one cell of one line."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name[:LONGEST_NAME])


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with atomic(path) as file:
        file.write(text.getvalue().encode())


def read_classes(folder: Path) -> dict[str, list[Any]] | None:
    """The columns of classes.csv by CLASS_COLUMNS, shares counted anew (NaN without samples); None where there is none.

    Raises InputError, naming the file, where it does not hold what `write_classes` writes.
    """
    table = _read(folder / CLASSES, {"class": int, "name": str, "support": int, "found": int})
    if table is None:
        return None
    numbers, support, hits = (table[key] for key in ("class", "support", "found"))
    possible = all(0 <= hit <= n for hit, n in zip(hits, support, strict=True))
    if len({*numbers}) < len(numbers) or min(numbers, default=0) < 0 or not possible:
        raise _spoilt(folder / CLASSES, "a class stands in it twice, or its numbers are impossible")
    shares = [(hit / n, *wilson(hit, n)) if n else _NO_SHARE for hit, n in zip(hits, support, strict=True)]
    return table | {name: [share[at] for share in shares] for at, name in enumerate(CLASS_COLUMNS[4:])}


def read_confusion(folder: Path) -> dict[str, list[Any]] | None:
    """The columns of confusion.csv by CONFUSION_COLUMNS; None where there is none.

    What the cells of a label lack to its support had no answer (NaN among the scores). Raises InputError, naming the
    file, where it does not hold what `write_classes` writes.
    """
    table = _read(folder / CONFUSION, {"label": int, "answer": int, "count": int})
    classes = read_classes(folder) if table is not None else None
    if table is None or classes is None:
        return None
    support, names = (dict(zip(classes["class"], classes[key], strict=True)) for key in ("support", "name"))
    labels, answers, counts = (table[key] for key in ("label", "answer", "count"))
    known = names.keys() >= {*labels, *answers}
    if not known or min(counts, default=1) < 1 or len({*zip(labels, answers, strict=True)}) < len(labels):
        raise _spoilt(folder / CONFUSION, f"a cell stands in it twice, counts nothing, or is of no class in {CLASSES}")
    answered: Counter[int] = Counter()
    for label, count in zip(labels, counts, strict=True):
        answered[label] += count
    if any(count > support[label] for label, count in answered.items()):
        raise _spoilt(folder / CONFUSION, f"it counts more samples of a label than {CLASSES}")
    named = {f"{side}_name": [names[number] for number in table[side]] for side in ("label", "answer")}
    return {name: (table | named)[name] for name in CONFUSION_COLUMNS}


def _read(path: Path, columns: Mapping[str, type[int] | type[str]]) -> dict[str, list[Any]] | None:
    """These columns of a small table. A frame for each of a thousand of them would take a hundred times as long."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
    except FileNotFoundError:
        return None
    except (ValueError, csv.Error, OSError) as error:
        raise _spoilt(path, " ".join(str(error).split())) from error
    try:
        places = {name: header.index(name) for name in columns}
        table: dict[str, list[Any]] = {name: [columns[name](row[at]) for row in rows] for name, at in places.items()}
    except (ValueError, IndexError) as error:
        raise _spoilt(path, " ".join(str(error).split())) from error
    numbers = chain.from_iterable(table[name] for name, kind in columns.items() if kind is int)
    if any(abs(int(number)) > LARGEST_NUMBER for number in numbers):
        raise _spoilt(path, "it has a number that no count is")
    return table


def _spoilt(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: is no table of classes: {why}", remedy="delete it, or restore it as benchbench wrote it"
    )
