"""Every secret setting holds a canary; then all roles run, fail and crash, and no canary is heard anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from click.testing import CliRunner

from service.cli.main import main
from service.monitor import Monitor, WindowSpec
from service.settings import SETTINGS
from tests.flow.stack import Stack, free_port, running
from tests.servers.fixtures import Broker

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

CANARY = "tweety-"
SECRETS = [setting.name.removeprefix("DRIFTBELL_") for setting in SETTINGS if setting.is_secret]


def canary(name: str) -> str:
    """The secret of this setting: a word that stands nowhere else."""
    return f"{CANARY}{name.lower().replace('_', '-')}-7c1e"


def canaries(database: str) -> dict[str, str]:
    """Every secret setting; where a URL is wanted, one that holds a canary."""
    by_name = {name: canary(name) for name in SECRETS}
    by_name["DATABASE_URL"] = database.replace("postgres@", f"postgres:{canary('DATABASE_URL')}@")
    for name in ("ALERT_WEBHOOK_URL", "ALERTMANAGER_URL"):
        by_name[name] = f"http://127.0.0.1:{free_port()}/hooks/{canary(name)}"
    return by_name


@pytest.fixture
def stack(database: str, embedded_broker: Broker, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose processes log everything."""
    topic = embedded_broker.new_topic(1)
    made = Stack(database, embedded_broker.bootstrap_servers, topic, tmp_path)
    windows = (WindowSpec.tumbling(2_000),)
    made.prepare([Monitor("m", pane_ms=1_000, windows=windows, silence_after_ms=3_000, idle_after_ms=5_000)])
    made.settings = canaries(database) | {"LOG_LEVEL": "debug", "LOG_FORMAT": "text"}
    made.broker = embedded_broker  # type: ignore[attr-defined]
    with running(made):
        yield made


def heard(text: str) -> list[str]:
    """The canaries in a text, with what is around them."""
    return [text[max(0, at - 200) : at + 40] for at in range(len(text)) if text.startswith(CANARY, at)]


def send(stack: Any) -> None:
    """A few events, half of which nobody can read."""
    now_ms = time.time_ns() // 1_000_000
    good = [
        {
            "type": "prediction",
            "model": "m",
            "id": f"{i}",
            "ts": now_ms - 9_000 + i * 20,
            "features": {"x": 1},
        }
        for i in range(300)
    ]
    stack.broker.topics.produce(
        stack.topic, [*(json.dumps(one).encode() for one in good), *[b"no json"] * 30]
    )


def answers(stack: Stack) -> str:
    """All that the web says, errors included."""
    document = json.loads(answer(stack, "/openapi.json"))
    listed = [path for path, verbs in document["paths"].items() if "get" in verbs and "{" not in path]
    others = ["/", "/login", "/metrics", "/healthz", "/readyz", "/none", "/api/v1/models/m", "/?limit=x"]
    assert len(listed) >= 6
    tokens = [None, canary("METRICS_TOKEN"), "db_wrong"]
    return json.dumps(document) + "".join(
        answer(stack, path, t) for path in [*listed, *others] for t in tokens
    )


