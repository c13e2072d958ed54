"""What is true of every page of ours: it does nothing that it may not, everybody can use it, it is small, it fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

from tests.servers.chromium import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

PICTURES = Path(__file__).parents[2] / ".cache" / "screenshots"
MOST_BYTES = 150_000
SERIOUS = {"serious", "critical"}
LOOKS = [(1200, False), (1200, True), (390, False), (390, True)]
"""Widths, and whether the theme is dark."""


def assert_good(browser: Browser, url: str, name: str) -> None:
    """Look at a page in both widths and themes, and keep pictures; fails with what is wrong."""
    for width, dark in LOOKS:
        with visit(browser, width=width, dark=dark) as visitor:
            weight = Weight(visitor.page)
            visitor.open(url)
            settle(visitor.page)
            keep(visitor.page, f"{name}-{width}-{'dark' if dark else 'light'}")
            assert visitor.misdeeds == [], visitor.misdeeds
            complaints = complaints_of_axe(visitor.page)
            assert complaints == [], complaints
            assert overflow(visitor.page) <= 0, f"{url} scrolls sideways at {width} px"
            assert weight.bytes <= MOST_BYTES, f"{url} weighs {weight.bytes:,} bytes"


def settle(page: Page) -> None:
    """Scroll through the page and wait until every chart is drawn, or says why not."""
    for frame in page.locator("figure[data-chart]").all():
        frame.scroll_into_view_if_needed()
        frame.and_(page.locator("[data-drawn]")).wait_for(state="attached", timeout=20_000)
    page.evaluate("window.scrollTo(0, 0)")
    failed = page.eval_on_selector_all("figure[data-drawn=no]", "(all) => all.map((one) => one.innerText)")
    assert failed == [], failed


def keep(page: Page, name: str) -> Path:
    """A picture of the whole page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def complaints_of_axe(page: Page) -> list[str]:
    """What axe finds serious or critical: the rule, and where."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:5]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


class Weight:
    """The bytes that a page takes over the wire, compressed as they come."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Network.enable")
        self._session.on("Network.loadingFinished", self._add)

    def _add(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
