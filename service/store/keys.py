"""API keys and the logins that they open. Of a secret only its SHA-256 is stored.

A key reads `db_<id>_<secret>`: found by its id, compared in constant time. Its secret is 256 random bits, which
nobody can guess, so that a plain hash is as good as a slow one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from service.errors import ConfigurationError
from service.store.engine import make_durable, transaction
from service.store.tables import api_key, login

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping

ID_BYTES = 6
SECRET_BYTES = 32
LONGEST_NAME = 100
USE_NOTED_EVERY = timedelta(minutes=1)
"""How seldom `last_used_at` is written: a row version a request would be a write for every read."""

_KEY = re.compile(r"db_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODYS_HASH = bytes(32)


class Scope(StrEnum):
    """What a key may do; each includes those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Refusal(StrEnum):
    """Why a key opens nothing; its words are shown only to who holds the secret."""

    UNKNOWN = "there is no such key"
    EXPIRED = "this key has expired; make another with `driftbell keys create`"
    REVOKED = "this key is revoked; make another with `driftbell keys create`"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed, without its secret."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def allows(self, wanted: Scope) -> bool:
        """Whether one of its scopes is the wanted one or includes it."""
        order = list(Scope)
        return any(order.index(scope) >= order.index(wanted) for scope in self.scopes)

    def refusal(self, now: datetime) -> Refusal | None:
        """Why it opens nothing at this time."""
        if self.revoked_at is not None:
            return Refusal.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return Refusal.EXPIRED
        return None


# ---------------------------------------------------------------- keys
def create_key(
    engine: Engine, name: str, scope: Scope, now: datetime, lifetime: timedelta | None = None
) -> str:
    """A new key. It can be read here and never again. Raises ConfigurationError for a name that cannot be shown."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ConfigurationError(f"a key's name is 1 to {LONGEST_NAME} characters that can be printed")
    key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    row = {
        "id": key_id, "name": name, "secret_hash": _hash(secret), "scopes": [scope.value], "created_at": now,
        "expires_at": None if lifetime is None else now + lifetime,
    }  # fmt: skip
    with transaction(engine) as connection:
        make_durable(connection)
        connection.execute(insert(api_key).values(row))
    return f"db_{key_id}_{secret}"


def list_keys(engine: Engine) -> tuple[ApiKey, ...]:
    """All keys, the oldest first; those that open nothing any more as well."""
    with transaction(engine) as connection:
        rows = connection.execute(select(api_key).order_by(api_key.c.created_at, api_key.c.id)).mappings()
        return tuple(map(_key_of, rows))


def revoke_key(engine: Engine, key_id: str, now: datetime) -> bool:
    """Close a key and its logins for good; whether there is such a key. A key that is revoked stays as it is."""
    here = api_key.c.id == key_id
    with transaction(engine) as connection:
        make_durable(connection)
        found = connection.execute(select(api_key.c.id).where(here)).first()
        connection.execute(update(api_key).where(here, api_key.c.revoked_at.is_(None)).values(revoked_at=now))
        connection.execute(delete(login).where(login.c.key_id == key_id))
    return found is not None


def any_key_opens(engine: Engine, now: datetime) -> bool:
    """Whether there is a key that is neither revoked nor expired."""
    return any(key.refusal(now) is None for key in list_keys(engine))


def verify_key(connection: Connection, text: str, now: datetime) -> ApiKey | Refusal:
    """The key that this text is, its use noted; or why it opens nothing."""
    parts = _KEY.fullmatch(text)
    key_id, secret = parts.groups() if parts else ("", "")
    row = connection.execute(select(api_key).where(api_key.c.id == key_id)).mappings().first()
    # An unknown id costs the same comparison, so that time does not tell which ids there are.
    stored = _NOBODYS_HASH if row is None else row["secret_hash"]
    if not hmac.compare_digest(_hash(secret), stored) or row is None or not parts:
        return Refusal.UNKNOWN
    return _opened(connection, _key_of(row), now)


def _opened(connection: Connection, key: ApiKey, now: datetime) -> ApiKey | Refusal:
    refusal = key.refusal(now)
    if refusal is not None:
        return refusal
    if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
        connection.execute(update(api_key).where(api_key.c.id == key.id).values(last_used_at=now))
    return key


# ---------------------------------------------------------------- logins
def open_login(connection: Connection, key: ApiKey, now: datetime, lifetime: timedelta) -> str:
    """A token for a browser, good for what the key is good for. Logins that are over are taken away."""
    token = secrets.token_urlsafe(SECRET_BYTES)
    make_durable(connection)
    connection.execute(delete(login).where(login.c.expires_at <= now))
    row = {"token_hash": _hash(token), "key_id": key.id, "created_at": now, "expires_at": now + lifetime}
    connection.execute(insert(login).values(row))
    return token


def verify_login(connection: Connection, token: str, now: datetime) -> ApiKey | None:
    """The key that opened this login, if the login and the key are good still."""
    opened = (login.c.token_hash == _hash(token)) & (login.c.expires_at > now)
    query = select(api_key).join(login, login.c.key_id == api_key.c.id).where(opened)
    row = connection.execute(query).mappings().first()
    key = None if row is None else _opened(connection, _key_of(row), now)
    return key if isinstance(key, ApiKey) else None


def close_login(connection: Connection, token: str) -> None:
    """End a login; one that is none is no mistake."""
    make_durable(connection)
    connection.execute(delete(login).where(login.c.token_hash == _hash(token)))


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _key_of(row: RowMapping) -> ApiKey:
    scopes = frozenset(Scope(scope) for scope in row["scopes"])
    return ApiKey(
        row["id"], row["name"], scopes, row["created_at"], row["expires_at"], row["revoked_at"],
        row["last_used_at"],
    )  # fmt: skip
