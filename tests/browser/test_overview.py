"""The overview over the demo's data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.looks import assert_good

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.serving import Site

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka]


def test_the_overview_is_good_in_both_widths_and_themes(browser: Browser, demo_site: Site) -> None:
    assert_good(
        browser, f"{demo_site.url}/", "overview", seen=["bike-rentals", "power-price", "over the limit in"]
    )
