"""A Parquet file as record batches of its own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BATCH_ROWS = 2**15


class ParquetFile:
    """An open Parquet file. `total` and `done` count rows."""

    texts_only = False

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise ConfigurationError(
                f"{path} is not a Parquet file, or it is cut or damaged: {error}"
            ) from error
        self.names = list(self._file.schema_arrow.names)
        self.total = int(self._file.metadata.num_rows)
        self.done = 0
        if self.total == 0:
            raise ConfigurationError(f"{path} has columns but no rows")

    def batches(self, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """All rows in order, with the columns at these places."""
        wanted = [self.names[place] for place in places]
        try:
            for batch in self._file.iter_batches(_BATCH_ROWS, columns=wanted):
                self.done += batch.num_rows
                columns = [batch.column(batch.schema.names.index(name)) for name in wanted]
                yield pa.RecordBatch.from_arrays(columns, names=[f"c{place}" for place in places])
        except (pa.ArrowException, OSError) as error:
            raise ConfigurationError(f"{self._path} cannot be read to its end: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()
