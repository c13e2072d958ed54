"""Server-sent events over real sockets: what changes is told, to who may look, for as long as they may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, current_thread
from threading import enumerate as threads
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text, update
from starlette.exceptions import HTTPException

from service.errors import Unavailable
from service.moments import time_at
from service.store.engine import transaction
from service.store.keys import revoke_key
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from service.store.tables import alert
from service.web.api import watcher
from service.web.api.watcher import Watcher
from service.web.api.watching import Seen
from tests.waiting import until
from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, add_alert, add_model, add_pane, add_scored
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, guarded, id_of, new_key

pytestmark = pytest.mark.postgres

STREAM = "/api/v1/events/stream"
SOON = {"look_seconds": 0.05, "beat_seconds": 0.3}


class Told:
    """An open stream, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()
        self.begun = self.next()

    def next(self) -> dict[str, str]:
        """The fields of what comes next, comments under ''; raises StopIteration at the end of the stream."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(": ")
            fields[name] = value
        raise StopIteration

    def news(self) -> tuple[str, Any]:
        """The next event that is no beat."""
        while (found := self.next()).get("event") == "beat":
            pass
        return found["event"], json.loads(found["data"])

    def until_end(self) -> None:
        """Read on until the server ends the stream."""
        with suppress(StopIteration):
            while True:
                self.next()


@contextmanager
def listening(site: Site, **headers: str) -> Iterator[Told]:
    with site.client.stream("GET", STREAM, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        told = Told(answer)  # kept here: what nobody holds is closed
        yield told


@pytest.fixture
def site(engine: Engine) -> Iterator[Site]:
    with site_of(engine, **SOON) as made:
        yield made


def watchers() -> int:
    return sum(thread.name == "watcher" for thread in threads())


def test_the_stream_says_what_it_is_and_when_to_come_back(site: Site) -> None:
    with listening(site) as told:
        assert told.answer.headers["content-type"].startswith("text/event-stream")
        assert told.answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in told.answer.headers
        assert (told.begun["retry"], told.begun.keys()) == ("3000", {"retry", "id"})


def test_a_model_that_changes_is_told_with_its_state(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_model, "fraud")
    with listening(site) as told:
        add(add_alert, "a", "churn")
        assert told.news() == ("models", {"all": False, "models": [{"model": "churn", "state": "alert"}]})
        assert told.news() == ("incidents", {"all": False, "incidents": ["incident-1"]})
        add(add_scored, "fraud", NOW_MS, {"amount": 0.1})
        assert told.news()[1]["models"] == [{"model": "fraud", "state": "waiting"}]
        add(add_model, "new\nline", reference_name=None)
        assert told.news()[1]["models"] == [{"model": "new\nline", "state": "waiting"}]


def test_an_incident_that_changes_ends_or_is_marked_is_told(site: Site, add: Add, engine: Engine) -> None:
    add(add_model, "churn")
    add(add_alert, "a", "churn", incident="i-1")
    with listening(site) as told:
        add_mark(engine, "i-1", AlarmVerdict.FALSE_ALARM, Statement("anna", "planned"))
        assert told.news() == ("incidents", {"all": False, "incidents": ["i-1"]})
        with transaction(engine) as connection:
            connection.execute(update(alert).values(summary="pounds for kilograms"))
        assert told.news() == ("incidents", {"all": False, "incidents": ["i-1"]})
        with transaction(engine) as connection:
            connection.execute(update(alert).values(state="resolved"))
        assert [told.news()[0], told.news()[0]] == ["models", "incidents"]


def test_somebody_who_takes_an_incident_is_told(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_alert, "a", "churn", incident="i-1")
    with listening(site) as told:
        assert site.client.post("/api/v1/incidents/i-1/acknowledge", json={"who": "anna"}).status_code == 200
        assert told.news() == ("incidents", {"all": False, "incidents": ["i-1"]})


def test_silence_alone_is_news_when_it_becomes_a_state(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS)
    with listening(site) as told:
        site.now_ms += 86_400_000
        assert told.news()[1]["models"] == [{"model": "churn", "state": "silent"}]


def test_what_changes_too_much_is_all_said_to_have_changed(
    site: Site, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.api.watching.MOST_NAMED", 1)
    with listening(site) as told:
        with_two = (
            "INSERT INTO model_version (model, number, since_ms, monitor, grid_id) SELECT n, 1, 0, '', 'g1'"
        )
        add(lambda connection: connection.execute(text(f"{with_two} FROM unnest(ARRAY['a', 'b']) n")))
        assert told.news() == ("models", {"all": True, "models": []})


def test_a_beat_comes_when_nothing_happens(site: Site) -> None:
    with listening(site) as told:
        assert told.next() == {"": "still here", "event": "beat", "data": "{}"}
        assert told.next()["event"] == "beat"


# ---------------------------------------------------------------- coming back
def test_who_comes_back_hears_what_came_meanwhile(site: Site, add: Add) -> None:
    add(add_model, "churn")
    with listening(site), listening(site) as told:
        add(add_alert, "a", "churn")
        last = told.next()["id"]
        add(add_model, "fraud")
        with listening(site, **{"Last-Event-ID": last}) as again:
            assert again.begun["id"] == last
            assert again.news()[0] == "incidents"
            assert again.news()[1]["models"] == [{"model": "fraud", "state": "waiting"}]


@pytest.mark.parametrize("last", ["another-7", "x", "-", "{word}-99999", "{word}-"])
def test_who_may_have_missed_something_is_told_that_all_may_have_changed(site: Site, last: str) -> None:
    with listening(site) as told:
        word = told.begun["id"].partition("-")[0]
        with listening(site, **{"Last-Event-ID": last.format(word=word)}) as again:
            assert again.news() == ("models", {"all": True, "models": []})
            assert again.news() == ("incidents", {"all": True, "incidents": []})


def test_what_came_while_nobody_listened_is_not_missed(site: Site, add: Add) -> None:
    with listening(site) as told:
        last = told.begun["id"]
    until(lambda: watchers() == 0)
    add(add_model, "churn")
    with listening(site, **{"Last-Event-ID": last}) as again:
        assert again.news() == ("models", {"all": True, "models": []})


# ---------------------------------------------------------------- one watch for all
def test_one_thread_looks_for_all_and_none_when_nobody_listens(site: Site) -> None:
    assert watchers() == 0
    with ExitStack() as many:
        for _ in range(5):
            many.enter_context(listening(site))
        assert watchers() == 1
    until(lambda: watchers() == 0)


def test_more_than_so_many_listeners_are_asked_to_come_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "MOST_LISTENERS", 2)
    with listening(site), listening(site):
        refused = site.client.get(STREAM, timeout=5)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["detail"] == "2 others listen already; look again in 5 s"

    def is_free() -> bool:
        with site.client.stream("GET", STREAM) as answer:
            return answer.status_code == 200

    until(is_free)


def test_nobody_is_left_to_believe_that_nothing_happens(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the database the streams end, and who comes back is told why."""
    monkeypatch.setattr(watcher, "RETRY_SECONDS", 0)
    with listening(site) as told:
        site.engine.dispose()
        broken = "ALTER TABLE model_version RENAME TO away"
        with transaction(site.engine) as connection:
            connection.execute(text(broken))
        try:
            told.until_end()
            assert site.get(STREAM).status_code == 503
        finally:
            with transaction(site.engine) as connection:
                connection.execute(text("ALTER TABLE away RENAME TO model_version"))
    with listening(site):
        assert watchers() == 1


