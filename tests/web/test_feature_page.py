"""The page of one column says all without a script, whatever the column is called and whatever became of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from sqlalchemy import Engine

from service.embedded import EmbeddedPostgres
from service.store.configuration import apply_monitors
from service.store.keys import Scope
from service.web.links import feature_page
from tests.fakes.odd_columns import LENGTH_MS, MODEL, NOW_MS, REFERENCE, ROWS, T, monitor, play
from tests.web.databases import migrated
from tests.web.seeding import HOSTILE_FEATURES, add_alert
from tests.web.serving import Site, site_of
from tests.web.visitors import guarded, new_key

pytestmark = pytest.mark.postgres
OURS = r'<script (defer|type="module") src="static/[a-zA-Z./]+">'
TROUBLE = {"since": T + 3 * LENGTH_MS, "until": NOW_MS}


@pytest.fixture(scope="module")
def played(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    with migrated(postgres_server, "feature_page") as engine:
        play(engine, HOSTILE_FEATURES)
        yield engine


@pytest.fixture(scope="module")
def odd(played: Engine) -> Iterator[Site]:
    with site_of(played) as site:
        site.now_ms = NOW_MS
        yield site


def page(site: Site, feature: str, role: str = "feature", **chosen: Any) -> str:
    answer = site.client.get(
        f"/{feature_page(MODEL, role, feature, **chosen)}", headers={"accept": "text/html"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def words(text: str) -> str:
    """What a person reads."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_it_says_what_is_compared_with_what(odd: Site) -> None:
    said = words(page(odd, "amount"))
    assert f"n = {ROWS}, windows of 5m , 2026-11-22 00:15:00 UTC to 2026-11-22 00:20:00 UTC" in said
    assert f"m = {ROWS}, the reference {REFERENCE}" in said
    assert "5 of 5 panes read" in said
    assert "Rows are counted in the bins of the grid" in said
    assert re.search(r"median \S+ \S+", said)


def test_a_column_that_was_renamed_is_absent_now_and_stands_beside_its_past(odd: Site) -> None:
    said = words(page(odd, "email"))
    assert "absent the event does not have the field 100.0 % 0 %" in said
    assert f"with a value 0 {ROWS}" in said


def test_a_new_column_is_shown_though_the_reference_does_not_know_it(odd: Site) -> None:
    said = words(page(odd, "user_email"))
    assert "There is no score: the reference does not know this column." in said
    assert f"n = {ROWS}" in said
    assert "No reference knows the column" in said


def test_a_constant_is_one_value(odd: Site) -> None:
    said = words(page(odd, "constant"))
    assert f"7 {ROWS} 100.0 % {ROWS} 100.0 %" in said


def test_a_column_that_is_always_null_has_the_reference_beside_it(odd: Site) -> None:
    said = words(page(odd, "gone"))
    assert "null the event says null 100.0 % 0 %" in said
    assert f"with a value 0 {ROWS}" in said


def test_categories_that_nobody_knows_are_named_as_text(odd: Site) -> None:
    text = page(odd, "country")
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<img src=x" not in text
    assert "Values that the reference never saw" in text


@pytest.mark.parametrize("name", HOSTILE_FEATURES)
def test_hostile_names_are_text_and_their_links_lead_on(odd: Site, name: str) -> None:
    text = page(odd, name)
    assert name in unescape(text)
    assert all(re.fullmatch(OURS, one) for one in re.findall("<script.*?>", text, re.DOTALL))
    for link in set(re.findall(r'(?:href|src|data-source)="([^#"]*?)"', text)):
        address = unescape(link)
        if address.startswith(("feature", "api/v1/distribution", "api/v1/course", "api/v1/scores")):
            assert odd.get(f"/{address}").status_code == 200, address
            assert dict(parse_qsl(urlsplit(address).query))["feature"] == name


def test_the_address_reproduces_what_was_chosen(odd: Site) -> None:
    chosen = {
        "window": "5m",
        "compare": "times",
        "against_since": T,
        "against_until": T + LENGTH_MS,
        **TROUBLE,
    }
    text = page(odd, "amount", **chosen)
    said = words(text)
    assert f"m = {ROWS}, 2026-11-22 00:00:00 UTC to 2026-11-22 00:05:00 UTC" in said
    assert 'name="against_since" value="2026-11-22T00:00:00"' in text
    assert 'name="since" value="2026-11-22T00:15:00"' in text
    assert '<option value="times" selected>' in text


