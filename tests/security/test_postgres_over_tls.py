"""A real PostgreSQL is believed only when it shows the certificate that its name asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.errors import ConfigurationError, DriftbellError
from service.opening import make_engine
from service.settings import load_settings
from service.store.engine import transaction
from tests.servers.certificates import Authority
from tests.servers.tls_postgres import HOST, PASSWORD, TlsPostgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the server's certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TlsPostgres]:
    """A server with a good certificate."""
    with TlsPostgres(tmp_path_factory.mktemp("tls-postgres"), authority.issue(HOST)) as server:
        yield server


@pytest.fixture
def shows(server: TlsPostgres, authority: Authority) -> Iterator[TlsPostgres]:
    """A server that shows its good certificate again after the test."""
    yield server
    server.show(authority.issue(HOST))


def encrypted(url: str, **settings: str) -> bool:
    """Connect as every command does, and ask the server whether it is encrypted. Raises DriftbellError."""
    variables = {f"DRIFTBELL_{name}": text for name, text in settings.items()}
    engine = make_engine(load_settings({"DRIFTBELL_DATABASE_URL": url, **variables}))
    try:
        with transaction(engine) as connection:
            query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
            return bool(connection.exec_driver_sql(query).scalar_one())
    finally:
        engine.dispose()


def refusal(url: str, **settings: str) -> str:
    """Why we do not connect."""
    with pytest.raises(DriftbellError) as caught:
        encrypted(url, **settings)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def distrust(url: str) -> str:
    """The same where only a person can help."""
    with pytest.raises(ConfigurationError, match="no trust between us and the database") as caught:
        encrypted(url)
    assert "does not answer" not in str(caught.value)
    return str(caught.value)


def test_the_right_certificate_of_the_right_authority_is_believed(
    server: TlsPostgres, authority: Authority
) -> None:
    assert encrypted(server.url(sslrootcert=authority.roots))


def test_the_certificate_of_another_authority_is_refused(server: TlsPostgres, tmp_path: Path) -> None:
    said = distrust(server.url(sslrootcert=Authority(tmp_path).roots))
    assert "certificate verify failed; give its authority as sslrootcert in the database's URL" in said


def test_the_authorities_of_the_system_do_not_know_ours(server: TlsPostgres) -> None:
    assert "certificate verify failed" in distrust(server.url())


def test_the_certificate_of_another_host_is_refused(server: TlsPostgres, authority: Authority) -> None:
    said = distrust(server.url("other.driftbell.test", sslrootcert=authority.roots))
    assert f'server certificate for "{HOST}"' in said
    assert 'does not match host name "other.driftbell.test"' in said
    assert "; connect by a name that stands in its certificate" in said


def test_an_expired_certificate_is_refused(shows: TlsPostgres, authority: Authority) -> None:
    shows.show(authority.issue(HOST, expired=True))
    assert "certificate verify failed" in distrust(shows.url(sslrootcert=authority.roots))


def test_roots_that_are_not_there_are_named(server: TlsPostgres) -> None:
    assert 'root certificate file "/none.pem" does not exist' in refusal(server.url(sslrootcert="/none.pem"))


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_a_weaker_mode_never_reaches_the_server(server: TlsPostgres, authority: Authority, mode: str) -> None:
    said = refusal(server.url(sslmode=mode, sslrootcert=authority.roots))
    assert f"with sslmode={mode}" in said


def test_a_server_that_asks_for_tls_refuses_who_was_allowed_to_do_without(server: TlsPostgres) -> None:
    assert "no encryption" in refusal(server.url(sslmode="disable"), ALLOW_INSECURE="true")


def test_a_server_without_tls_is_not_talked_to(tmp_path: Path, authority: Authority) -> None:
    with TlsPostgres(tmp_path / "plain", None) as plain:
        said = distrust(plain.url(sslrootcert=authority.roots))
    assert "server does not support SSL, but SSL was required; turn TLS on there" in said


def test_a_role_says_the_reason_and_ends(server: TlsPostgres, tmp_path: Path) -> None:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("DRIFTBELL_")}
    url = server.url(sslrootcert=Authority(tmp_path).roots)
    ended = subprocess.run(
        [sys.executable, "-m", "service", "evaluate"],
        env=clean | {"DRIFTBELL_DATABASE_URL": url}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "certificate verify failed" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert PASSWORD not in ended.stderr + ended.stdout
