"""A classifier class by class: two small tables beside the outputs of a trial, and whence the classes have names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchbench.accuracy.images import class_folders
from benchbench.accuracy.metrics import Classification, wilson
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CLASSES, CONFUSION = "classes.csv", "confusion.csv"
CLASS_COLUMNS = ("class", "name", "support", "found", "recall", "recall_low", "recall_high")
CONFUSION_COLUMNS = ("label", "label_name", "answer", "answer_name", "count")
NAMES = "labels.txt"  # beside a dataset or a model: one name a line, in the order of the classes
LARGEST_NAMES = 1_000_000  # bytes; ImageNet's list has 11 kB
LONGEST_NAME = 200  # characters


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


def read_classes(folder: Path) -> pd.DataFrame | None:
    """classes.csv as a frame with CLASS_COLUMNS, shares counted anew; None where there is none.

    Raises InputError, naming the file, where it does not hold what `write_classes` writes.
    """
    table = _read(folder / CLASSES, {"class": "int64", "name": "str", "support": "int64", "found": "int64"})
    if table is None:
        return None
    numbers, support, hits = (table[key] for key in ("class", "support", "found"))
    if numbers.duplicated().any() or (numbers < 0).any() or (hits < 0).any() or (hits > support).any():
        raise _spoilt(folder / CLASSES, "a class stands in it twice, or its numbers are impossible")
    shares = [
        (hit / n, *wilson(hit, n)) if n else (np.nan,) * 3
        for hit, n in zip(hits.tolist(), support.tolist(), strict=True)
    ]
    recall = dict(zip(CLASS_COLUMNS[4:], np.array(shares, float).reshape(-1, 3).T, strict=True))
    return table[list(CLASS_COLUMNS[:4])].assign(**recall)


def read_confusion(folder: Path) -> pd.DataFrame | None:
    """confusion.csv as a frame with CONFUSION_COLUMNS; None where there is none.

    What the cells of a label lack to its support had no answer (NaN among the scores). Raises InputError, naming the
    file, where it does not hold what `write_classes` writes.
    """
    table = _read(folder / CONFUSION, dict.fromkeys(("label", "answer", "count"), "int64"))
    classes = read_classes(folder) if table is not None else None
    if table is None or classes is None:
        return None
    support, names = (classes.set_index("class")[key] for key in ("support", "name"))
    known = table["label"].isin(support.index) & table["answer"].isin(support.index)
    if not known.all() or (table["count"] < 1).any() or table.duplicated(["label", "answer"]).any():
        raise _spoilt(folder / CONFUSION, f"a cell stands in it twice, counts nothing, or is of no class in {CLASSES}")
    if (table.groupby("label")["count"].sum() > support.reindex(table["label"].unique())).any():
        raise _spoilt(folder / CONFUSION, f"it counts more samples of a label than {CLASSES}")
    named = {f"{side}_name": table[side].map(names) for side in ("label", "answer")}
    return table.assign(**named)[list(CONFUSION_COLUMNS)]


def _read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame | None:
    import pandas as pd

    if not path.is_file():
        return None
    try:
        # A class may be called "NA" or "null", so nothing but a number's absence is missing.
        return pd.read_csv(path, usecols=list(columns), dtype=dict(columns), keep_default_na=False, engine="c")
    except (ValueError, OverflowError, OSError) as error:
        raise _spoilt(path, " ".join(str(error).split())) from error


def _spoilt(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: is no table of classes: {why}", remedy="delete it, or restore it as benchbench wrote it"
    )
