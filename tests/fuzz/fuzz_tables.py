"""Any bytes as a reference file, CSV or Parquet: rows as wide as the header, or a ConfigurationError."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from service.errors import ConfigurationError
from service.reference.table_reader import open_table

MOST_ROWS = 100_000


def one_input(data: bytes) -> None:
    """Write it down, and read all of its columns."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "table"
        path.write_bytes(data)
        with suppress(ConfigurationError):
            read(path)


def read(path: Path) -> None:
    table = open_table(path)
    try:
        assert table.names
        rows = 0
        for batch in table.batches(range(len(table.names))):
            assert batch.num_columns == len(table.names)
            assert 0 <= table.done <= table.total
            rows += batch.num_rows
            if rows > MOST_ROWS:
                return
    finally:
        table.close()
