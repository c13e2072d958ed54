"""Opens a table, CSV or Parquet, as record batches in bounded memory."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from service.errors import ConfigurationError
from service.reference.csv_file import CsvFile
from service.reference.parquet_file import ParquetFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PARQUET_MAGIC = b"PAR1"
_PARQUET_SUFFIXES = {".parquet", ".pq"}


class TableFile(Protocol):
    """An open table. The builder reads it once, from start to end, on one thread.

    `texts_only`: all cells are texts, from which the columns' kinds are yet to be inferred.
    `done` of `total` (bytes or rows) says how far the reading is; every method may raise ConfigurationError.
    """

    texts_only: bool
    names: list[str]
    total: int

    @property
    def done(self) -> int:
        """How far the reading is."""

    def batches(self, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """All rows in order; column number p of the file is called c<p>."""

    def close(self) -> None:
        """Let go of the file."""


def open_table(path: Path) -> TableFile:
    """Open a file by what it holds, not by what it is called. Raises ConfigurationError."""
    if not path.is_file():
        raise ConfigurationError(_no_file(path))
    try:
        with path.open("rb") as file:
            magic = file.read(len(_PARQUET_MAGIC))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    is_parquet = magic == _PARQUET_MAGIC or path.suffix.lower() in _PARQUET_SUFFIXES
    return ParquetFile(path) if is_parquet else CsvFile(path)


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a CSV or Parquet file"
    if not path.parent.is_dir():
        return f"there is no file {path}, nor a folder {path.parent}"
    near = get_close_matches(path.name, [one.name for one in path.parent.iterdir()], 1)
    return f"there is no file {path}" + (f"; did you mean {path.parent / near[0]}?" if near else "")


def split_head(
    batches: Iterator[pa.RecordBatch], rows: int, size: int
) -> tuple[pa.Table | None, Iterator[pa.RecordBatch]]:
    """The first `rows` rows or `size` bytes as a table (None without rows), and an iterator of the rest."""
    head: list[pa.RecordBatch] = []
    taken, held = 0, 0
    rest: list[pa.RecordBatch] = []
    for batch in batches:
        head.append(batch.slice(0, rows - taken))
        taken += head[-1].num_rows
        held += batch.nbytes
        if head[-1].num_rows < batch.num_rows:
            rest.append(batch.slice(head[-1].num_rows))
        if taken >= rows or held >= size:
            break
    return (pa.Table.from_batches(head) if taken else None), chain(rest, batches)
