"""`driftbell top`: what somebody sees who is awake at night, in any terminal, in a pipe, and without a database."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.embedded import EmbeddedPostgres
from service.monitor import HOUR_MS, MINUTE_MS
from service.opening import now_ms
from service.store.engine import transaction
from service.store.partitions import ensure_partitions
from tests.web.seeding import (
    HOSTILE_NAMES,
    add_alert,
    add_dead_letter,
    add_grid,
    add_model,
    add_pane,
    add_partition,
    add_scored,
)

pytestmark = pytest.mark.postgres

SCREEN_ON, SCREEN_OFF, CURSOR_ON = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"
INCIDENT = "i-5c0e8f1a2b3c4d5e"


@pytest.fixture
def url(engine: Engine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def seeded(engine: Engine) -> None:
    """One model that pages, one that is well, and one whose name is hostile; a halted partition."""
    now = now_ms()
    ensure_partitions(engine, now - HOUR_MS, now)
    end_ms = now // (5 * MINUTE_MS) * 5 * MINUTE_MS
    with transaction(engine) as connection:
        add_grid(connection)
        for name in ("churn", "well", HOSTILE_NAMES[2]):
            add_model(connection, name)
            add_pane(connection, name, now - 12_000)
        add_scored(connection, "churn", end_ms, {"amount": 3.5})
        add_scored(connection, "well", end_ms, {"amount": 0.2})
        add_alert(connection, "a", "churn", incident=INCIDENT, since_ms=now - HOUR_MS, fired_ms=now - HOUR_MS,
                  summary="churn: weight is 2.2046 times as large")  # fmt: skip
        add_partition(connection, "inference-log", 3, lag=1_234, halted="its id differs")
        add_dead_letter(connection, 7)


def run(url: str, *arguments: str, charset: str = "utf-8", **environment: str) -> Result:
    runner = CliRunner(charset, env={"DRIFTBELL_DATABASE_URL": url, **environment})
    return runner.invoke(main, ["top", *arguments])


@pytest.mark.usefixtures("seeded")
def test_one_look_has_models_incidents_and_pipeline_the_worst_first(url: str) -> None:
    done = run(url, "--once", COLUMNS="140")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "1 alert" in lines[0]
    states = [line.split()[0] for line in lines[2:5]]
    assert states[0] == "Alert"
    assert lines[2].split()[1] == "churn"
    assert "350 %" in lines[2]
    assert re.search(rf"{INCIDENT} page for 1h  churn: weight is 2.2046 times as large", done.stdout)
    assert (
        "1 halted of 1 partition, 1,234 records behind, 1 dead letter in the last hour (1 bad_json)"
        in done.stdout
    )
    assert "HALTED inference-log 3: its id differs" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.usefixtures("seeded")
def test_a_part_of_the_name_chooses_models_and_their_incidents(url: str) -> None:
    shown = run(url, "--once", "--model", "WEL").stdout
    assert "well" in shown
    assert "churn" not in shown


@pytest.mark.usefixtures("seeded")
def test_a_part_that_no_name_has_is_said_to_be_so(url: str) -> None:
    shown = run(url, "--once", "--model", "zzz")
    assert shown.exit_code == 0
    assert "no model's name holds 'zzz'" in shown.stdout.splitlines()[0]
    assert json.loads(run(url, "--json", "--model", "zzz").stdout)["models"] == []


@pytest.mark.usefixtures("seeded")
def test_programs_get_what_the_overview_tells_and_the_pipeline(url: str) -> None:
    told = json.loads(run(url, "--json").stdout)
    assert told["models"][0]["model"] == "churn"
    assert [one["id"] for one in told["models"][0]["worst_incidents"]] == [INCIDENT]
    assert [one for one in told["models"][0]["spark"]["percents"] if one is not None] == [350]
    assert [one["id"] for one in told["incidents"]] == [INCIDENT]
    assert told["pipeline"] == {
        "partitions": 1, "lag": 1_234, "dead_letters": {"bad_json": 1},
        "halted": [{"topic": "inference-log", "partition": 3, "why": "its id differs"}],
    }  # fmt: skip


def test_a_terminal_with_few_signs_shows_a_look_too(url: str, engine: Engine) -> None:
    with transaction(engine) as connection:
        add_grid(connection)
        for name in ("customer_lifetime_value" * 3, "漢字"):
            add_model(connection, name)
            add_alert(
                connection, name, name, incident=name, summary=f"{name}: " + "it is not as it was, " * 9
            )
    shown = run(url, "--once", charset="latin-1", COLUMNS="90")
    assert shown.exit_code == 0, shown.exception
    assert "customer_lifetime_value" in shown.stdout
    assert "2 alert" in shown.stdout


def test_a_database_without_models_says_so(url: str) -> None:
    assert "no models" in run(url, "--once").stdout
    assert "0 halted of 0 partitions, nobody reads" in run(url, "--once").stdout


def test_without_a_database_it_is_one_sentence() -> None:
    failed = run("postgresql://me:secret@127.0.0.1:1/bell", "--once")
    assert failed.exit_code == 3
    assert failed.stderr.startswith("driftbell: the database bell at 127.0.0.1 does not answer")
    assert failed.stderr.count("\n") == 1


# ---------------------------------------------------------------- a terminal
class Seat:
    """Somebody at a terminal in which the command runs."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.seen = b""
        self._terminal = terminal

    def wait_for(self, text: str, seconds: float = 30.0) -> None:
        """Read until the text has been shown."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._read(0.2)

    def press(self, key: bytes) -> None:
        os.write(self._terminal, key)

    def end(self) -> int:
        """The exit code; what comes until then is read."""
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.1)
        code = self.process.wait(1)
        self._read(0.1)
        return code

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self._terminal)

    def _read(self, seconds: float) -> None:
        if select.select([self._terminal], [], [], seconds)[0]:
            try:
                self.seen += os.read(self._terminal, 65_536)
            except OSError:  # nobody holds the other end any more
                time.sleep(seconds)


@contextmanager
def seated(
    url: str, *arguments: str, rows: int = 30, columns: int = 120, **environment: str
) -> Iterator[Seat]:
    terminal, inside = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    own = {"DRIFTBELL_DATABASE_URL": url, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "top", "--every", "0.3", *arguments],
        stdin=inside, stdout=inside, stderr=inside, env=kept | own | environment, start_new_session=True,
    )  # fmt: skip
    try:
        yield Seat(terminal, process)
    finally:
        process.kill()
        process.wait()
        os.close(inside)
        os.close(terminal)


@pytest.mark.usefixtures("seeded")
def test_q_ends_it_and_gives_the_terminal_back(url: str) -> None:
    with seated(url) as seat:
        before = seat.modes()
        seat.wait_for("q ends it")
        assert seat.modes() != before, "keys come one by one"
        seat.press(b"x")
        seat.press(b"q")
        assert seat.end() == 0
        assert seat.modes() == before
        assert seat.seen.index(SCREEN_ON) < seat.seen.index(SCREEN_OFF)
        assert CURSOR_ON in seat.seen[seat.seen.index(SCREEN_OFF) - 20 :]
        assert b"\x1b[31m" in seat.seen or b"\x1b[1;31m" in seat.seen


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_too(url: str, number: signal.Signals) -> None:
    with seated(url) as seat:
        seat.wait_for("q ends it")
        seat.process.send_signal(number)
        assert seat.end() == 0
        assert SCREEN_OFF in seat.seen


@pytest.mark.usefixtures("seeded")
def test_it_is_drawn_anew(url: str, engine: Engine) -> None:
    with seated(url) as seat:
        seat.wait_for("q ends it")
        with transaction(engine) as connection:
            add_alert(connection, "b", "well", incident="i-new", summary="well: it began to drift")
        seat.wait_for("it began to drift")


@pytest.mark.usefixtures("seeded")
def test_without_colours_the_words_remain(url: str) -> None:
    with seated(url, NO_COLOR="1") as seat:
        seat.wait_for("q ends it")
        assert b"Alert" in seat.seen
        assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", seat.seen)


@contextmanager
def closed(server: EmbeddedPostgres, engine: Engine) -> Iterator[None]:
    """The database takes nobody in, and throws out who is in it."""
    name = engine.url.database
    engine.dispose()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"alter database {name} with allow_connections false")  # type: ignore[arg-type]
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(f"alter database {name} with allow_connections true")  # type: ignore[arg-type]


@pytest.mark.usefixtures("seeded")
def test_a_database_that_goes_away_is_said_above_what_was_seen_last(
    url: str, engine: Engine, postgres_server: EmbeddedPostgres
) -> None:
    with seated(url) as seat:
        seat.wait_for("q ends it")
        with closed(postgres_server, engine):
            seat.wait_for("NOT LIVE")
            seat.seen = b""
            seat.wait_for("NOT LIVE")
            seat.wait_for("churn")
        seat.seen = b""
        seat.wait_for("q ends it")
        seat.press(b"q")
        assert seat.end() == 0


@pytest.mark.usefixtures("seeded")
def test_a_pipe_gets_one_look_below_the_other_until_a_signal(url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "service", "top", "--every", "0.2"],
        env=os.environ | {"DRIFTBELL_DATABASE_URL": url}, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        seen = [next(line for line in process.stdout if line.startswith(b"driftbell")) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(30) == 0
        assert len(seen) == 2
        assert b"\x1b" not in rest
