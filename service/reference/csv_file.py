"""A CSV file as record batches of text: delimiter, header and compression found out, memory bounded.

Every cell is read as text; what a column is, is decided later and from all that is known of it (`cells`).
An empty cell, and an unquoted NA, N/A, NaN, nan, null or NULL is missing; in quotes these words are texts.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv as arrow_csv

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

MISSING_WORDS = ("NA", "N/A", "NaN", "nan", "null", "NULL")
_DELIMITERS = ",;\t|"
_HEAD_BYTES = 2**20
_BLOCK_BYTES = 2**21
_LONGEST_CELL = 2**24
_SNIFFED_LINES = 20
_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class CsvFile:
    """An open CSV file. `total` and `done` count the bytes on disk."""

    texts_only = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.total = path.stat().st_size
        self._delimiter, self._blank_lines, self.names = self._header()

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self.total if self._file is None or self._file.closed else self._file.tell()

    def batches(self, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """All rows in order, with the columns at these places, as texts."""
        self._file = self._path.open("rb", buffering=0)
        names = [f"c{i}" for i in range(len(self.names))]
        wanted = [names[place] for place in places]
        try:
            with _decompressed(self._file) as stream, self._reader(stream, names, wanted) as reader:
                yield from reader
        except (pa.ArrowException, OSError, EOFError) as error:
            raise self._problem(error) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _reader(self, stream: object, names: list[str], wanted: list[str]) -> arrow_csv.CSVStreamingReader:
        return arrow_csv.open_csv(
            stream,
            arrow_csv.ReadOptions(
                column_names=names, skip_rows_after_names=1 + self._blank_lines, block_size=_BLOCK_BYTES
            ),
            arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted,
                strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=["", *MISSING_WORDS],
            ),
        )  # fmt: skip

    def _header(self) -> tuple[str, int, list[str]]:
        try:
            with self._path.open("rb") as file, _decompressed(file) as stream:
                head = bytes(stream.read(_HEAD_BYTES))
        except (pa.ArrowException, OSError) as error:
            raise self._problem(error) from error
        if not head.strip():
            raise ConfigurationError(f"{self._path} is empty: a header and rows are expected")
        if b"\0" in head:
            raise ConfigurationError(f"{self._path} is neither CSV in UTF-8 nor Parquet: it holds zero bytes")
        whole = head.decode("utf-8-sig", "replace")
        text = whole.lstrip("\r\n")
        delimiter = sniff_delimiter(text)
        blank_lines = whole[: len(whole) - len(text)].count("\n")
        return delimiter, blank_lines, next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))

    def _problem(self, error: BaseException) -> ConfigurationError:
        said = str(error)
        if "Expected" in said and "columns, got" in said:
            return ConfigurationError(self._ragged_row() or f"{self._path}: {said}")
        if "UTF8" in said or "UTF-8" in said:
            return ConfigurationError(
                f"{self._path} is not in UTF-8: save it as UTF-8 (it may be Latin-1 or UTF-16)"
            )
        if "straddling" in said:
            return ConfigurationError(
                f"{self._path} has a row of more than {_BLOCK_BYTES} bytes: is a quote left open?"
            )
        if "Empty CSV" in said:
            return ConfigurationError(f"{self._path} has a header but no rows")
        return ConfigurationError(f"{self._path} cannot be read to its end, it may be cut or damaged: {said}")

    def _ragged_row(self) -> str | None:
        """Where the first row is that has more or fewer cells than the header; reads the file again."""
        csv.field_size_limit(_LONGEST_CELL)
        with self._path.open("rb") as file, _decompressed(file) as stream:
            rows = csv.reader(
                io.TextIOWrapper(stream, "utf-8-sig", "replace", newline=""), delimiter=self._delimiter
            )
            start = 1
            for row in rows:
                if row and len(row) != len(self.names):
                    cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
                    return (
                        f"{self._path}, line {start}: {cells} where the header has {len(self.names)} columns"
                    )
                start = rows.line_num + 1
        return None


def sniff_delimiter(text: str) -> str:
    """Of comma, semicolon, tab and bar the one that cuts the first rows into the most, equally many cells."""
    lines = text.splitlines()[:_SNIFFED_LINES]
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(lines[: max(1, len(lines) - 1)], delimiter=delimiter) if row]
        if widths and widths[0] > most and widths.count(widths[0]) * 2 > len(widths):
            best, most = delimiter, widths[0]
    return best


def _decompressed(file: BinaryIO) -> pa.NativeFile:
    """The content of a file that is open at its start; closing it closes the file."""
    start = file.read(4)
    file.seek(0)
    compression = next((name for magic, name in _COMPRESSIONS.items() if start.startswith(magic)), None)
    source = pa.PythonFile(file, "r")
    return pa.CompressedInputStream(source, compression) if compression else source
