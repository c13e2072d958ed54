"""`driftbell doctor` says of everything how it is, what is wrong last, and keeps secrets to itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.doctor.check import Check, failure
from service.embedded.broker import free_port
from service.monitor import Monitor
from service.reference.profile import profile_from_bytes
from service.store.configuration import StoredReference, apply_monitors, store_reference
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.profiles import to_be_stored
from tests.servers.fixtures import Broker
from tests.web.seeding import HOSTILE_NAMES, add_dead_letter, add_partition

pytestmark = pytest.mark.postgres

CANARY = "tweety-7c1e"
A_LINE = re.compile(r"((ok|warning|failure|not checked) +\S+.*: .+|    .+|\d+ to look at, the worst last:|)")


@pytest.fixture
def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", database)
    made = connect(database)
    migrate(made)
    yield made
    made.dispose()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments], catch_exceptions=False)


def found() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(run("--json").output)["checks"]}


def apply(engine: Engine, *monitors: Monitor) -> None:
    apply_monitors(engine, monitors, [], time.time_ns() // 1_000_000)


def test_a_deployment_without_references_is_a_warning_with_what_to_do(engine: Engine) -> None:
    apply(engine, Monitor("churn"))
    result = run()
    lines = result.output.splitlines()
    assert result.exit_code == 1
    assert lines[0] == "ok          settings: 1 setting given, and all can be used"
    assert "ok          monitor churn: it can be read" in lines
    assert "not checked broker: none is named here; only collectors need one" in lines
    assert lines[-3] == "1 to look at, the worst last:"
    assert (
        lines[-2]
        == "warning     reference of churn: there is none: events are held against their own past only"
    )
    assert lines[-1].startswith("    `driftbell reference build --model churn`")


@pytest.mark.parametrize(("charset", "mark"), [("utf-8", "✓"), ("latin-1", "ok         ")])
def test_a_terminal_gets_a_mark_where_it_has_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, charset: str, mark: str
) -> None:
    apply(engine, Monitor("churn"), Monitor("漢字"))
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", CliRunner(charset).invoke(main, ["doctor"]).stdout)
    assert f"{mark} monitor churn: it can be read" in shown.splitlines()
    assert shown.splitlines()[-1].startswith("    `driftbell reference build --model")


@pytest.mark.kafka
def test_partitions_and_topics_are_held_against_each_other(
    engine: Engine, embedded_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = embedded_broker.new_topic(2)
    monkeypatch.setenv("DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS", embedded_broker.bootstrap_servers)
    monkeypatch.setenv("DRIFTBELL_KAFKA_TOPICS", f"{topic},none")
    with transaction(engine) as connection:
        add_partition(connection, topic, 0, owner="host-1:7", lag=0)
    checks = found()
    assert checks["broker"]["condition"] == "ok"
    assert checks[f"topic {topic}"]["sentence"] == "2 partitions"
    assert checks["topic none"]["condition"] == checks["collectors of none"]["condition"] == "failure"
    assert checks[f"partition {topic} 1"]["sentence"] == "no collector has claimed it yet"
    assert run().exit_code == 2


def test_a_failure_is_told_as_json_with_its_exit_code(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_partition(connection, "log", 0, halted="a recreated topic")
    result = run("--json")
    document = json.loads(result.output)
    assert (result.exit_code, document["exit_code"]) == (2, 2)
    halted = next(one for one in document["checks"] if one["name"] == "partition log 0")
    assert halted == {
        "name": "partition log 0",
        "condition": "failure",
        "sentence": "it is halted: a recreated topic",
        "advice": "find out why, then `driftbell partitions resume log` (runbook DriftbellPartitionHalted)",
    }


def test_settings_that_are_wrong_do_not_stop_the_other_checks(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(engine, Monitor("churn"))
    monkeypatch.setenv("DRIFTBELL_PROT", "8765")
    checks = found()
    assert checks["settings"]["advice"] == "did you mean DRIFTBELL_PORT?"
    assert checks["monitor churn"]["condition"] == "ok"


def test_dead_letters_of_the_last_hour_are_told_by_reason(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_dead_letter(connection, 1)
    check = found()["dead letters"]
    assert check["condition"] == "warning"
    assert check["sentence"] == "1 in the last hour beside 0 accepted: 1 bad_json"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_one_line_and_no_markup(engine: Engine, name: str) -> None:
    apply(engine, Monitor(f"[red]{name}"))
    output = run().output
    assert "monitor [red]" in output
    assert [
        line for line in output.splitlines() if not A_LINE.fullmatch(line) or not line.isprintable()
    ] == []


def test_no_secret_is_said_whatever_fails(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "DATABASE_URL": f"postgresql://nobody:{CANARY}@127.0.0.1:{free_port()}/none",
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "KAFKA_TOPICS": "log",
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "me",
        "KAFKA_SASL_PASSWORD": CANARY,
        "ALERT_WEBHOOK_URL": f"https://hooks.example.com/{CANARY}",
        "METRICS_TOKEN": f"{CANARY} \n\x01",
    }
    for name, text in values.items():
        monkeypatch.setenv(f"DRIFTBELL_{name}", text)
    for arguments in ([], ["--json"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert CANARY not in result.output + result.stderr
        assert "METRICS_TOKEN cannot be used" in result.output
        assert "Kafka is away" in result.output


def test_what_a_server_repeats_of_a_secret_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_PASSWORD", CANARY)

    class Talkative:
        def run(self) -> list[Check]:
            return [failure("database", f"refused: {CANARY}", f"do not send {CANARY}")]

    monkeypatch.setattr("service.cli.doctor.make_examination", lambda _: Talkative())
    assert "failure     database: refused: ***\n    do not send ***\n" in run().output
    assert CANARY not in run().output + run("--json").output


def built(folder: Path, rows: list[str]) -> StoredReference:
    """A reference of a table with these rows."""
    table, out = folder / "train.csv", folder / "churn.profile"
    table.write_text("\n".join(["amount,country", *rows]) + "\n")
    command = ["reference", "build", "--model", "churn", "--data", str(table), "--out", str(out)]
    assert CliRunner().invoke(main, command, catch_exceptions=False).exit_code == 0
    return to_be_stored(profile_from_bytes(out.read_bytes()))


def test_all_is_well_with_a_reference_until_another_is_stored_under_its_name(
    engine: Engine, tmp_path: Path
) -> None:
    first = built(tmp_path, [f"{i},{'DE' if i % 3 else 'FR'}" for i in range(200)])
    apply_monitors(engine, [Monitor("churn", reference="churn")], [first], time.time_ns() // 1_000_000)
    result = run()
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "All is well.")
    assert "ok          reference of churn: churn, 200 rows, stored" in result.output

    store_reference(engine, built(tmp_path, [f"{i * 7},FR" for i in range(200)]))
    assert found()["reference of churn"]["advice"] == "`driftbell apply` the monitor again"
