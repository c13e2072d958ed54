"""Debian's PostgreSQL on a TCP port, which lets nobody in without TLS and a password (the wheel's has no TLS)."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

from service.embedded.broker import free_port
from service.embedded.kept import KeptProcess
from tests.servers.requirements import require_or_skip

if TYPE_CHECKING:
    from types import TracebackType

USER, PASSWORD, HOST = "driftbell", "correct-horse", "db.driftbell.test"
INSTALL = "apt-get install -y postgresql"
RULES = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


def debian_binaries() -> Path | None:
    """The folder of the newest PostgreSQL's programs that Debian has here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class TlsPostgres:
    """A server of the host name `db.driftbell.test`; `show` gives it another certificate while it runs."""

    def __init__(self, folder: Path, certificate: Path | None) -> None:
        binaries = debian_binaries()
        require_or_skip(binaries, "a PostgreSQL with TLS", INSTALL)
        self._binaries = binaries or Path()
        self._folder = folder
        self._data = folder / "data"
        self._shown = folder / "shown.pem"
        self._certificate = certificate
        self._server: KeptProcess | None = None
        self._by_socket = f"host={self._data} user=postgres dbname=postgres port="
        self.port = free_port()

    def url(self, host: str = HOST, **options: object) -> str:
        """The URL of the database by this host name, which need not resolve."""
        asked = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql://{USER}:{PASSWORD}@{host}:{self.port}/postgres?hostaddr=127.0.0.1{asked}"

    def show(self, certificate: Path) -> None:
        """Show this certificate to everybody who connects from now on."""
        shutil.copyfile(certificate, self._shown)
        self._as_superuser("select pg_reload_conf()")
        self._as_superuser("select pg_sleep(0.3)")  # the postmaster reads it when it gets its signal

    def __enter__(self) -> Self:
        self._data.mkdir(parents=True, mode=0o700)
        _give_to_nobody(self._data)
        assert (
            self._run("initdb", "-D", str(self._data), "-U", "postgres", "-E", "UTF8", "--no-sync").wait()
            == 0
        )
        (self._data / "pg_hba.conf").write_text(RULES)
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self._data)
        }  # fmt: skip
        if self._certificate is not None:
            self._shown.touch(0o600)
            shutil.copyfile(self._certificate, self._shown)
            _give_to_nobody(self._shown)
            settings |= {"ssl": "on", "ssl_cert_file": str(self._shown), "ssl_key_file": str(self._shown)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._server = self._run("postgres", "-D", str(self._data), *options)
        self._server.wait_until(self._answers, 60.0, "PostgreSQL with TLS")
        self._as_superuser(f"create role {USER} superuser login password '{PASSWORD}'")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()

    def _run(self, program: str, *arguments: str) -> KeptProcess:
        return KeptProcess(
            [str(self._binaries / program), *arguments],
            self._folder / "tls-postgres.log",
            stop_signal=signal.SIGQUIT,
            grace_seconds=10.0,
            refuses_root=True,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )

    def _answers(self) -> bool:
        try:
            self._as_superuser("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def _as_superuser(self, statement: str) -> None:
        with psycopg.connect(f"{self._by_socket}{self.port}", autocommit=True) as connection:
            connection.execute(statement.encode())


def _give_to_nobody(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, pwd.getpwnam("nobody").pw_uid)
