from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from service.monitor import HOUR_MS, Monitor
from tests.servers.requirements import require_or_skip
from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_model,
    add_pane,
    add_partition,
    add_scored,
    add_window,
)
from tests.web.serving import Site

pytestmark = pytest.mark.postgres

CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--hide-scrollbars",
)


OURS = '<script type="module" src="static/js/pages/live.js">'
"""The one script that the page has."""


def rows(page: str) -> dict[str, str]:
    """The table's rows by the model's name, as it is written in HTML."""
    found = re.findall(r'<tr class="tone [a-z]+" data-key=.*?</tr>', page, re.DOTALL)
    return {_first(r"<th.*?<bdi>(.*?)</bdi>", row): row for row in found}


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None, (pattern, text)
    return found[1]


def test_the_page_shows_every_model_the_worst_first(site: Site, add: Add) -> None:
    shop_window.fill(add)
    page = site.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    states = re.findall(r'<tr class="tone ([a-z]+)" data-key=', page.text)
    assert list(dict.fromkeys(states)) == list(shop_window.STATES)
    for state in shop_window.STATES:
        assert f'<tr class="tone {state}" ' in rows(page.text)[f"{state}-model"]
    assert "<title>(2) driftbell</title>" in page.text
    assert "9 models: 1 silent, 1 alert" in page.text


def test_a_model_is_shown_with_ages_times_and_links(site: Site, add: Add) -> None:
    add(add_model, "churn/eu")
    add(add_pane, "churn/eu", NOW_MS - 12_000)
    add(add_window, "churn/eu", NOW_MS - 4 * 60_000)
    row = rows(site.get("/").text)["churn/eu"]
    assert "12 seconds ago" in row
    assert '<time class="quiet" datetime="2026-11-21T23:59:48Z">2026-11-21 23:59:48 UTC</time>' in row
    assert "4 minutes ago" in row
    assert "version <bdi>1</bdi>" in row
    link = _first('href="(.*?)"', row)
    assert link == "models/churn%2Feu"
    assert "<h1><bdi>churn/eu</bdi>" in site.get(f"/{link}").text


def test_silence_is_not_shown_as_health(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS - 3 * HOUR_MS)
    add(add_window, "churn", NOW_MS - 3 * HOUR_MS)
    row = rows(site.get("/").text)["churn"]
    assert '<tr class="tone silent" ' in row
    assert "No event for 3 hours: nobody can say how it is." in row


def test_a_monitor_may_say_itself_when_silence_begins(site: Site, add: Add) -> None:
    add(add_model, "nightly", monitor=Monitor("nightly", silence_after_ms=26 * HOUR_MS))
    add(add_pane, "nightly", NOW_MS - 3 * HOUR_MS)
    assert site.get("/api/v1/models/nightly").json()["state"] != "silent"


def test_events_without_scored_windows_are_not_shown_as_health(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS)
    add(add_window, "churn", NOW_MS - 2 * HOUR_MS)
    assert "no window was scored for 2 hours" in rows(site.get("/").text)["churn"]


def test_open_incidents_stand_with_their_sentences_and_links_the_worst_first(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_alert, "a1", "churn", incident="i/1", state="pending", summary="feature_3 is over its limit")
    add(
        add_alert,
        "a2",
        "churn",
        incident="i2",
        severity="ticket",
        summary="email is absent; user_email is new",
    )
    add(add_alert, "a3", "churn", incident="i3", summary="2.2046 times as large")
    for number in range(4, 6):
        add(add_alert, f"a{number}", "churn", incident=f"i{number}", state="pending", since_ms=NOW_MS)
    row = rows(site.get("/").text)["churn"]
    assert row.index("2.2046") < row.index("user_email") < row.index("feature_3")
    assert '<a href="incidents/i3"><bdi>2.2046 times as large</bdi></a>' in row
    assert 'href="incidents/i%2F1"' in row
    assert '<a href="incidents?model=churn">and 2 more</a>' in row


def test_a_sparkline_says_what_it_shows_and_marks_what_is_over_the_limit(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"amount": 0.5})
    add(add_scored, "churn", NOW_MS, {"amount": 3.0})
    row = rows(site.get("/").text)["churn"]
    said = "over the limit in 1 of 2 windows of 5m, worst 300 %"
    assert row.count(said) == 2
    assert len(_first(r'class="within" d="(.*?)"', row).split("M")) == 2
    assert _first(r'class="over" d="(.*?)"', row).startswith(f"M{47 * 4} ")
    assert _first(r'class="mark" d="(.*?)"', row)


