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
from tests.web.seeding import HOSTILE_NAMES, NOW_MS, add_alert, add_model, add_pane, add_partition, add_window
from tests.web.serving import Site

pytestmark = pytest.mark.postgres

CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--hide-scrollbars",
)


def rows(page: str) -> dict[str, str]:
    """The table's rows by the model's name, as it is written in HTML."""
    found = re.findall(r'<tr class="[a-z]+">.*?</tr>', page, re.DOTALL)
    return {_first(r"<th.*?<bdi>(.*?)</bdi>", row): row for row in found}


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None, (pattern, text)
    return found[1]


def test_the_page_shows_every_model_the_worst_first(site: Site, add: Add) -> None:
    shop_window.fill(add)
    page = site.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    states = re.findall(r'<tr class="([a-z]+)">', page.text)
    assert list(dict.fromkeys(states)) == list(shop_window.STATES)
    for state in shop_window.STATES:
        assert f'<tr class="{state}">' in rows(page.text)[f"{state}-model"]
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
    assert site.get(f"/{link}").json()["model"] == "churn/eu"


def test_silence_is_not_shown_as_health(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS - 3 * HOUR_MS)
    add(add_window, "churn", NOW_MS - 3 * HOUR_MS)
    row = rows(site.get("/").text)["churn"]
    assert '<tr class="silent">' in row
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


def test_open_alerts_stand_with_their_sentences_and_links(site: Site, add: Add) -> None:
    shop_window.fill(add)
    row = rows(site.get("/").text)["alert-model"]
    assert row.index("2.2046") < row.index("user_email") < row.index("feature_3")
    assert '<a href="api/v1/alerts/a1">' in row
    assert "and 3 more" in row
    assert site.get("/api/v1/alerts/a1").status_code == 200


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
    assert "<script" not in page


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
    for text in (page, site.get("/static/driftbell.css").text):
        assert not re.search(r"https?://|//[a-z]|<script|javascript:| on[a-z]+=|style=|url\(|@import", text)
    for link in re.findall(r'(?:href|src)="(.*?)"', page):
        assert site.get(f"/{link}").status_code == 200, link


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