def answer(stack: Stack, path: str, token: str | None = None) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{stack.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as got:
            return f"{got.headers}{got.read().decode()}" if path != "/openapi.json" else got.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return f"{refused.headers}{refused.read().decode()}"


def stored(stack: Stack) -> str:
    """Every row of every table, as text."""
    tables = stack.rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    return "".join(str(stack.rows(f'SELECT t::text FROM "{name}" t')) for (name,) in tables)


def said_by(stack: Stack, *command: str, **changes: str) -> str:
    """All that a command says that cannot go on."""
    with_changes = {f"DRIFTBELL_{name}": text for name, text in changes.items()}
    ended = subprocess.run(
        [sys.executable, "-m", "service", *command], env=stack.environment() | with_changes,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode != 0
    return ended.stdout


def test_every_secret_is_in_the_test() -> None:
    assert set(SECRETS) >= {
        "DATABASE_URL",
        "DATABASE_PASSWORD",
        "KAFKA_SASL_PASSWORD",
        "ALERT_WEBHOOK_URL",
        "ALERTMANAGER_URL",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_canary_is_heard_when_all_roles_work(stack: Stack, form: str) -> None:
    stack.settings["LOG_FORMAT"] = form
    send(stack)
    stack.start("run")
    stack.wait_until(lambda: sum(stack.consumed().values()) == 330, "all is read")
    stack.wait_until(
        lambda: stack.rows("SELECT 1 FROM alert"), "an alert goes to a webhook that is not there"
    )
    stack.wait_until(lambda: "webhook" in stack.logs(), "the log says that the webhook does not answer")
    said = answers(stack)
    stack.end()
    assert heard(said) == []
    assert heard(stored(stack)) == []
    assert heard(stack.logs()) == []
    assert len(stack.logs()) > 200


@pytest.mark.parametrize(
    ("client", "protocol"),
    [("kafka-python", "SASL_PLAINTEXT"), ("confluent", "SASL_PLAINTEXT"), ("confluent", "SASL_SSL")],
)  # kafka-python waits for ever for a server that answers no handshake; `test_kafka_over_tls` has one that does
def test_no_canary_is_heard_when_passwords_are_wrong(stack: Stack, client: str, protocol: str) -> None:
    sasl = {"KAFKA_CLIENT": client, "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me"}
    stack.settings |= sasl | {"KAFKA_SECURITY_PROTOCOL": protocol}
    collector = stack.start("collect")
    deadline = time.monotonic() + 60
    while "kafka" not in stack.logs().lower() and time.monotonic() < deadline:
        time.sleep(0.2)
    collector.kill()
    assert "kafka" in stack.logs().lower()
    assert heard(stack.logs()) == []


@pytest.mark.parametrize("command", ["migrate", "collect", "evaluate", "serve", "run"])
def test_no_canary_is_heard_when_the_database_refuses_us(stack: Stack, command: str) -> None:
    url = f"postgresql://nobody:{canary('DATABASE_URL')}@/none?host={urlsplit(stack.database).query[5:]}"
    said = said_by(stack, command, DATABASE_URL=url)
    assert "does not let us in" in said
    assert heard(said) == []


def test_no_canary_is_heard_in_a_crash_with_a_traceback(stack: Stack) -> None:
    program = (
        "from service import runner\n"
        "from service.settings import load_from_environment\n"
        "settings = load_from_environment()\n"
        "runner.set_up_logging(settings)\n"
        "raise RuntimeError(f'{settings} {settings.database.url} {settings.kafka.security.sasl_password}')\n"
    )
    crashed = subprocess.run(
        [sys.executable, "-c", program], env=stack.environment(), capture_output=True, text=True, check=False
    )
    assert crashed.returncode == 1
    assert "RuntimeError" in crashed.stderr
    assert "***" in crashed.stderr
    assert heard(crashed.stdout + crashed.stderr) == []


def test_no_canary_is_heard_in_mistakes_in_the_settings(stack: Stack) -> None:
    wrong = {name: f"{canary(name)} \n\x01" for name in SECRETS} | {
        f"{name}_FILE": "/none" for name in SECRETS
    }
    said = said_by(stack, "evaluate", **wrong, PORT="x")
    assert "are both set; keep one" in said
    assert heard(said) == []


def test_no_canary_is_heard_in_help_or_in_the_list_of_settings(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in stack.environment().items():
        monkeypatch.setenv(name, text)
    for command in [["settings"], ["--help"], *([name, "--help"] for name in main.list_commands(None))]:  # type: ignore[arg-type]
        said = CliRunner().invoke(main, command)
        assert said.exit_code == 0
        assert heard(said.output) == []


def test_the_database_password_that_was_wrong_is_not_kept_in_the_server_either(stack: Stack) -> None:
    with psycopg.connect(stack.database) as connection:
        activity = connection.execute("SELECT string_agg(a::text, ' ') FROM pg_stat_activity a").fetchone()
    assert heard(str(activity)) == []
    assert os.environ.get("DRIFTBELL_DATABASE_PASSWORD") is None
