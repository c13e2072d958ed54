"""Where the lines of a replay go: a file of one JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from service.errors import ConfigurationError
from service.replay import Sink


def opened(out: Path) -> IO[bytes]:
    """The file, empty. Raises ConfigurationError."""
    try:
        return out.open("wb")
    except OSError as why:
        raise ConfigurationError(f"cannot write {out}: {why.strerror}") from why


def writer(lines: IO[bytes]) -> Sink:
    """Writes each line there."""
    encode = msgspec.json.encode

    def write(line: Mapping[str, Any]) -> None:
        lines.write(encode(line) + b"\n")

    return write
