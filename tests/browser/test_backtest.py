"""A back-test in the browser, over the demo's panes: how far it is, and what would have paged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.store.configuration import load_configuration
from service.web.app import create_app
from service.wiring import make_backtesting
from tests.browser.looks import complaints_of_axe, keep
from tests.servers.chromium import visit
from tests.web.serving import Site, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka]


def test_what_would_have_paged_is_told_with_its_incidents(browser: Browser, demo_site: Site) -> None:
    before = load_configuration(demo_site.engine)
    app = create_app(demo_site.dependencies(backtesting=make_backtesting(demo_site.engine)))
    with serving(app) as url, visit(browser) as visitor:
        page = visitor.page
        for model in sorted(before.models):
            visitor.open(f"{url}/monitors/edit?model={model}")
            page.get_by_role("button", name="What would have paged").click()
            page.get_by_text(f"{model}: would").wait_for(timeout=60_000)
        told = page.locator("[data-answer]").inner_text()
        assert "stored panes" in told
        assert "page" in page.locator("[data-answer] tbody").inner_text()
        keep(page, "monitors-edit-backtest")
        assert complaints_of_axe(page) == []
        assert visitor.misdeeds == []
    assert load_configuration(demo_site.engine).revision == before.revision