def test_a_form_sends_empty_fields_and_times_as_browsers_write_them(odd: Site) -> None:
    query = {
        "window": "",
        "version": "",
        "segment": "",
        "since": "2026-11-22T00:00:00",
        "until": "",
        "method": "",
    }
    said = words(page(odd, "amount", **query))
    assert "The window 2026-11-22 00:00:00 UTC to 2026-11-22 00:05:00 UTC" in said


@pytest.mark.parametrize(
    ("compare", "said"),
    [("before", "2026-11-22 00:10:00 UTC to 2026-11-22 00:15:00 UTC, no row of this time is stored"),
     ("week", "2026-11-15 00:15:00 UTC to 2026-11-15 00:20:00 UTC, no row of this time is stored")],
)  # fmt: skip
def test_other_times_are_compared_and_what_is_not_there_is_said(odd: Site, compare: str, said: str) -> None:
    assert f"m = 0, {said}" in words(page(odd, "amount", compare=compare, **TROUBLE))


def test_one_steps_from_window_to_window(odd: Site) -> None:
    text = page(odd, "amount")
    assert "this is the newest" in text
    [before] = re.findall(r'href="(feature[^"]*)" rel="prev"', text)
    earlier = odd.client.get(f"/{unescape(before)}", headers={"accept": "text/html"}).text
    assert "The window 2026-11-22 00:10:00 UTC to 2026-11-22 00:15:00 UTC" in words(earlier)
    [after] = re.findall(r'href="(feature[^"]*)" rel="next"', earlier)
    assert dict(parse_qsl(urlsplit(unescape(after)).query))["since"] == str(T + 3 * LENGTH_MS)


def test_without_a_column_one_is_led_to_the_model(odd: Site) -> None:
    answer = odd.get("/feature", model=MODEL, window="5m", since=T)
    assert answer.status_code == 303
    assert odd.client.get(answer.headers["location"]).status_code == 200
    assert f"{quote(MODEL, safe='')}?window=5m&since={T}" in answer.headers["location"]


def test_mistakes_are_a_page_with_a_sentence(odd: Site) -> None:
    for query, status, said in (
        ({"model": "nobody", "feature": "x"}, 404, "there is no model of this name"),
        ({"model": MODEL, "feature": "amount", "window": "7m"}, 422, "this model has windows of 5m"),
        ({"model": MODEL, "feature": "amount", "since": NOW_MS, "until": T}, 422, "must lie before"),
        (
            {"model": MODEL, "feature": "amount", "since": "0001-01-01", "compare": "week"},
            422,
            "years 2 to 9998",
        ),
    ):
        answer = odd.client.get("/feature", params=query, headers={"accept": "text/html"})
        assert (answer.status_code, said in words(answer.text)) == (status, True), answer.text


def test_a_model_without_a_reference_says_so(engine: Engine, site: Site) -> None:
    apply_monitors(engine, [monitor(None)], [], 0)
    said = words(page(site, "amount"))
    assert "There is no score: the model has no reference yet." in said
    assert "No row of this time speaks of this column" in said


def test_an_open_alert_is_the_headline_and_leads_to_its_incident(
    engine: Engine, site: Site, add: Any
) -> None:
    apply_monitors(engine, [monitor(None)], [], 0)
    add(add_alert, "a1", MODEL, severity="ticket", summary="amount is odd")
    add(add_alert, "a2", MODEL, summary="amount is <100 times> as large", incident="i/2")
    add(add_alert, "a3", MODEL, feature="other", summary="not of this column")
    add(add_alert, "a4", MODEL, state="resolved", summary="long ago")
    text = page(site, "amount")
    assert (
        '<p class="said"><a href="incidents/i%2F2"><bdi>amount is &lt;100 times&gt; as large</bdi></a></p>'
        in text
    )
    assert "amount is odd" in text
    assert "not of this column" not in text
    assert "long ago" not in text


def test_who_may_not_look_is_asked_to_log_in(engine: Engine) -> None:
    apply_monitors(engine, [monitor(None)], [], 0)
    path = f"/{feature_page(MODEL, 'feature', 'amount')}"
    with guarded(engine) as site:
        assert site.client.get(path).status_code == 401
        key = {"Authorization": f"Bearer {new_key(engine, Scope.READ)}"}
        assert site.client.get(path, headers=key).status_code == 200
