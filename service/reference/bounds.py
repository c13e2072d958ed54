"""Tables that come from elsewhere: what is small on the wire must be small in memory, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

MOST_ROWS = 5_000_000
MOST_BYTES = 2**29
_PARQUET, _COMPRESSED = b"PAR1", (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


def refuse_bomb(path: Path) -> None:
    """Raise ConfigurationError for a table that is compressed as a whole, or says that it is far larger inside."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_COMPRESSED):
        raise ConfigurationError("the table is compressed; send it as plain CSV, or as Parquet")
    if start == _PARQUET:
        _refuse_large(path)


def _refuse_large(path: Path) -> None:
    try:
        about = parquet.read_metadata(path)
    except (pa.ArrowException, OSError) as why:
        raise ConfigurationError(f"the table is not Parquet, or it is cut or damaged: {why}") from why
    size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    if about.num_rows > MOST_ROWS or size > MOST_BYTES:
        raise ConfigurationError(
            f"the table has {about.num_rows:,} rows of {size:,} bytes; send {MOST_ROWS:,} rows of {MOST_BYTES:,} bytes "
            "at most, or build the reference with `driftbell reference build`"
        )
