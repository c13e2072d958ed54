"""The page of one column over the demo's data: each kind of column and of trouble, in Chromium."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from service.embedded import EmbeddedPostgres
from service.web.links import feature_page
from tests.browser.looks import assert_good, settle
from tests.fakes.odd_columns import MODEL, NOW_MS, play
from tests.servers.chromium import visit
from tests.web.databases import migrated
from tests.web.seeding import HOSTILE_FEATURES
from tests.web.serving import Site, site_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.servers.chromium import Visit

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka]
WINDOW_MS = 5_000
CHARTS_OF_NUMBERS, CHARTS_OF_CATEGORIES = 5, 4


@pytest.fixture(scope="module")
def odd(postgres_server: EmbeddedPostgres) -> Iterator[Site]:
    with migrated(postgres_server, f"odd_{uuid.uuid4().hex[:12]}") as engine:
        play(engine, HOSTILE_FEATURES)
        with site_of(engine) as site:
            site.now_ms = NOW_MS
            yield site


@pytest.mark.parametrize(
    ("model", "feature", "charts", "blank"),
    [
        ("bike-rentals", "temp", CHARTS_OF_NUMBERS, ["missing"]),
        ("bike-rentals", "season", CHARTS_OF_CATEGORIES, ["missing"]),
        ("power-price", "nswdemand", CHARTS_OF_NUMBERS, []),
    ],
)
def test_the_page_is_good_in_both_widths_and_themes(
    browser: Browser, demo_site: Site, model: str, feature: str, charts: int, blank: list[str]
) -> None:
    url = f"{demo_site.url}/{feature_page(model, 'feature', feature)}"
    seen = [feature, "Over time", "Scores by their limits", "windows over"]
    assert_good(browser, url, f"feature-{feature}", seen=seen, charts=charts, blank=blank)


@pytest.mark.parametrize(
    ("feature", "charts"), [("country", 3), ("constant", 4), ("gone", 4), ("user_email", 4), ("email", 4)]
)
def test_odd_columns_are_drawn(browser: Browser, odd: Site, feature: str, charts: int) -> None:
    with visit(browser, width=390) as visitor:
        visitor.open(f"{odd.url}/{feature_page(MODEL, 'feature', feature)}")
        settle(visitor.page, charts)
        assert visitor.misdeeds == []
        assert visitor.page.locator("figure[data-chart=distribution] svg .zone").count() > 0


def test_hostile_names_run_nothing(browser: Browser, odd: Site) -> None:
    for name in HOSTILE_FEATURES:
        with visit(browser) as visitor:
            said = visitor.open(f"{odd.url}/{feature_page(MODEL, 'feature', name)}")
            settle(visitor.page, CHARTS_OF_CATEGORIES)
            assert visitor.misdeeds == []
            assert name in said


def opened(visitor: Visit, site: Site, **chosen: Any) -> Page:
    visitor.open(f"{site.url}/{feature_page('bike-rentals', 'feature', 'temp', **chosen)}")
    settle(visitor.page, CHARTS_OF_NUMBERS)
    return visitor.page


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_enter_and_a_click_on_a_chart_open_that_window(browser: Browser, demo_site: Site) -> None:
    for kind in ("scores", "quantiles"):
        with visit(browser) as visitor:
            page = opened(visitor, demo_site)
            plot = page.locator(f"figure[data-chart={kind}] .plot")
            plot.focus()
            plot.press("End")
            plot.press("ArrowLeft")
            readout = page.locator(f"figure[data-chart={kind}] .readout").inner_text()
            assert "UTC" in readout
            with page.expect_navigation():
                plot.press("Enter")
            chosen = query_of(page)
            assert int(chosen["until"]) - int(chosen["since"]) == WINDOW_MS
            assert chosen["feature"] == "temp"
            settle(page, CHARTS_OF_NUMBERS)
            with page.expect_navigation():
                page.locator(f"figure[data-chart={kind}] .u-over").click()
            assert query_of(page)["until"] != chosen["until"]
            assert visitor.misdeeds == []


def test_a_click_counts_though_the_hand_moves_a_little(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        page = opened(visitor, demo_site)
        mouse, over = page.mouse, page.locator("figure[data-chart=scores] .u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse.move(x, y)
        with page.expect_navigation():
            mouse.down()
            mouse.move(x + 2, y + 3)
            mouse.up()
        chosen = query_of(page)
        assert int(chosen["until"]) - int(chosen["since"]) == WINDOW_MS
        assert visitor.misdeeds == []


def test_arrow_keys_tell_bars_and_points_of_the_curves(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        page = opened(visitor, demo_site)
        for kind, words in (
            ("distribution", ("now", "row", "reference bike-rentals")),
            ("ecdf", ("below", "now")),
        ):
            plot = page.locator(f"figure[data-chart={kind}] .plot")
            plot.focus()
            plot.press("Home")
            first = page.locator(f"figure[data-chart={kind}] .readout").inner_text()
            for _ in range(6):
                plot.press("ArrowRight")
            later = page.locator(f"figure[data-chart={kind}] .readout").inner_text()
            assert first != later
            assert all(word in later for word in words)


def test_the_form_s_address_shows_the_same_again(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        page = opened(visitor, demo_site)
        page.get_by_label("Segment").select_option("channel=app")
        page.get_by_label("Compare with").select_option("before")
        with page.expect_navigation():
            page.get_by_role("button", name="Show").click()
        settle(page, CHARTS_OF_NUMBERS)
        assert (query_of(page)["segment"], query_of(page)["compare"]) == ("channel=app", "before")
        once = page.locator("main").inner_text()
        page.reload()
        settle(page, CHARTS_OF_NUMBERS)
        assert page.locator("main").inner_text() == once
        assert page.get_by_label("Segment").input_value() == "channel=app"
        assert visitor.misdeeds == []


def test_a_score_alone_is_drawn_in_its_own_unit(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        page = opened(visitor, demo_site, method="psi")
        frame = page.locator("figure[data-chart=scores]")
        assert frame.locator("figcaption").inner_text() == "Score psi and its limit"
        assert frame.locator(".key").inner_text().split() == ["psi", "limit", "◆", "over", "its", "limit"]
        frame.locator("summary").click()
        frame.locator("tbody tr").first.wait_for()
        assert frame.locator("tbody tr").count() > 10
        assert " x" not in frame.locator("tbody").inner_text()
