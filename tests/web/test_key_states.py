"""Keys and logins over the web, in any order, against a model of a few dicts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

from service.moments import time_at
from service.store.keys import Scope, create_key, list_keys, revoke_key
from tests.web.databases import empty
from tests.web.serving import Site
from tests.web.visitors import bearer, guarded, id_of

pytestmark = pytest.mark.postgres

ACCEPTANCE = os.environ.get("DRIFTBELL_FAULTS_SIZE") == "acceptance"
EXAMPLES, STEPS = (200, 50) if ACCEPTANCE else (12, 30)
LOGIN_MS = 12 * 3_600_000
MINUTE_MS = 60_000
REPLAY = "/api/v1/dead-letters/replay"


@dataclass
class Key:
    """What the model knows of a key."""

    text: str
    scope: Scope
    ends_ms: float = float("inf")
    revoked: bool = False
    logins: dict[str, int] = field(default_factory=dict)
    """The end of each login that was not closed, by its cookie."""

    def is_open(self, now_ms: int) -> bool:
        return not self.revoked and now_ms < self.ends_ms


class KeysAndLogins(RuleBasedStateMachine):
    """Makes, uses, ages and revokes keys; logs in and out."""

    keys: Bundle[Key] = Bundle("keys")
    logins: Bundle[tuple[Key, str]] = Bundle("logins")
    engine: Engine
    site: Site

    @initialize()
    def begin(self) -> None:
        empty(self.engine)
        self.site.now_ms = Site.now_ms
        self.known: list[Key] = []

    @property
    def now_ms(self) -> int:
        return self.site.now_ms

    @rule(target=keys, scope=st.sampled_from(Scope), minutes=st.none() | st.integers(1, 2_000))
    def create(self, scope: Scope, minutes: int | None) -> Key:
        lifetime = None if minutes is None else timedelta(minutes=minutes)
        text = create_key(self.engine, f"key {len(self.known)}", scope, time_at(self.now_ms), lifetime)
        ends_ms = float("inf") if minutes is None else self.now_ms + minutes * MINUTE_MS
        self.known.append(Key(text, scope, ends_ms))
        return self.known[-1]

    @rule(key=keys)
    def use(self, key: Key) -> None:
        self._expect(bearer(key.text), key.scope if key.is_open(self.now_ms) else None)

    @rule(key=keys, other=keys)
    def use_a_forged_one(self, key: Key, other: Key) -> None:
        forged = f"db_{id_of(key.text)}_{other.text[-43:]}"
        right = key is other and key.is_open(self.now_ms)
        self._expect(bearer(forged), key.scope if right else None)

    @rule(key=keys)
    def revoke(self, key: Key) -> None:
        assert revoke_key(self.engine, id_of(key.text), time_at(self.now_ms))
        key.revoked = True
        key.logins.clear()

    @rule(minutes=st.sampled_from([1, 7, 60, 361, 719, 720, 2_000]))
    def wait(self, minutes: int) -> None:
        self.site.now_ms += minutes * MINUTE_MS

    @rule(target=logins, key=keys)
    def log_in(self, key: Key) -> object:
        answer = self._post("/login", data={"key": key.text})
        assert answer.status_code == (303 if key.is_open(self.now_ms) else 401)
        if answer.status_code == 401:
            return multiple()
        cookie = answer.headers["set-cookie"].split(";")[0]
        key.logins[cookie] = self.now_ms + LOGIN_MS
        return key, cookie

    @rule(login=logins)
    def use_a_login(self, login: tuple[Key, str]) -> None:
        key, cookie = login
        lasts = self.now_ms < key.logins.get(cookie, 0) and key.is_open(self.now_ms)
        self._expect({"Cookie": cookie, "Origin": self.site.url}, key.scope if lasts else None)

    @rule(login=logins)
    def log_out(self, login: tuple[Key, str]) -> None:
        key, cookie = login
        assert self._post("/logout", headers={"Cookie": cookie}).status_code == 303
        key.logins.pop(cookie, None)

    @rule()
    def compare_the_list(self) -> None:
        listed = {
            key.id: (key.scopes, key.revoked_at is not None, key.refusal(time_at(self.now_ms)) is None)
            for key in list_keys(self.engine)
        }
        assert listed == {
            id_of(key.text): ({key.scope}, key.revoked, key.is_open(self.now_ms)) for key in self.known
        }

    def _expect(self, headers: dict[str, str], scope: Scope | None) -> None:
        """Reading and writing (409: this site knows no Kafka) are answered as this scope allows; None: not at all."""
        self.site.client.cookies.clear()
        read = self.site.client.get("/api/v1/models", headers=headers).status_code
        write = self.site.client.post(REPLAY, json={}, headers=headers).status_code
        may_write = 403 if scope is Scope.READ else 409
        assert (read, write) == ((401, 401) if scope is None else (200, may_write))

    def _post(self, path: str, **more: object):  # type: ignore[no-untyped-def] # httpx's own
        self.site.client.cookies.clear()
        headers = {"Origin": self.site.url} | more.pop("headers", {})  # type: ignore[operator]
        return self.site.client.post(path, headers=headers, **more)  # type: ignore[arg-type]


@pytest.fixture
def patient_site(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on which one may log in as often as a test likes."""
    monkeypatch.setattr("service.web.app.LOGINS_AT_ONCE", 1_000_000)
    with ExitStack() as stack:
        yield stack.enter_context(guarded(engine))


def test_keys_and_logins_open_what_they_should_in_any_order(engine: Engine, patient_site: Site) -> None:
    machine = type("Machine", (KeysAndLogins,), {"engine": engine, "site": patient_site})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=not ACCEPTANCE,
            database=None, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
