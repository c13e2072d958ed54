"""A number reads the same in a chart, which a script writes, and beside it, where the server does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service.reports.phrases import number, share
from service.web.wording import counted
from tests.servers.chromium import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.serving import Site

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka]

NUMBERS = [
    0, 1, -1, 0.1234567, -3.14159, 12.34567, 123.4567, 1234.567, 9999.4, 9999.6, 10_000.4, -98_765.4, 1_234_567.8,
    1.5e15, -2.34567e20, 1e-4, 9.87654e-5, -1.2e-12, None,
]  # fmt: skip
SHARES = [0, 1e-6, 0.0009, 0.001, 0.12344, 0.999, 1]
COUNTS = [0, 1, 2, 1_234_567]
ASK = """async ([numbers, shares, counts]) => {
  const words = await import("/static/js/words.js");
  return [numbers.map(words.number), shares.map(words.share), counts.map((one) => words.counted(one, "row"))];
}"""


def test_scripts_and_pages_write_numbers_alike(browser: Browser, demo_site: Site) -> None:
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/")
        numbers, shares, counts = visitor.page.evaluate(ASK, [NUMBERS, SHARES, COUNTS])
        assert numbers == [number(one) for one in NUMBERS]
        assert shares == [share(one) for one in SHARES]
        assert counts == [counted(one, "row") for one in COUNTS]
        assert visitor.misdeeds == []
