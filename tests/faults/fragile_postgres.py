"""A PostgreSQL of one test that can be crashed, stopped, started again, and put back to what it was."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

from service.embedded import EmbeddedPostgres

STOP_SECONDS = 30.0


def socket_of(url: str) -> str:
    """The path of the Unix socket that an embedded server's URL names."""
    return f"{conninfo_to_dict(url)['host']}/.s.PGSQL.5432"


class FragilePostgres:
    """Lives in a folder with a short name, so that its socket stays where it is."""

    def __init__(self, folder: Path | None = None) -> None:
        self._own = folder is None
        self._folder = folder or Path(tempfile.mkdtemp(prefix="fragile-"))
        self._server = EmbeddedPostgres(self._folder, throwaway=True)
        self.running = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._own:
            shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        """Where psycopg connects without a proxy."""
        return self._server.url

    def address(self) -> str:
        """What a proxy connects to."""
        return socket_of(self.url)

    def start(self) -> None:
        """Recover from whatever happened, and take connections."""
        self._server.__enter__()
        self.running = True

    def stop(self) -> None:
        """An orderly end, which breaks off transactions."""
        if self.running:
            self._server.__exit__(None, None, None)
            self.running = False

    def crash(self) -> None:
        """`pg_ctl stop -m immediate`: no checkpoint, and the last commits that waited for no disk are lost."""
        status = self._data / "postmaster.pid"
        server = int(status.read_text().split("\n", 1)[0])
        os.kill(server, signal.SIGQUIT)
        deadline = time.monotonic() + STOP_SECONDS
        while Path(f"/proc/{server}").exists():
            assert time.monotonic() < deadline, "PostgreSQL does not stop"
            time.sleep(0.01)
        self.stop()

    def keep_copy(self) -> Path:
        """A copy of the data of a stopped server."""
        assert not self.running
        copy = self._folder / "kept-data"
        subprocess.run(["cp", "-a", str(self._data), str(copy)], check=True)
        return copy

    def put_back(self, copy: Path) -> None:
        """The data of a stopped server becomes what it was."""
        assert not self.running
        shutil.rmtree(self._data)
        subprocess.run(["cp", "-a", str(copy), str(self._data)], check=True)

    @property
    def _data(self) -> Path:
        return self._folder / "postgres-data"
