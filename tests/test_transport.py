"""What leaves the machine is encrypted and verified, or the process does not start."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service import transport
from service.errors import ConfigurationError
from service.settings import Settings, load_settings
from tests.deploy.files import COMPOSE, DEPLOY, read_yaml

HERE = ["", "localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "[::1]"]
AWAY = [
    "postgres",
    "db.example.com",
    "10.0.0.7",
    "[2001:db8::7]",
    "0.0.0.0",
    "localhost.example.com",
    "127.1",
]
MODES = ["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
ROOTS = "/etc/roots.pem"
IN_THE_CLEAR = ["PLAINTEXT", "SASL_PLAINTEXT"]
ENCRYPTED = ["SSL", "SASL_SSL"]
PASSED = {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": "hush"}


@pytest.fixture(autouse=True)
def _same_machine_for_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        transport.ssl,
        "get_default_verify_paths",
        lambda: type("Paths", (), {"cafile": ROOTS}),
    )


def load(environ: dict[str, str] | None = None, **variables: str) -> Settings:
    """The settings of variables written without their prefix, among others of the process."""
    return load_settings((environ or {}) | {f"DRIFTBELL_{name}": text for name, text in variables.items()})


def refusals(environ: dict[str, str] | None = None, **variables: str) -> tuple[str, ...]:
    """Why a process with these variables does not start; nothing when it does."""
    try:
        load(environ, **variables)
    except ConfigurationError as error:
        return error.problems
    return ()


def url_of(host: str, mode: str = "") -> str:
    return f"postgresql://me:hush@{host}/driftbell" + (f"?sslmode={mode}" if mode else "")


# ---------------------------------------------------------------- PostgreSQL
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", HERE)
def test_a_database_on_this_machine_may_be_reached_as_one_likes(host: str, mode: str) -> None:
    loaded = load(DATABASE_URL=url_of(host, mode))
    assert loaded.database.url == url_of(host, mode)
    assert loaded.tolerated == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", AWAY)
def test_a_database_elsewhere_is_reached_verified_or_not_at_all(host: str, mode: str) -> None:
    said = refusals(DATABASE_URL=url_of(host, mode))
    assert bool(said) == (mode not in {"", "verify-full"})
    for sentence in said:
        assert f"reaches {host.strip('[]')} with sslmode={mode}" in sentence.replace("[", "").replace("]", "")
        assert "write sslmode=verify-full, or set DRIFTBELL_ALLOW_INSECURE=true" in sentence
        assert "hush" not in sentence


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", AWAY)
def test_who_allows_it_is_told_and_gets_what_the_url_says(host: str, mode: str) -> None:
    loaded = load(DATABASE_URL=url_of(host, mode), ALLOW_INSECURE="true")
    assert loaded.database.url == url_of(host, mode)
    assert len(loaded.tolerated) == (mode != "verify-full")


def test_a_database_elsewhere_is_verified_by_default_with_the_roots_of_the_system() -> None:
    asked = f"sslmode=verify-full&sslrootcert={ROOTS}"
    assert load(DATABASE_URL=url_of("db")).database.url == f"{url_of('db')}?{asked}"
    assert load(DATABASE_URL="postgresql://db/x?a=b").database.url == f"postgresql://db/x?a=b&{asked}"


def test_roots_that_somebody_chose_are_kept(tmp_path: Path) -> None:
    chosen = "postgresql://db/x?sslrootcert=ours.pem"
    assert load(DATABASE_URL=chosen).database.url == f"{chosen}&sslmode=verify-full"
    by_variable = load({"PGSSLROOTCERT": "ours.pem"}, DATABASE_URL="postgresql://db/x")
    assert by_variable.database.url == "postgresql://db/x?sslmode=verify-full"
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("")
    assert load(DATABASE_URL="postgresql://db/x").database.url == "postgresql://db/x?sslmode=verify-full"


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("postgresql:///x?host=/run/postgresql", {}),
        ("postgresql://me@/x?host=%2Frun%2Fpostgresql", {}),
        ("postgresql:///x?host=localhost:5432&host=127.0.0.1:5433", {}),
        ("postgresql:///x?host=::1", {}),
        ("postgresql:///x", {"PGHOST": "/run/postgresql"}),
        ("postgresql://localhost/x", {"PGHOST": "db.example.com"}),
    ],
)
def test_every_way_to_name_this_machine_is_known(url: str, environ: dict[str, str]) -> None:
    assert refusals(environ, DATABASE_URL=f"{url}{'&' if '?' in url else '?'}sslmode=disable") == ()


@pytest.mark.parametrize(
    ("url", "environ", "named"),
    [
        ("postgresql:///x?host=db.example.com", {}, "db.example.com"),
        ("postgresql://localhost/x?host=db.example.com", {}, "db.example.com"),
        ("postgresql://localhost/x?hostaddr=10.0.0.7", {}, "10.0.0.7"),
        ("postgresql://localhost,db.example.com/x", {}, "db.example.com"),
        ("postgresql:///x?host=localhost:5432,db-2:5432", {}, "db-2"),
        ("postgresql:///x?host=localhost&host=db-2:5432", {}, "db-2"),
        ("postgresql:///x", {"PGHOST": "db.example.com"}, "db.example.com"),
        ("postgresql://localhost/x", {"PGHOSTADDR": "10.0.0.7"}, "10.0.0.7"),
        ("postgresql://localhost/x?service=prod", {}, "the service 'prod'"),
        ("postgresql://localhost/x", {"PGSERVICE": "prod"}, "the service 'prod'"),
    ],
)
def test_no_way_to_name_another_host_is_overlooked(url: str, environ: dict[str, str], named: str) -> None:
    (said,) = refusals(environ, DATABASE_URL=f"{url}{'&' if '?' in url else '?'}sslmode=prefer")
    assert f"reaches {named} with sslmode=prefer" in said


def test_the_mode_of_the_library_s_own_variable_is_honoured_and_judged() -> None:
    assert refusals({"PGSSLMODE": "verify-full"}, DATABASE_URL=url_of("db")) == ()
    (said,) = refusals({"PGSSLMODE": "require"}, DATABASE_URL=url_of("db"))
    assert "with sslmode=require" in said


def test_a_url_that_says_two_modes_is_as_weak_as_the_weaker() -> None:
    (said,) = refusals(DATABASE_URL="postgresql://db/x?sslmode=verify-full&sslmode=disable")
    assert "with sslmode=disable" in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost:a/b@evil/x",
        "postgresql://localhost#@evil/x",
        "postgresql://localhost?@evil/x",
        "postgresql://a@localhost@evil/x",
    ],
)
def test_a_url_that_two_readers_could_read_differently_is_refused(url: str) -> None:
    (said,) = refusals(DATABASE_URL=url, ALLOW_INSECURE="true")
    assert said.startswith("DRIFTBELL_DATABASE_URL cannot be used; write postgresql://user@host:5432/name")


PIECES = [
    "localhost",
    "evil",
    "me",
    "@",
    ":",
    "/",
    "?",
    "#",
    "[::1]",
    ",",
    "5432",
    "host=",
    "hostaddr=",
    "&",
    "%40",
]


@settings(max_examples=2_000, deadline=None)
@example("?hostaddr=:")
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_what_we_take_for_this_machine_the_database_library_does_too(rest: str) -> None:
    url = f"postgresql+psycopg://{rest}"
    if not transport.DATABASE_URL.fullmatch(url) or transport.database_dangers(url, {}):
        return
    try:
        parsed = make_url(url)
        asked = parsed.get_dialect()().create_connect_args(parsed)[1]
    except (ValueError, ArgumentError):
        return  # nobody is reached
    hosts = [host for name in ("host", "hostaddr") for host in asked.get(name, "").split(",")]
    assert [host for host in hosts if not transport.is_local(host)] == []


# ---------------------------------------------------------------- Kafka
@pytest.mark.parametrize("protocol", [*IN_THE_CLEAR, *ENCRYPTED])
@pytest.mark.parametrize("server", ["localhost:9092", "127.0.0.1:9092", "[::1]:9092"])
def test_a_broker_on_this_machine_may_be_reached_as_one_likes(server: str, protocol: str) -> None:
    loaded = load(KAFKA_BOOTSTRAP_SERVERS=server, KAFKA_SECURITY_PROTOCOL=protocol, **PASSED)
    assert loaded.tolerated == ()


@pytest.mark.parametrize("protocol", [*IN_THE_CLEAR, *ENCRYPTED])
@pytest.mark.parametrize(
    "servers", ["kafka:9092", "10.0.0.7:9092", "[2001:db8::7]:9092", "localhost:9092,kafka:9092"]
)
def test_a_broker_elsewhere_is_reached_encrypted_or_not_at_all(servers: str, protocol: str) -> None:
    variables = {"KAFKA_BOOTSTRAP_SERVERS": servers, "KAFKA_SECURITY_PROTOCOL": protocol, **PASSED}
    said = refusals(**variables)
    assert len(said) == (protocol in IN_THE_CLEAR)
    assert load(**variables, ALLOW_INSECURE="true").tolerated == said
    for sentence in said:
        assert f"{protocol}, which sends everything to {servers.rpartition(',')[2]} in the clear" in sentence


def test_the_advice_keeps_the_password() -> None:
    (plain,) = refusals(KAFKA_BOOTSTRAP_SERVERS="kafka:9092")
    (sasl,) = refusals(
        KAFKA_BOOTSTRAP_SERVERS="kafka:9092", KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT", **PASSED
    )
    assert "write SSL or SASL_SSL, or" in plain
    assert "write SASL_SSL, or" in sasl


# ---------------------------------------------------------------- files with secrets
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_a_secret_file_of_ours_or_of_our_group_is_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "password"
    path.write_text("hush")
    path.chmod(mode)
    assert load(DATABASE_PASSWORD_FILE=str(path)).database.password == "hush"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o777])
@pytest.mark.parametrize("name", ["DATABASE_PASSWORD_FILE", "KAFKA_SASL_PASSWORD_FILE", "KAFKA_SSL_KEY_FILE"])
def test_a_secret_file_of_everybody_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    path = tmp_path / "s"
    path.write_text("hush")
    path.chmod(mode)
    variables = {name: str(path), "KAFKA_SSL_CERT_FILE": "c.pem"}
    if name != "KAFKA_SSL_KEY_FILE":
        del variables["KAFKA_SSL_CERT_FILE"]
    (said,) = refusals(**variables)
    assert said.startswith(f"DRIFTBELL_{name} is ")
    assert "every user of this machine may read or change; chmod o-rwx it" in said
    assert load(**variables, ALLOW_INSECURE="true").tolerated == (said,)


def test_a_secret_that_is_piped_in_is_read() -> None:
    read, write = os.pipe()
    os.write(write, b"hush")
    os.close(write)
    assert load(DATABASE_PASSWORD_FILE=f"/dev/fd/{read}").database.password == "hush"
    os.close(read)


# ---------------------------------------------------------------- what we ship
def _forget_files(shipped: dict[str, str]) -> None:
    """Secrets are in pods and containers only."""
    for name in ("DRIFTBELL_DATABASE_PASSWORD_FILE", "DRIFTBELL_METRICS_TOKEN_FILE"):
        del shipped[name]


def test_the_kubernetes_manifests_need_no_allowance() -> None:
    shipped = dict(read_yaml(DEPLOY / "kubernetes" / "config.yaml")["data"])
    _forget_files(shipped)
    assert load_settings(shipped).tolerated == ()


def test_the_compose_file_says_that_it_is_for_one_laptop() -> None:
    shipped = dict(read_yaml(COMPOSE)["x-environment"])
    _forget_files(shipped)
    defaulted = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text) for name, text in shipped.items()}
    assert [sentence.split()[0] for sentence in load_settings(defaulted).tolerated] == [
        "DRIFTBELL_DATABASE_URL",
        "DRIFTBELL_KAFKA_SECURITY_PROTOCOL",
    ]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://hooks.example.com/x", "hooks.example.com"),
        ("https://hooks.example.com/x", None),
        ("http://localhost:9093/x", None),
        ("http://127.0.0.1:9093/x", None),
        ("http://[::1]:9093/x", None),
    ],
)
def test_alerts_leave_the_machine_encrypted_only(url: str, host: str | None) -> None:
    if host is None:
        assert load(ALERT_WEBHOOK_URL=url).tolerated == ()
        return
    (said,) = refusals(ALERT_WEBHOOK_URL=url)
    assert f"reaches {host} in the clear" in said
    assert load(ALERT_WEBHOOK_URL=url, ALLOW_INSECURE="true").tolerated == (said,)