def test_traffic_and_budget_are_told(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS, {}, inferences=12_345)
    add(add_pane, "churn", NOW_MS - 61_000, inferences=0, labels=3)
    add(add_alert, "a", "churn", fired_ms=NOW_MS)
    row = rows(site.get("/").text)["churn"]
    assert "<b>2,469</b>" in row
    assert "1 minute ago" not in row
    assert "61 seconds ago" in row
    assert "0 of 1 false pages in 30d, 1 page not marked yet" in row
    assert (_first(r'class="spent" width="(\d+)"', row), _first(r'class="expected" width="(\d+)"', row)) == (
        "0",
        "100",
    )


def test_a_name_and_a_state_are_chosen_by_a_plain_form(site: Site, add: Add) -> None:
    shop_window.fill(add)
    page = site.get("/", q="LENT", state="").text
    assert list(rows(page)) == ["silent-model"]
    assert '<input type="search" name="q" value="LENT"' in page
    assert "1 model: 1 silent" in page
    page = site.get("/", q="", state="well").text
    assert all(name.startswith("well") or "script" in name for name in rows(page))
    assert '<option value="well" selected>Well (2)</option>' in page
    assert '<option value="silent">Silent (1)</option>' in page
    assert "No model fits" in site.get("/", q="none").text
    assert site.get("/", state="none").status_code == 422


def test_many_models_are_on_several_pages_and_the_choice_stays(site: Site, add: Add) -> None:
    for number in range(5):
        add(add_model, f"churn-{number}")
    page = site.get("/", limit=2, q="churn", state="waiting").text
    assert "5 models: 5 waiting" in page
    more = _first(r'<a href="\./\?([^"]*)">More models', page).replace("&amp;", "&")
    assert list(rows(page)) + list(rows(site.client.get(f"/?{more}").text)) == [
        f"churn-{n}" for n in range(4)
    ]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_shown_as_text(site: Site, add: Add, name: str) -> None:
    add(add_model, name)
    add(add_pane, name, NOW_MS)
    add(add_window, name, NOW_MS, version=name)
    add(add_alert, f"id {name}", name, summary=f"{name} has drifted")
    add(add_partition, name, 0, halted=f"because of {name}")
    page = site.get("/").text
    written = escape(name).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    assert page.count(written) >= 5
    assert re.findall("<script.*?>", page) == [OURS]


def test_partitions_that_are_not_read_any_more_stand_on_top(site: Site, add: Add) -> None:
    add(add_partition, "events", 4, halted="its topic was made anew")
    page = site.get("/").text
    assert "Not read any more" in page
    assert "its topic was made anew" in page


def test_without_models_the_page_says_how_they_come(site: Site) -> None:
    assert "No model yet" in site.get("/").text


def test_nothing_on_the_page_comes_from_elsewhere_or_runs(site: Site, add: Add) -> None:
    shop_window.fill(add)
    page = site.get("/").text
    styles = [site.get(f"/static/{name}.css").text for name in ("ground", "driftbell", "pages/overview")]
    for text in (page.replace(OURS, ""), *styles):
        assert not re.search(r"https?://|//[a-z]|<script|javascript:| on[a-z]+=|style=|url\(|@import", text)
    for link in re.findall(r'(?:href|src)="(.*?)"', page):
        address = link.replace("&amp;", "&")
        where = address if not address.startswith("incidents") else f"api/v1/{address}"
        assert site.get(f"/{where}").status_code == 200, link


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_fits_a_browser(site: Site, add: Add, tmp_path: Path, width: int, theme: str) -> None:
    require_or_skip(shutil.which("chromium"), "chromium", "apt-get install chromium")
    shop_window.fill(add)
    picture = tmp_path / "page.png"
    dark = ("--blink-settings=preferredColorScheme=0",) if theme == "dark" else ()
    options = (
        f"--user-data-dir={tmp_path}/profile",
        f"--screenshot={picture}",
        f"--window-size={width},1400",
        *dark,
    )
    subprocess.run(
        ["chromium", *CHROMIUM, *options, f"{site.url}/"], check=True, capture_output=True, timeout=120
    )
    assert picture.stat().st_size > 20_000
