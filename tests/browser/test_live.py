"""The overview in Chromium while the database changes under it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from service.embedded import EmbeddedPostgres
from service.store.engine import transaction
from service.web.app import create_app
from tests.browser.looks import complaints_of_axe, keep, overflow
from tests.servers.chromium import visit
from tests.web import shop_window
from tests.web.databases import migrated
from tests.web.seeding import NOW_MS, WINDOW_MS, add_alert, add_grid, add_model, add_pane, add_scored
from tests.web.serving import Site, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

Add = Callable[..., None]


@pytest.fixture
def site(postgres_server: EmbeddedPostgres) -> Iterator[Site]:
    with migrated(postgres_server, f"live_{uuid.uuid4().hex[:12]}") as engine:
        site = Site(engine)
        app = create_app(site.dependencies(look_seconds=0.2, beat_seconds=1.0))
        with serving(app) as url, httpx.Client(base_url=url) as client:
            site.url, site.client = url, client
            yield site


@pytest.fixture
def add(site: Site) -> Add:
    def call(seed: Callable[..., None], *values: Any, **changes: Any) -> None:
        with transaction(site.engine) as connection:
            seed(connection, *values, **changes)

    call(add_grid)
    return call


def fill(add: Add, models: int) -> None:
    """Models that are well, each with some windows."""
    for number in range(models):
        add(add_model, f"model-{number:02}")
        add(add_pane, f"model-{number:02}", NOW_MS - 12_000)
        for back in range(3):
            add(add_scored, f"model-{number:02}", NOW_MS - back * WINDOW_MS, {"amount": 0.5})


def test_every_state_with_its_windows_is_good_in_both_widths_and_themes(
    browser: Browser, site: Site, add: Add
) -> None:
    shop_window.fill(add)
    for back in range(1, 40):
        add(
            add_scored, "alert-model", NOW_MS - back * WINDOW_MS, {"a": 3.0 if back < 9 else 0.5}, version="2"
        )
        add(add_scored, "silent-model", NOW_MS - (back + 37) * WINDOW_MS, {"a": 0.5}, version="2")
    for width in (1200, 390):
        for dark in (False, True):
            with visit(browser, width=width, dark=dark) as visitor:
                visitor.open(f"{site.url}/")
                visitor.page.wait_for_selector(".is-live")
                keep(visitor.page, f"overview-states-{width}-{'dark' if dark else 'light'}")
                assert visitor.misdeeds == [], visitor.misdeeds
                assert complaints_of_axe(visitor.page) == []
                assert overflow(visitor.page) <= 0


def test_what_changes_is_shown_and_who_reads_stays_where_they_are(
    browser: Browser, site: Site, add: Add
) -> None:
    fill(add, 30)
    with visit(browser) as visitor:
        page = visitor.page
        visitor.open(f"{site.url}/")
        page.wait_for_selector(".is-live")
        page.evaluate("window.sentinel = document.querySelector('[data-key=model-07]')")
        page.locator("[data-key=model-20] th a").focus()
        page.evaluate("window.scrollTo(0, 900)")
        add(add_alert, "a", "model-20", summary="pounds for kilograms", fired_ms=NOW_MS)
        page.wait_for_selector("[data-key=model-20].alert")
        assert page.locator("tbody tr").first.get_attribute("data-key") == "model-20"
        assert "pounds for kilograms" in page.locator("[data-key=model-20]").inner_text()
        assert page.title() == "(1) driftbell"
        assert page.evaluate("document.activeElement.textContent") == "model-20"
        assert page.evaluate("window.scrollY") == 900
        assert page.evaluate("window.sentinel.isConnected"), "a row that is as it was is left alone"
        assert visitor.misdeeds == [], visitor.misdeeds


def test_a_first_model_appears_by_itself(browser: Browser, site: Site, add: Add) -> None:
    with visit(browser) as visitor:
        visitor.open(f"{site.url}/")
        assert "No model yet" in visitor.text
        visitor.page.wait_for_selector(".is-live")
        add(add_model, "<img src=x onerror=alert(1)>")
        visitor.page.wait_for_selector("tbody tr")
        assert visitor.page.locator("tbody th bdi").first.inner_text() == "<img src=x onerror=alert(1)>"
        assert "No model yet" not in visitor.text
        assert visitor.misdeeds == [], visitor.misdeeds


def test_a_page_that_hears_nothing_any_more_says_so(browser: Browser, site: Site, add: Add) -> None:
    """Without the server the console complains; that is not looked at here."""
    fill(add, 1)
    with visit(browser) as visitor:
        with serving(create_app(site.dependencies())) as url:
            visitor.open(f"{url}/")
            visitor.page.wait_for_selector(".is-live")
        visitor.page.wait_for_selector(".is-stale")
        assert visitor.page.locator("#live").inner_text().startswith("Stale since ")


def test_without_a_script_the_page_renews_itself(browser: Browser, site: Site, add: Add) -> None:
    fill(add, 1)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/")
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "30"
    assert "model-00" in page.inner_text("tbody")
    page.fill("input[name=q]", "other")
    page.click("button:text('Show')")
    assert "No model fits" in page.inner_text("main")
    context.close()
