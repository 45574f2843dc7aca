"""Series of trials as files: a small one a trial while a run goes on, one of all when it has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchbench.run_folder.names import file_name
from benchbench.values.atomic import atomic
from benchbench.values.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "series"
ColumnType = Literal["text", "whole", "wholes", "numbers"]


@dataclass(frozen=True, slots=True)
class SeriesFiles:
    """The files of one kind of series: where they are below a run folder, and their columns, `trial` among them."""

    whole: str  # the file of all trials
    single: str  # the folder of those of one
    columns: Mapping[str, ColumnType]
    content: str  # in words, for who is to delete a file that is damaged

    def write(self, run: Path, trial: str, columns: Mapping[str, Sequence[object]]) -> None:
        """On the disk, in a file of its own, when this returns; one of the same trial is replaced."""
        import pyarrow as pa

        place = run / self.single
        place.mkdir(parents=True, exist_ok=True)
        _write(place / file_name(trial, ".parquet"), pa.table(dict(columns), self._schema()))

    def tables(self, run: Path) -> Iterator[tuple[Path, Any]]:
        """The tables that are there, the newest last. Raises InputError, naming the file and the remedy."""
        for path in (run / self.whole, *self._single(run)):  # one of its own is newer
            if path.exists():
                yield path, self._table(path)

    def compact(self, run: Path) -> None:
        """One file instead of many. A file that cannot be read stays as it is, for `tables` to name.

        Ended at any point this can be done again: the one file is whole before the others go.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        tables = {}
        for path in self._single(run):
            with suppress(InputError):
                tables[path] = self._table(path)
        if not tables:
            return
        together, whole = pa.concat_tables(tables.values()), run / self.whole
        if whole.exists():
            try:
                older = self._table(whole)
            except InputError:
                return
            newer = pc.is_in(older["trial"], value_set=together["trial"].combine_chunks())
            together = pa.concat_tables([older.filter(pc.invert(newer)), together])
        _write(whole, together.combine_chunks())
        for path in tables:
            path.unlink()

    def damaged(self, path: Path, why: str) -> InputError:
        return InputError(f"{path}: cannot be read: {why}", remedy=f"delete it: it has {self.content}, no more")

    def _single(self, run: Path) -> list[Path]:
        """Files of all trials may lie beside those of one, and begin like no trial."""
        return sorted(path for path in (run / self.single).glob("*.parquet") if path.name not in WHOLES)

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        types = {
            "text": pa.string(),
            "whole": pa.int64(),
            "wholes": pa.list_(pa.int64()),
            "numbers": pa.list_(pa.float64()),
        }
        return pa.schema({name: types[kind] for name, kind in self.columns.items()})

    def _table(self, path: Path) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(path).read(use_threads=False).select(list(self.columns)).cast(self._schema())
        except (pa.ArrowException, KeyError, OSError) as error:
            raise self.damaged(path, " ".join(str(error).split())[:200]) from error


def _write(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq

    # Without what Arrow would add to each file, which is more than a launch.
    small = {"use_dictionary": False, "write_statistics": False, "store_schema": False, "compression": "zstd"}
    with atomic(path) as file:
        pq.write_table(table, file, **small)


_WHOLES: dict[str, ColumnType] = dict.fromkeys(("number", "time_ns", "bin", "bin_count"), "wholes")
_TEXTS: dict[str, ColumnType] = dict.fromkeys(("trial", "began", "quantity", "sensor"), "text")
_NUMBERS: dict[str, ColumnType] = dict.fromkeys(("second", "value"), "numbers")
INFERENCES = SeriesFiles(
    f"{FOLDER}/inferences.parquet",
    FOLDER,
    {"trial": "text", "inferences": "whole", **_WHOLES},
    "times of single inferences",
)
CONDITIONS = SeriesFiles(
    f"{FOLDER}/conditions.parquet",
    f"{FOLDER}/conditions",
    {**_TEXTS, **_NUMBERS},
    "what sensors told during trials",
)
WHOLES = frozenset(Path(files.whole).name for files in (INFERENCES, CONDITIONS))


def compact_all(run: Path) -> None:
    """Each kind of series in one file."""
    for files in (INFERENCES, CONDITIONS):
        files.compact(run)
    with suppress(OSError):  # not there, or what cannot be read is in it
        (run / CONDITIONS.single).rmdir()
