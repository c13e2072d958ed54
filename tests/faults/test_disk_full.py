"""PostgreSQL's disk is full: nobody is ready, nothing restarts, and all goes on by itself when there is room again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from service.embedded import EmbeddedPostgres
from service.wiring import READY_SECONDS
from tests.faults.fragile_postgres import FragilePostgres
from tests.faults.outages import Watched, check_identical, watched
from tests.servers.requirements import require_or_skip

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

MARGIN_SECONDS = 5.0
FULL_SECONDS = 5.0
NOBODY = 65_534
WHOLE_SERVER_MEGABYTES, TABLES_MEGABYTES = 256, 64


@pytest.fixture
def small_disk(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of so many megabytes for the server's user; its name is short, as the server's socket needs."""
    can_mount = sys.platform == "linux" and os.geteuid() == 0
    require_or_skip(can_mount, "the right to mount a small disk", "run the tests as root on Linux")
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(folder)], check=True)
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


class Ballast:
    """A file that leaves no room beside it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def load(self) -> None:
        with self._file.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def drop(self) -> None:
        self._file.unlink()


def check_full(made: Watched, ballast: Ballast) -> None:
    """Not ready in time, and alive all along."""
    ballast.load()
    made.stack.wait_until(lambda: "No space left on device" in made.stack.logs(), "the disk is full")
    made.stack.wait_until(lambda: made.probe("readyz") == 503, "not ready", READY_SECONDS + MARGIN_SECONDS)
    end = time.monotonic() + FULL_SECONDS
    while time.monotonic() < end:
        assert (made.probe("healthz"), made.probe("readyz")) == (200, 503)
        time.sleep(0.5)


@pytest.mark.parametrize("small_disk", [TABLES_MEGABYTES], indirect=True)
def test_full_tables_are_waited_for(
    small_disk: Path, postgres_server: EmbeddedPostgres, embedded_broker: Any, engine: Engine, tmp_path: Path
) -> None:
    """The server runs on, and refuses what would grow a table (53100)."""
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
        connection.execute("CREATE DATABASE small TABLESPACE small")
        try:
            with watched(postgres_server.url_of("small"), embedded_broker, tmp_path) as made:
                ballast = Ballast(small_disk)
                check_full(made, ballast)
                ballast.drop()
                made.wait_for_progress()
                check_identical(made, engine)
                assert made.process.poll() is None
        finally:
            connection.execute("DROP DATABASE small WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


@pytest.mark.parametrize("small_disk", [WHOLE_SERVER_MEGABYTES], indirect=True)
def test_a_server_that_fell_over_its_full_disk_is_waited_for(
    small_disk: Path, embedded_broker: Any, engine: Engine, tmp_path: Path
) -> None:
    """Without room for its journal PostgreSQL ends; who keeps it starts it again when there is room."""
    with FragilePostgres(small_disk) as server, watched(server.url, embedded_broker, tmp_path) as made:
        ballast = Ballast(small_disk)
        check_full(made, ballast)
        server.crash()
        ballast.drop()
        server.start()
        made.wait_for_progress()
        check_identical(made, engine)
        assert made.process.poll() is None
