"""The page of one model over the demo's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.looks import assert_good, settle
from tests.servers.chromium import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.serving import Site

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka]


CHARTS = 5
"""Heat map, performance, answers, volume, and what is missing."""


@pytest.mark.parametrize("model", ["bike-rentals", "power-price"])
def test_the_page_of_a_model_is_good_in_both_widths_and_themes(
    browser: Browser, demo_site: Site, model: str
) -> None:
    seen = ["What moved, and when", "Versions and segments", "columns", "realized"]
    assert_good(browser, f"{demo_site.url}/models/{model}", f"model-{model}", seen=seen, charts=CHARTS)


def test_the_heat_map_tells_each_cell_to_keys_and_leads_to_its_column(
    browser: Browser, demo_site: Site
) -> None:
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/models/bike-rentals")
        settle(visitor.page, CHARTS)
        visitor.page.locator(".heat canvas").focus()
        for key in ("Home", "ArrowRight", "ArrowDown", "ArrowUp"):
            visitor.page.keyboard.press(key)
        said = visitor.page.locator("figure[data-chart=heat] .readout").inner_text()
        assert "times its limit" in said
        assert "n 800" in said
        first = visitor.page.locator(".heat .names a").first
        assert "over" in (first.get_attribute("class") or "")
        assert "feature?model=bike-rentals" in (first.get_attribute("href") or "")
        assert visitor.misdeeds == []


def test_behind_every_chart_stands_a_table_and_below_it_its_data(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/models/power-price")
        settle(visitor.page, CHARTS)
        frames = visitor.page.locator("figure[data-chart]").all()
        assert len(frames) == CHARTS
        for frame in frames:
            frame.locator("summary").click()
            frame.locator("tbody tr").nth(1).wait_for(state="attached")  # a table is made once it is opened
            for link in frame.locator(".links a").all():
                address = f"{demo_site.url}/{(link.get_attribute('href') or '').removeprefix('../')}"
                assert demo_site.client.get(address).status_code == 200


def test_what_is_chosen_stands_in_the_address(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/models/power-price")
        visitor.page.get_by_role("combobox", name="Segment").select_option("market=spot")
        visitor.page.get_by_label("Windows of").select_option("30s")
        visitor.page.get_by_role("button", name="Show").click()
        visitor.page.wait_for_url("**segment=market%3Dspot**")
        assert "window=30s" in visitor.page.url
        settle(visitor.page, CHARTS)
        assert visitor.page.get_by_role("combobox", name="Segment").input_value() == "market=spot"
        assert visitor.misdeeds == []
