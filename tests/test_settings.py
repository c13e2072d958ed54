"""Settings come from the environment alone, all mistakes at once, and secrets stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.kafka_variables import KafkaClient, SaslMechanism, SecurityProtocol
from service.messages import UnknownModels
from service.settings import (
    SETTINGS,
    LogLevel,
    Settings,
    load_from_environment,
    load_settings,
    read_settings,
)


def load(**variables: str) -> Settings:
    """The settings of variables written without their prefix."""
    return load_settings({f"DRIFTBELL_{name}": text for name, text in variables.items()})


def mistakes_of(**variables: str) -> list[str]:
    """The sentences that refuse variables, both without the prefix."""
    with pytest.raises(ConfigurationError) as caught:
        load(**variables)
    return [sentence.replace("DRIFTBELL_", "") for sentence in caught.value.problems]


# ---------------------------------------------------------------- values
def test_nothing_need_be_set() -> None:
    settings = load()
    assert settings == Settings()
    assert (settings.web.host, settings.web.port, settings.web.metrics_port) == ("127.0.0.1", 8765, None)
    assert (settings.kafka.group, settings.kafka.topics) == ("driftbell", ())
    assert settings.collector.unknown_models is UnknownModels.QUARANTINE
    assert settings.retention.results_ms == 90 * 86_400_000
    assert settings.database.url is None


def test_each_variable_reaches_its_field() -> None:
    settings = load(
        DATABASE_URL="postgres://me@localhost/driftbell",
        KAFKA_BOOTSTRAP_SERVERS="k-1:9092, [::1]:9092",
        KAFKA_TOPICS="predictions, labels,,predictions",
        KAFKA_CLIENT="confluent",
        KAFKA_SECURITY_PROTOCOL="sasl_ssl",
        KAFKA_SASL_MECHANISM="SCRAM-SHA-512",
        KAFKA_SASL_USERNAME="me",
        KAFKA_SASL_PASSWORD=" p ",
        COMMIT_RECORDS="1_000",
        COMMIT_INTERVAL="250ms",
        LOG_LEVEL="WARNING",
        METRICS_PORT="0",
    )
    assert settings.database.url == "postgresql://me@localhost/driftbell"
    assert settings.kafka.bootstrap_servers == ("k-1:9092", "[::1]:9092")
    assert settings.kafka.topics == ("predictions", "labels")
    assert settings.kafka.client is KafkaClient.CONFLUENT
    assert settings.kafka.security.protocol is SecurityProtocol.SASL_SSL
    assert settings.kafka.security.sasl_mechanism is SaslMechanism.SCRAM_SHA_512
    assert settings.kafka.security.sasl_password == " p "
    assert (settings.collector.commit_records, settings.collector.commit_interval_ms) == (1_000, 250)
    assert settings.log.level is LogLevel.WARNING
    assert settings.web.metrics_port == 0


def test_an_empty_variable_is_not_set_as_compose_files_leave_it() -> None:
    assert load(PORT="", KAFKA_TOPICS=" ", DATABASE_PASSWORD="", DATABASE_PASSWORD_FILE="") == Settings()


def test_variables_of_others_and_of_the_test_suite_are_left_alone() -> None:
    assert load_settings({"PATH": "/bin", "DRIFTBELL_TEST_KAFKA": "x"}) == Settings()


def test_what_kubernetes_tells_about_a_service_named_driftbell_is_left_alone() -> None:
    links = {
        "PORT": "tcp://10.0.0.7:8765",
        "SERVICE_HOST": "10.0.0.7",
        "SERVICE_PORT_HTTP": "8765",
        "PORT_8765_TCP_ADDR": "10.0.0.7",
        "SERVE_SERVICE_HOST": "10.0.0.8",
        "SERVE_PORT": "tcp://10.0.0.8:8765",
    }
    assert load(**links) == Settings()


def test_this_process_has_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_PORT", "9999")
    assert load_from_environment().web.port == 9999


# ---------------------------------------------------------------- mistakes
@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("PORT", "http", "PORT is 'http'; write a whole number from 0 to 65535"),
        ("PORT", "65536", "PORT is '65536'; write a whole number from 0 to 65535"),
        ("COMMIT_INTERVAL", "1", "COMMIT_INTERVAL is '1'; write a duration such as 5m, 1h or 30s"),
        ("COMMIT_INTERVAL", "2h", "COMMIT_INTERVAL is '2h'; write 10ms to 1m"),
        ("UNKNOWN_MODELS", "quarantene", "UNKNOWN_MODELS is 'quarantene'; did you mean 'quarantine'?"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is 'xml'; write text or json"),
        ("KAFKA_TOPICS", "a b", "KAFKA_TOPICS is 'a b'; write topics of letters, digits, '.', '_' and '-'"),
        ("KAFKA_TOPIC", "a", "KAFKA_TOPIC is no setting; did you mean DRIFTBELL_KAFKA_TOPICS?"),
        ("XYZZY", "a", "XYZZY is no setting; `driftbell settings` lists them all"),
        (
            "KAFKA_SSL_CERT_FILE",
            "c.pem",
            "KAFKA_SSL_KEY_FILE is not set; a certificate and its key go together",
        ),
    ],
)
def test_each_mistake_says_what_to_do(name: str, text: str, sentence: str) -> None:
    assert mistakes_of(**{name: text}) == [sentence.replace("DRIFTBELL_", "")]


def test_a_server_without_a_port_is_told_how_servers_are_written() -> None:
    assert mistakes_of(KAFKA_BOOTSTRAP_SERVERS="kafka") == [
        "KAFKA_BOOTSTRAP_SERVERS is 'kafka'; write servers such as kafka-1:9092,kafka-2:9092"
    ]


def test_all_mistakes_come_at_once() -> None:
    mistakes = mistakes_of(PORT="x", HOSTS="y", LOG_LEVEL="loud", KAFKA_SECURITY_PROTOCOL="SASL_SSL")
    assert mistakes == [
        "HOSTS is no setting; did you mean HOST?",
        "PORT is 'x'; write a whole number from 0 to 65535",
        "LOG_LEVEL is 'loud'; write debug, info, warning or error",
        "KAFKA_SASL_MECHANISM is not set; SASL_SSL needs it",
        "KAFKA_SASL_USERNAME is not set; SASL_SSL needs it",
        "KAFKA_SASL_PASSWORD is not set; SASL_SSL needs it",
    ]


def test_dead_letters_are_not_written_into_a_topic_that_is_read() -> None:
    assert mistakes_of(KAFKA_TOPICS="a,b", DEAD_LETTER_TOPIC="b") == [
        "DEAD_LETTER_TOPIC is 'b', which is read, too; name another topic"
    ]


def test_what_to_label_is_not_written_into_a_topic_that_is_read_nor_without_a_broker() -> None:
    assert mistakes_of(KAFKA_BOOTSTRAP_SERVERS="localhost:9092", KAFKA_TOPICS="a,b", FEEDBACK_TOPIC="b") == [
        "FEEDBACK_TOPIC is 'b', which is read, too; name another topic"
    ]
    assert mistakes_of(FEEDBACK_TOPIC="b") == ["KAFKA_BOOTSTRAP_SERVERS is not set; FEEDBACK_TOPIC needs it"]


def test_what_to_label_is_not_written_among_dead_letters() -> None:
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": "localhost:9092", "KAFKA_TOPICS": "a"}
    assert mistakes_of(**kafka, DEAD_LETTER_TOPIC="c", FEEDBACK_TOPIC="c") == [
        "FEEDBACK_TOPIC is 'c', which dead letters are sent to; name another topic"
    ]
    assert load(**kafka, DEAD_LETTER_TOPIC="c", FEEDBACK_TOPIC="d").kafka.feedback_topic == "d"


# ---------------------------------------------------------------- secrets
def test_secrets_are_not_in_any_repr() -> None:
    settings = load(
        DATABASE_URL="postgresql://me:hush@db/x",
        DATABASE_PASSWORD="hush",
        KAFKA_SASL_PASSWORD="hush",
        ALERT_WEBHOOK_URL="https://hooks/hush",
    )
    assert settings.database.password == "hush"
    assert "hush" not in f"{settings!r} {settings}"


def test_a_mistaken_secret_is_not_shown() -> None:
    written = "postgresql://user@host:5432/name, and in passwords %40 for @, %2F for /, %3F for ?, %23 for #"
    assert mistakes_of(DATABASE_URL="mysql://me:hush@db", ALERT_WEBHOOK_URL="hush") == [
        f"DATABASE_URL cannot be used; write {written}",
        "ALERT_WEBHOOK_URL cannot be used; write a URL that begins with https:// or http://",
    ]


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("päss word \n", encoding="utf-8")
    path.chmod(0o600)
    assert load(DATABASE_PASSWORD_FILE=str(path)).database.password == "päss word "


def test_a_secret_file_that_cannot_serve_is_a_mistake(tmp_path: Path) -> None:
    empty, binary, absent = (tmp_path / name for name in ("empty", "binary", "absent"))
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    for path in (empty, binary):
        path.chmod(0o600)
    said = [
        mistakes_of(DATABASE_PASSWORD_FILE=str(path))[0].partition(", ")[2]
        for path in (empty, binary, absent)
    ]
    assert said == [
        "which is empty; write the secret into it",
        "which cannot be read (not UTF-8); name a readable file",
        "which cannot be read (No such file or directory); name a readable file",
    ]


def test_a_secret_is_given_only_once(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hush")
    path.chmod(0o600)
    assert mistakes_of(DATABASE_PASSWORD="x", DATABASE_PASSWORD_FILE=str(path)) == [
        "DATABASE_PASSWORD and DATABASE_PASSWORD_FILE are both set; keep one"
    ]


# ---------------------------------------------------------------- the table
def test_the_table_names_each_variable_once_with_a_sentence() -> None:
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("DRIFTBELL_") and name.isupper() for name in names)
    assert all(setting.help.endswith(".") and setting.help[0].isupper() for setting in SETTINGS)


def test_the_defaults_in_the_table_are_the_defaults() -> None:
    assert load_settings({setting.name: setting.default for setting in SETTINGS}) == Settings()


# ---------------------------------------------------------------- what can be used although something is wrong
def test_a_reading_goes_on_after_mistakes_with_what_can_be_used() -> None:
    reading = read_settings(
        {"DRIFTBELL_PORT": "x", "DRIFTBELL_HOST": "::1", "DRIFTBELL_PROT": "1", "PATH": "/bin"}
    )
    assert (reading.settings.web.port, reading.settings.web.host, reading.given) == (8765, "::1", 2)
    assert [sentence.split()[0] for sentence in reading.mistakes] == ["DRIFTBELL_PROT", "DRIFTBELL_PORT"]


def test_a_reading_tells_which_connections_would_be_in_the_clear() -> None:
    environ = {
        "DRIFTBELL_DATABASE_URL": "postgresql://db-1/bell?sslmode=disable",
        "DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092",
    }
    reading = read_settings(environ)
    assert reading.mistakes == (*reading.database_dangers, *reading.kafka_dangers)
    assert len(reading.database_dangers) == len(reading.kafka_dangers) == 1

    allowed = read_settings(environ | {"DRIFTBELL_ALLOW_INSECURE": "true"})
    assert (allowed.mistakes, allowed.database_dangers, allowed.kafka_dangers) == ((), (), ())
    assert len(allowed.settings.tolerated) == 2


# ---------------------------------------------------------------- Alertmanagers
def test_several_alertmanagers_are_named_and_none_is_reached_in_the_clear() -> None:
    assert load(
        ALERTMANAGER_URL="https://me:hush@am-1:9093, http://localhost:9093"
    ).evaluator.alertmanager_urls == ("https://me:hush@am-1:9093", "http://localhost:9093")
    (said,) = mistakes_of(ALERTMANAGER_URL="https://am-1:9093,http://me:hush@am-2:9093")
    assert said.startswith("ALERTMANAGER_URL reaches am-2 in the clear; write https://")
    for wrong in (
        "am-1:9093",
        "https://am-1,ftp://am-2",
        ",",
        ",".join(f"https://am-{n}" for n in range(11)),
    ):
        (said,) = mistakes_of(ALERTMANAGER_URL=wrong)
        assert said.startswith("ALERTMANAGER_URL cannot be used; write ")
