"""People's words on incidents over the API: signed, bounded, listed, and ended."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert

from service.monitor import DAY_MS, HOUR_MS
from service.store.keys import Scope
from service.store.tables import alertmanager_silence
from service.web.wording import iso
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_alert, add_model
from tests.web.serving import Site
from tests.web.visitors import bearer, guarded, new_key

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def incident(add: Add) -> None:
    add(add_model, "churn")
    add(add_alert, "a", "churn", incident="i-1", cause="unit_change", feature="weight", fired_ms=NOW_MS)


def post(site: Site, what: str, incident: str = "i-1", **order: Any) -> httpx.Response:
    return site.client.post(f"/api/v1/incidents/{incident}/{what}", json=order)


def standing(site: Site, incident: str = "i-1") -> dict[str, Any]:
    shown: dict[str, Any] = site.get(f"/api/v1/incidents/{incident}").json()["standing"]
    return shown


def test_who_has_it_is_shown_until_it_is_given_back(site: Site) -> None:
    said = post(site, "acknowledge", who="anna").json()
    assert (said["who"], said["why"], said["word"]) == ("anna", "looking into it", "acknowledged")
    assert standing(site)["acknowledged"]["who"] == "anna"
    assert site.items("incidents")[0]["acknowledged_by"] == "anna"
    assert site.items("overview")[0]["worst_incidents"][0]["acknowledged_by"] == "anna"
    for page in ("/", "/models/churn", "/incidents"):
        assert "<bdi>anna</bdi>" in site.get(page).text
    post(site, "release", who="anna", why="my shift is over")
    assert standing(site)["acknowledged"] is None
    assert [one["word"] for one in standing(site)["words"]] == ["released", "acknowledged"]


def test_a_silence_is_shown_with_its_end_and_ended(site: Site) -> None:
    said = post(site, "silence", why="known", **{"for": "4h"}).json()
    assert said["until_at"] == iso(NOW_MS + 4 * HOUR_MS)
    (listed,) = site.items("silences", model="churn")
    assert (listed["id"], listed["kind"], listed["incident"], listed["covers"]) == (
        said["id"], "silenced", "i-1", [],
    )  # fmt: skip
    assert site.items("incidents")[0]["silences"][0]["id"] == said["id"]
    assert site.items("silences", model="fraud") == []
    ended = site.client.delete(f"/api/v1/silences/{said['id']}", params={"why": "over"})
    assert (ended.json()["ends"], ended.json()["why"]) == (said["id"], "over")
    assert standing(site)["silences"] == []
    assert site.client.delete(f"/api/v1/silences/{said['id']}").status_code == 404


def test_a_silence_is_over_by_itself(site: Site) -> None:
    post(site, "silence", why="known", until=str(NOW_MS + HOUR_MS))
    site.now_ms = NOW_MS + HOUR_MS
    assert standing(site)["silences"] == []
    assert site.items("silences") == []


@pytest.mark.parametrize(
    ("what", "order", "said"),
    [
        ("silence", {"why": "x"}, "say until when"),
        ("silence", {"for": "1h"}, "why"),
        ("silence", {"why": "x", "for": "1h", "until": iso(NOW_MS + HOUR_MS)}, "not both"),
        ("silence", {"why": "x", "for": "soon"}, "for"),
        ("silence", {"why": "x", "until": iso(NOW_MS)}, "must lie ahead"),
        ("silence", {"why": "x", "until": iso(NOW_MS + 367 * DAY_MS)}, "366 days at most"),
        ("expect", {"why": "x", "until": iso(NOW_MS - 1)}, "must lie ahead"),
        ("expect", {}, "why"),
        ("acknowledge", {"why": ""}, "why"),
        ("acknowledge", {"who": "\u202e"}, "who"),
        ("acknowledge", {"when": "now"}, "when"),
        ("accept", {"why": "x", "from": "then", "to": iso(NOW_MS)}, "from"),
    ],
)
def test_an_order_with_a_mistake_is_told_and_says_nothing(
    site: Site, what: str, order: dict[str, Any], said: str
) -> None:
    answer = post(site, what, **order)
    assert answer.status_code == 422
    assert said in answer.text
    assert standing(site)["words"] == []


@pytest.mark.parametrize(
    ("what", "order"),
    [
        ("acknowledge", {}), ("release", {}), ("silence", {"why": "x", "for": "1h"}), ("expect", {"why": "x"}),
        ("accept", {"why": "x", "from": "0", "to": "1"}),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found_and_readers_say_nothing(
    site: Site, engine: Engine, what: str, order: dict[str, Any]
) -> None:
    answer = post(site, what, "none", **order)
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no incident of this id")
    with guarded(engine) as asked:
        asked.client.headers = httpx.Headers(bearer(new_key(engine, Scope.READ)))
        assert post(asked, what, **order).status_code == 403
        assert asked.client.delete("/api/v1/silences/1").status_code == 403
        assert standing(asked)["words"] == []


def test_a_word_is_signed_with_the_name_of_the_key(site: Site, engine: Engine) -> None:
    with guarded(engine) as asked:
        asked.client.headers = httpx.Headers(bearer(new_key(engine, Scope.WRITE, "pager")))
        assert post(asked, "acknowledge").json()["who"] == "pager"
        assert post(asked, "acknowledge", who="anna").json()["who"] == "anna (by the key pager)"
    assert post(site, "acknowledge").json()["who"] == "somebody at 127.0.0.1"


def test_a_planned_change_is_no_false_page_and_stays_silent_where_it_comes_again(
    site: Site, add: Add
) -> None:
    said = post(site, "expect", why="new scales").json()
    assert (said["until_at"], said["reference_name"]) == (None, "churn-ref")
    assert said["covers"] == [["unit_change", "feature", "weight", ""]]
    ledger = site.get("/api/v1/models/churn/budget").json()
    assert [ledger[name] for name in ("paged", "marked_expected", "unmarked", "spent", "expected")] == [
        1, 1, 0, 0.0, 0.0,
    ]  # fmt: skip
    add(add_alert, "b", "churn", incident="i-2", cause="unit_change", feature="weight", segment="country=DE")
    assert [one["id"] for one in standing(site, "i-2")["silences"]] == [said["id"]]
    add(add_alert, "c", "churn", incident="i-2", cause="missing", feature="age")
    assert standing(site, "i-2")["silences"] == []


def test_what_is_silent_at_an_alertmanager_is_shown_beside_ours(site: Site, add: Add) -> None:
    made = post(site, "silence", why="known", **{"for": "4h"}).json()
    for number, word in (("ours", made["id"]), ("theirs", None)):
        add(lambda connection, **row: connection.execute(insert(alertmanager_silence).values(row)),
            alertmanager="am:9093", id=number, incident="i-1", word=word, who="bert", why="mine",
            until_at=iso(NOW_MS + HOUR_MS))  # fmt: skip
    (there,) = standing(site)["silenced_there"]
    assert (there["id"], there["who"], there["alertmanager"]) == ("theirs", "bert", "am:9093")
    ours, theirs = site.items("silences", model="churn")
    assert (ours["id"], theirs["id"], theirs["id_there"], theirs["model"]) == (
        made["id"],
        None,
        "theirs",
        "churn",
    )
    site.now_ms = NOW_MS + HOUR_MS
    assert standing(site)["silenced_there"] == []


def test_a_silence_of_an_alertmanager_over_what_is_not_ours_is_not_shown(site: Site, add: Add) -> None:
    add(lambda connection, **row: connection.execute(insert(alertmanager_silence).values(row)),
        alertmanager="am:9093", id="theirs", incident="i-not-ours", word=None, who="bert", why="mine",
        until_at=iso(NOW_MS + HOUR_MS))  # fmt: skip
    assert site.items("silences") == []


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_data(site: Site, add: Add, name: str) -> None:
    add(add_alert, "h", name, incident="i-h", cause="missing", feature=name, segment=f"{name}={name}")
    said = post(site, "silence", "i-h", why="known", widely=True, **{"for": "1h"}).json()
    assert said["covers"] == [["missing", "feature", name, f"{name}={name}"]]
    assert [one["id"] for one in site.items("silences", model=name)] == [said["id"]]
