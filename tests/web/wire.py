"""HTTP by hand, for what no client sends."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.web.serving import Site

WAIT_SECONDS = 30


@contextmanager
def connected(site: Site) -> Iterator[socket.socket]:
    """A connection to the site."""
    place = urlsplit(site.url)
    with socket.create_connection((place.hostname, place.port), WAIT_SECONDS) as connection:
        yield connection


def said(site: Site, *parts: bytes) -> bytes:
    """Everything that is answered to these bytes, until the server closes."""
    with connected(site) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def head(path: str, headers: Mapping[str, str | bytes], method: str = "GET") -> bytes:
    """The head of a request, byte for byte as it is given."""
    lines = [f"{method} {path} HTTP/1.1".encode()]
    lines += [
        name.encode() + b": " + (value.encode() if isinstance(value, str) else value)
        for name, value in headers.items()
    ]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def status_of(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])
