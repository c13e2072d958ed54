"""`driftbell keys`, on a real database, and what it opens when `serve` listens elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.moments import time_at
from service.opening import now_ms
from service.store.engine import connect, transaction
from service.store.keys import ApiKey, Scope, verify_key
from service.store.migrate import migrate

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The database that the command finds."""
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    engine = connect(database)
    migrate(engine)
    return engine


@pytest.fixture(autouse=True)
def disposed(engine: Engine) -> object:
    yield
    engine.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments])


def test_a_key_is_printed_once_and_alone(engine: Engine) -> None:
    made = run("create", "--name", "grafana", "--scope", "read")
    assert made.exit_code == 0, made.output
    assert re.fullmatch(r"db_[0-9a-f]{12}_[\w-]{43}\n", made.stdout)
    assert "not shown again" in made.stderr
    with transaction(engine) as connection:
        key = verify_key(connection, made.stdout.strip(), time_at(now_ms()))
    assert isinstance(key, ApiKey)
    assert (key.name, key.scopes, key.expires_at) == ("grafana", {Scope.READ}, None)
    assert made.stdout.strip()[-43:] not in run("list").output


def test_keys_are_listed_with_their_state() -> None:
    assert "there is no key" in run("list").output
    run("create", "--name", "[red]anna", "--scope", "write", "--expires", "90d")
    gone = run("create", "--name", "left").stdout.split("_")[1]
    assert run("revoke", gone).output == f"{gone} opens nothing any more\n"
    lines = run("list").output.splitlines()
    assert len(lines) == 3
    assert re.search(r"\[red\]anna +write .* never +open until 20", lines[1])
    told = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [(one["name"], one["scopes"], one["last_used_at"]) for one in told] == [
        ("[red]anna", ["write"], None), ("left", ["read"], None),
    ]  # fmt: skip
    assert told[0]["expires_at"] > told[0]["created_at"]
    assert told[0]["revoked_at"] is None
    assert told[1]["state"].startswith("revoked 20")
    assert re.search(rf"{gone} +left +read .* revoked 20", lines[2])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create", "--name", "x", "--expires", "soon"], "--expires is 'soon'; "),
        (["create", "--name", "x", "--expires", "1s"], "--expires is '1s'; write 1m to 3660d"),
        (["create", "--name", ""], "a key's name is 1 to 100 characters that can be printed"),
        (["revoke", "ffffffffffff"], "there is no key 'ffffffffffff'; `driftbell keys list` shows their ids"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    failed = run(*arguments)
    assert failed.exit_code == 2
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1


def test_a_scope_that_does_not_exist_is_said() -> None:
    assert (
        "'root' is not one of 'read', 'write', 'admin'"
        in run("create", "--name", "x", "--scope", "root").stderr
    )


@pytest.mark.parametrize("command", ["create", "list", "revoke"])
def test_the_help_teaches_by_example(command: str) -> None:
    assert f"driftbell keys {command}" in run(command, "--help").output.split("Options:")[0].split("\n", 2)[2]


def test_serve_refuses_to_answer_strangers_for_want_of_a_key() -> None:
    command = [sys.executable, "-m", "service", "serve", "--host", "0.0.0.0", "--port", "1"]
    failed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert failed.returncode == 2
    assert "driftbell: listening on 0.0.0.0 needs a key" in failed.stderr
    assert "driftbell keys create" in failed.stderr