def test_who_waits_for_another_s_look_waits_a_second_and_after_a_failed_one_nobody_looks() -> None:
    looks, hanging = [], Event()

    def look() -> Seen:
        looks.append(1)
        assert hanging.wait(30)
        raise Unavailable("the database does not answer")

    watched = Watcher(look, 600.0)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(watched.listen)
        until(lambda: len(looks) == 1)
        for waiting in [pool.submit(watched.listen) for _ in range(3)]:
            with pytest.raises(HTTPException, match="has not answered who came before"):
                waiting.result(20)
        hanging.set()
        with pytest.raises(Unavailable):
            first.result(20)
    with pytest.raises(HTTPException, match="did not answer just now") as refused:
        watched.listen()
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "5"})
    assert len(looks) == 1


def test_a_watch_that_fails_when_it_is_over_sends_away_nobody_of_the_next() -> None:
    looks, failing, over = [], Event(), Event()

    def look() -> Seen:
        looks.append(current_thread())
        if len(looks) == 2:  # of the first watch, while the second begins
            failing.set()
            assert over.wait(30)
            raise Unavailable("the database does not answer")
        return Seen({}, {})

    watched = Watcher(look, 0.01)
    first = watched.listen()
    assert failing.wait(30)
    watched.leave(first)
    second = watched.listen()
    over.set()
    looks[1].join(30)
    assert not second.is_over
    watched.leave(second)
    until(lambda: watchers() == 0)


def test_a_head_of_what_has_no_end_is_refused(site: Site) -> None:
    answer = site.client.head(STREAM, timeout=5)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert watchers() == 0


# ---------------------------------------------------------------- the end
def test_a_server_that_stops_ends_its_streams_at_once(engine: Engine) -> None:
    """Uvicorn would wait five seconds for it, and log an error."""
    with ExitStack() as client, site_of(engine, look_seconds=0.05, beat_seconds=600.0) as site:
        other = client.enter_context(httpx.Client(base_url=site.url, timeout=30))
        answer = client.enter_context(other.stream("GET", STREAM))
        told = Told(answer)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, StopIteration)):
        told.next()


@pytest.mark.parametrize("how", ["key", "login"])
def test_who_may_not_look_any_more_is_sent_away(engine: Engine, how: str) -> None:
    with guarded(engine, **SOON) as site:
        key = new_key(engine)
        if how == "login":
            assert (
                site.client.post("/login", data={"key": key}, headers={"Origin": site.url}).status_code == 303
            )
        with listening(site, **({} if how == "login" else bearer(key))) as told:
            if how == "login":
                with httpx.Client(base_url=site.url, cookies=site.client.cookies) as same:
                    assert same.post("/logout", headers={"Origin": site.url}).status_code == 303
            else:
                revoke_key(engine, id_of(key), time_at(NOW_MS))
            told.until_end()
        assert site.client.get(STREAM, headers=bearer(key) if how == "key" else {}).status_code == 401


def test_a_stream_outlives_the_time_that_an_answer_has(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.web.connections.REQUEST_SECONDS", 0.5)
    with site_of(engine, **SOON) as site, listening(site) as told:
        for _ in range(4):
            assert told.next()["event"] == "beat"
