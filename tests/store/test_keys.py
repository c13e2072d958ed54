"""Keys and logins on a real database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Engine, delete, func, insert, select

from service.errors import ConfigurationError
from service.store.engine import transaction
from service.store.keys import (
    ApiKey,
    Refusal,
    Scope,
    any_key_opens,
    close_login,
    create_key,
    list_keys,
    open_login,
    revoke_key,
    verify_key,
    verify_login,
)
from service.store.tables import api_key, login

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_keys(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(delete(api_key))


def verify(engine: Engine, text: str, now: datetime = NOW) -> ApiKey | Refusal:
    with transaction(engine) as connection:
        return verify_key(connection, text, now)


def opened(engine: Engine, text: str, now: datetime = NOW) -> ApiKey:
    found = verify(engine, text, now)
    assert isinstance(found, ApiKey)
    return found


def test_a_key_names_itself_and_only_its_hash_is_stored(engine: Engine) -> None:
    key = create_key(engine, "grafana", Scope.READ, NOW)
    parts = re.fullmatch(r"db_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", key)
    assert parts is not None
    with transaction(engine) as connection:
        row = connection.execute(select(api_key)).one()
    assert (row.id, row.secret_hash) == (parts[1], sha256(parts[2].encode()).digest())


def test_no_two_keys_are_alike(engine: Engine) -> None:
    keys = {create_key(engine, "same", Scope.READ, NOW) for _ in range(50)}
    assert len({key.split("_")[1] for key in keys}) == len({key[-43:] for key in keys}) == 50


def test_a_key_is_what_it_was_made_as(engine: Engine) -> None:
    key = create_key(engine, "anna", Scope.WRITE, NOW, 2 * HOUR)
    found = opened(engine, key)
    assert (found.name, found.scopes, found.expires_at) == ("anna", {Scope.WRITE}, NOW + 2 * HOUR)
    assert found.last_used_at is None


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.READ, [True, False, False]),
        (Scope.WRITE, [True, True, False]),
        (Scope.ADMIN, [True, True, True]),
    ],
)
def test_a_scope_includes_those_before_it(engine: Engine, scope: Scope, allowed: list[bool]) -> None:
    found = opened(engine, create_key(engine, "k", scope, NOW))
    assert [found.allows(one) for one in (Scope.READ, Scope.WRITE, Scope.ADMIN)] == allowed


def test_a_key_without_scopes_allows_nothing(engine: Engine) -> None:
    secret = "x" * 43
    row = {"id": "0" * 12, "name": "k", "secret_hash": sha256(secret.encode()).digest(), "scopes": []}
    with transaction(engine) as connection:
        connection.execute(insert(api_key).values(row))
    assert not opened(engine, f"db_{'0' * 12}_{secret}").allows(Scope.READ)


def test_only_the_whole_key_is_the_key(engine: Engine) -> None:
    key = create_key(engine, "k", Scope.READ, NOW)
    other = create_key(engine, "o", Scope.READ, NOW)
    wrong = [
        "", "db_", key[:-1], key + "x", key.upper(), f" {key}", f"{key}\n", key.replace("db_", "DB_"), key[3:],
        f"db_{key.split('_')[1]}_{other[-43:]}", f"db_{'0' * 12}_{key[-43:]}", "db_%_" + "_" * 43, "\x00", "\ud800",
        key[:-1] + chr(ord(key[-1]) ^ 1),
    ]  # fmt: skip
    assert {text: verify(engine, text) for text in wrong} == dict.fromkeys(wrong, Refusal.UNKNOWN)


def test_a_key_opens_until_it_expires(engine: Engine) -> None:
    key = create_key(engine, "k", Scope.READ, NOW, HOUR)
    assert isinstance(verify(engine, key, NOW + HOUR - timedelta(microseconds=1)), ApiKey)
    assert verify(engine, key, NOW + HOUR) is Refusal.EXPIRED


def test_a_revoked_key_stays_revoked_since_the_first_time(engine: Engine) -> None:
    key = create_key(engine, "k", Scope.READ, NOW, HOUR)
    key_id = key.split("_")[1]
    assert revoke_key(engine, key_id, NOW)
    assert revoke_key(engine, key_id, NOW + HOUR)
    assert [one.revoked_at for one in list_keys(engine)] == [NOW]
    assert verify(engine, key, NOW + 2 * HOUR) is Refusal.REVOKED
    assert not revoke_key(engine, "f" * 12, NOW)


def test_keys_are_listed_the_oldest_first(engine: Engine) -> None:
    for hours in (2, 0, 1):
        create_key(engine, f"after {hours}", Scope.READ, NOW + hours * HOUR)
    assert [key.name for key in list_keys(engine)] == ["after 0", "after 1", "after 2"]


def test_a_key_that_opens_nothing_is_none(engine: Engine) -> None:
    assert not any_key_opens(engine, NOW)
    revoked = create_key(engine, "k", Scope.READ, NOW)
    revoke_key(engine, revoked.split("_")[1], NOW)
    create_key(engine, "k", Scope.READ, NOW, HOUR)
    assert any_key_opens(engine, NOW)
    assert not any_key_opens(engine, NOW + HOUR)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "\x1b[31m", "a\x00b", "\u202egnitset"])
def test_a_name_that_cannot_be_shown_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        create_key(engine, name, Scope.READ, NOW)
    assert list_keys(engine) == ()


# ---------------------------------------------------------------- logins
def log_in(engine: Engine, key: str, now: datetime = NOW) -> str:
    with transaction(engine) as connection:
        found = verify_key(connection, key, now)
        assert isinstance(found, ApiKey)
        return open_login(connection, found, now, HOUR)


def who(engine: Engine, token: str, now: datetime = NOW) -> str | None:
    with transaction(engine) as connection:
        key = verify_login(connection, token, now)
    return None if key is None else key.name


def test_a_login_is_good_for_what_its_key_is_good_for_while_it_lasts(engine: Engine) -> None:
    token = log_in(engine, create_key(engine, "anna", Scope.WRITE, NOW))
    assert who(engine, token) == "anna"
    assert who(engine, token, NOW + HOUR) is None
    assert who(engine, token[:-1]) is None
    assert who(engine, "") is None


def test_a_login_ends_when_its_key_does(engine: Engine) -> None:
    short, revoked = (
        create_key(engine, "s", Scope.READ, NOW, HOUR / 2),
        create_key(engine, "r", Scope.READ, NOW),
    )
    tokens = log_in(engine, short), log_in(engine, revoked)
    revoke_key(engine, revoked.split("_")[1], NOW)
    assert [who(engine, token, NOW + HOUR / 2) for token in tokens] == [None, None]


def test_a_closed_login_is_closed_and_others_are_not(engine: Engine) -> None:
    key = create_key(engine, "anna", Scope.READ, NOW)
    first, second = log_in(engine, key), log_in(engine, key)
    with transaction(engine) as connection:
        close_login(connection, first)
        close_login(connection, "none")
    assert [who(engine, first), who(engine, second)] == [None, "anna"]


def test_a_new_login_clears_those_that_are_over(engine: Engine) -> None:
    key = create_key(engine, "anna", Scope.READ, NOW)
    log_in(engine, key)
    log_in(engine, key, NOW + HOUR)
    with transaction(engine) as connection:
        assert connection.execute(select(func.count()).select_from(login)).scalar_one() == 1
