"""Monitors over the API: all mistakes at once with their lines, what would change, and nobody's change is lost."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from service.monitor import DAY_MS, Budget, Monitor
from service.store.configuration import apply_monitors, load_configuration
from service.store.engine import transaction
from service.store.keys import Scope
from service.store.tables import model_version, revision
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_reference
from tests.web.serving import Site
from tests.web.visitors import bearer, guarded, new_key

pytestmark = pytest.mark.postgres

CHURN = "models:\n  churn:\n    task: binary\n"
WRONG = """models:
  churn:
    task: binry
    windows: [7m]
    methods: [js_distance]
    bugdet: {false_pages: 1}
"""


def ask(site: Site, what: str, yaml: str, **more: Any) -> httpx.Response:
    path = f"/api/v1/monitors/{what}" if what else "/api/v1/monitors"
    return site.client.post(path, json={"yaml": yaml} | more)


def versions(engine: Engine) -> list[tuple[str, int]]:
    with transaction(engine) as connection:
        row = model_version.c
        return [tuple(one) for one in connection.execute(select(row.model, row.number).order_by(row.number))]


def revision_of(engine: Engine) -> int:
    with transaction(engine) as connection:
        return int(connection.execute(select(revision.c.number)).scalar_one())


# ---------------------------------------------------------------- validating
def test_all_mistakes_are_told_at_once_each_with_its_line(site: Site) -> None:
    answer = ask(site, "validate", WRONG)
    found = answer.json()
    assert (answer.status_code, found["valid"], found["monitors"]) == (200, False, [])
    assert [one["line"] for one in found["mistakes"]] == [3, 6]
    assert "did you mean 'binary'?" in found["mistakes"][0]["sentence"]
    assert "did you mean 'budget'?" in found["mistakes"][1]["sentence"]


def test_what_can_be_read_and_is_wrong_all_the_same_has_its_line_too(site: Site, add: Add) -> None:
    text = "models:\n  churn:\n    reference: none\n    features:\n      amount: {methods: [magic]}\n"
    found = ask(site, "validate", text).json()
    assert [(one["line"], one["sentence"].split(";")[0]) for one in found["mistakes"]] == [
        (3, "model 'churn' there is no reference 'none'"), (5, "model 'churn' there is no method 'magic'"),
    ]  # fmt: skip


def test_a_reference_that_is_damaged_is_a_mistake_and_no_failure(site: Site, add: Add) -> None:
    add(add_reference, "old")
    (mistake,) = ask(site, "validate", f"{CHURN}    reference: old\n").json()["mistakes"]
    assert mistake["line"] == 4
    assert "cannot be read" in mistake["sentence"]


def test_what_is_right_is_told_with_what_is_taken_by_default(site: Site) -> None:
    found = ask(site, "validate", CHURN).json()
    (one,) = found["monitors"]
    assert (found["valid"], found["mistakes"], one["model"]) == (True, [], "churn")
    assert one["written"] == {"task": "binary"}
    assert one["by_default"]["windows"] == ["5m", "1h"]
    assert (one["by_default"]["pane"], one["by_default"]["allowed_lateness"]) == ("1m", "10m")
    assert one["budget"] == "at most 1 false page in 30d"


BOMB = "a: &a [x]\nb: &b [*a, *a]\n" + "".join(
    f"{chr(99 + i)}: &{chr(99 + i)} [{', '.join([f'*{chr(98 + i)}'] * 9)}]\n" for i in range(12)
)
HOSTILE = [
    "models: !!python/object/apply:os.system [id]", BOMB, "[" * 5_000, "{" * 5_000, "models: {a: \x00}",
    "\ufeff\x1b[2J",
    "models:\n\t- x", "models: {churn: {pane: " + "9" * 5_000 + "s}}", "models: {churn: *nowhere}", "", "models: []",
    "- " * 3_000, "models: {'\u202e': {task: no}}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_yaml_is_refused_in_sentences_and_stores_nothing(
    site: Site, engine: Engine, text: str
) -> None:
    found = ask(site, "validate", text).json()
    assert found["valid"] is False
    assert found["mistakes"]
    assert all(one["sentence"].isprintable() for one in found["mistakes"])
    for what in ("", "diff", "backtest"):
        answer = ask(site, what, text)
        assert answer.status_code in {409, 422}
    assert versions(engine) == []


def test_too_long_a_text_is_refused_before_it_is_read(site: Site) -> None:
    assert ask(site, "validate", "#" * 200_001).status_code == 422
    answer = ask(site, "validate", "#" * 10_000_000)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "a body may have 1048576 bytes"


# ---------------------------------------------------------------- comparing
def test_a_difference_says_what_changes_and_from_when_on_and_stores_nothing(
    site: Site, engine: Engine
) -> None:
    apply_monitors(engine, [Monitor("churn", budget=Budget(1.0, 30 * DAY_MS))], [], 0)
    before = revision_of(engine)
    text = f"{CHURN}    budget: {{false_pages: 3}}\n    segments: [country]\n"
    (one,) = ask(site, "diff", text).json()["items"]
    assert (one["model"], one["action"], one["number"]) == ("churn", "changed", 1)
    assert one["since_ms"] >= NOW_MS
    assert one["since_ms"] % 60_000 == 0
    assert "at most 3 false pages in 30d instead of at most 1 false page in 30d" in " ".join(one["changes"])
    assert "each value of country is watched by itself, too" in one["changes"]
    assert "+    task: binary" in one["diff"].splitlines()
    assert (versions(engine), revision_of(engine)) == ([("churn", 1)], before)


def test_a_new_model_and_an_unchanged_one_are_told_apart(site: Site, engine: Engine) -> None:
    apply_monitors(engine, [Monitor("churn")], [], 0)
    found = {one["model"]: one for one in ask(site, "diff", "models: {churn: {}, fraud: {}}").json()["items"]}
    assert (found["churn"]["action"], found["churn"]["changes"], found["churn"]["diff"]) == (
        "unchanged",
        [],
        "",
    )
    assert (found["fraud"]["action"], found["fraud"]["number"], found["fraud"]["since_ms"]) == (
        "created",
        0,
        None,
    )


# ---------------------------------------------------------------- saving
def test_a_monitor_is_saved_with_its_number_and_the_time_from_which_it_holds(
    site: Site, engine: Engine
) -> None:
    (first,) = ask(site, "", CHURN, number=0).json()["items"]
    (second,) = ask(
        site, "", f"{CHURN}    segments: [country]\n", number=1, why="by market", who="anna"
    ).json()["items"]
    assert (first["action"], first["number"], first["since_ms"]) == ("created", 1, None)
    assert (second["action"], second["number"]) == ("changed", 2)
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert (latest.monitor.segments, latest.since_ms) == (("country",), second["since_ms"])


@pytest.mark.parametrize("number", [0, 2, 7])
def test_who_was_overtaken_gets_the_newer_monitor_and_saves_nothing(
    site: Site, engine: Engine, number: int
) -> None:
    apply_monitors(engine, [Monitor("churn")], [], 0)
    answer = ask(site, "", CHURN, number=number)
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert answer.json()["number"] == 1
    assert answer.json()["monitor"] == "models:\n  churn: {}\n"
    assert "changed meanwhile" in answer.json()["detail"]
    assert versions(engine) == [("churn", 1)]


def test_mistakes_save_nothing_and_are_told_with_their_lines(site: Site, engine: Engine) -> None:
    answer = ask(site, "", WRONG)
    assert answer.status_code == 422
    assert [one["line"] for one in answer.json()["mistakes"]] == [3, 6]
    assert answer.json()["detail"].startswith("2 mistakes in the monitors; line 3: ")
    assert versions(engine) == []


def test_a_number_is_of_one_model(site: Site, engine: Engine) -> None:
    answer = ask(site, "", "models: {a: {}, b: {}}", number=1)
    assert (answer.status_code, versions(engine)) == (422, [])
    assert [one["action"] for one in ask(site, "", "models: {a: {}, b: {}}").json()["items"]] == [
        "created"
    ] * 2


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_a_name(site: Site, name: str) -> None:
    (saved,) = ask(site, "", json.dumps({"models": {name: {}}})).json()["items"]
    (diff,) = ask(site, "diff", json.dumps({"models": {name: {"segments": ["c"]}}})).json()["items"]
    assert saved["model"] == diff["model"]
    assert saved["model"].isprintable()


def test_only_who_may_change_things_may_ask_any_of_it(engine: Engine) -> None:
    with guarded(engine) as site:
        for scope, expected in ((Scope.READ, 403), (Scope.WRITE, 200)):
            headers = bearer(new_key(engine, scope))
            for path in ("monitors", "monitors/validate", "monitors/diff"):
                answer = site.client.post(f"/api/v1/{path}", json={"yaml": CHURN}, headers=headers)
                assert answer.status_code == expected, (path, answer.text)
