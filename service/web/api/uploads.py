"""A body too large for memory, taken into a file: its bytes are counted as they come, and only from who may send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import Request

from service.web.dependencies import Dependencies
from service.web.limits import MOST_TABLE_BYTES
from service.web.problems import Refused

_NAME = "table"


async def uploaded_table(request: Request, web: Dependencies) -> AsyncIterator[Path]:
    """The body as a file, which is gone after the answer: of so many at once the disk has room."""
    with web.uploads.one(), TemporaryDirectory(prefix="driftbell-table-") as folder:
        path, count = Path(folder) / _NAME, 0
        with path.open("wb") as file:
            async for part in request.stream():
                count += len(part)
                if count > MOST_TABLE_BYTES:
                    raise Refused(413, f"a table may have {MOST_TABLE_BYTES} bytes")
                file.write(part)
        if not count:
            raise Refused(422, "no table was sent; send the bytes of a CSV or Parquet file as the body")
        yield path
