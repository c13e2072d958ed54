"""From an empty database and a topic that nobody has looked into to a first finding, in the browser alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looks import keep
from tests.flow.newcomers import MODEL, is_answering, newcomer, training_table
from tests.servers.chromium import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.servers.fixtures import Broker

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

SECOND = 1_000
PATIENCE_MS = 60 * SECOND


def test_a_newcomer_comes_from_an_unknown_topic_to_a_first_finding(
    browser: Browser, database: str, embedded_broker: Broker, tmp_path: Path
) -> None:
    with newcomer(database, embedded_broker, tmp_path) as stack:
        assert stack.start("migrate").wait(60) == 0
        stack.start("run")
        stack.wait_until(lambda: is_answering(stack), "the pages are there")
        with visit(browser) as visitor:
            page = visitor.page
            page.set_default_timeout(PATIENCE_MS)
            visitor.open(f"http://127.0.0.1:{stack.port}/")
            page.get_by_role("link", name="Set up", exact=True).click()
            look_into(page, stack.topic)
            upload_training_table(page, training_table(tmp_path / "training.csv"))
            draft_short_windows(page)
            save(page)
            keep(page, "newcomer-saved")
            page.locator("#live[data-findings='1']").wait_for()
            told = page.locator("#live").inner_text()
            assert "Newest finding:" in told
            assert "limit" in told
            keep(page, "newcomer-first-finding")
            page.get_by_role("link", name="Its page").click()
            page.wait_for_url("**/models/churn")
            assert MODEL in visitor.text
            assert visitor.misdeeds == []
    assert "Traceback" not in stack.logs()


def look_into(page: Page, topic: str) -> None:
    page.get_by_label("Topic").select_option(topic)
    page.get_by_role("button", name="Look into it").click()
    page.wait_for_selector("#step-found:not([hidden])")
    assert "driftbell events, as JSON, all of them readable" in page.locator("#sniffed").inner_text()
    assert "binary: predictions have a score" in page.locator("#found").inner_text()
    assert page.get_by_label("watch session").is_checked() is False
    assert page.get_by_label("watch amount").is_checked()
    assert page.get_by_label("watch each value of country by itself").is_checked()


def upload_training_table(page: Page, table: Path) -> None:
    page.get_by_label("Upload a table").check()
    page.get_by_label("File").set_input_files(table)
    page.get_by_label("Its name").fill("training")
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("Reference training: 2,000 rows, 3 features").wait_for()


def draft_short_windows(page: Page) -> None:
    page.get_by_label("Pane").fill("1s")
    page.get_by_label("Windows, by commas").fill("2s")
    page.get_by_label("Events may be late by").fill("2s")
    page.get_by_role("button", name="Draft the monitor").click()
    page.get_by_text(f"{MODEL}: created").wait_for()
    written = page.get_by_label("The monitor, as YAML").input_value()
    assert "reference: training" in written
    assert "session:\n        ignore: true" in written


def save(page: Page) -> None:
    page.get_by_label("Why, for whoever reads it later").fill("first try")
    page.get_by_role("button", name="Save").click()
    page.get_by_text(f"{MODEL}: number 1, in force from the model's first event on").wait_for()
