"""The pages of incidents over the demo's data: each failure of the script is told by its cause, and can be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.looks import assert_good, overflow
from tests.servers.chromium import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.serving import Site

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.kafka]

FAILURES = [
    pytest.param("bike-rentals", ("temp", "degrees Celsius became Fahrenheit"), "unit change", id="Fahrenheit"),
    pytest.param("bike-rentals", ("hum", "null"), "missing", id="null humidity"),
    pytest.param("power-price", ("nswdemand", "nsw_demand"), "rename", id="renamed demand"),
    pytest.param("power-price", ("market=", "no events arrive"), "silence", id="silent market"),
    pytest.param("power-price", ("has moved", "it was always"), "data drift", id="Victoria joins"),
    pytest.param(
        "bike-rentals", ("the label", "what happens has changed, or how labels are made"), "data drift",
        id="second year",
    ),
]  # fmt: skip
SECTIONS = ["Evidence", "Its alerts over time", "Values beside the reference", "What people said"]
FOLD = 844
"""So high is a phone of 390 pixels' width."""


def incidents_of(site: Site, model: str) -> list[dict[str, Any]]:
    return site.items("incidents", model=model)


def the_one(site: Site, model: str, words: tuple[str, ...]) -> dict[str, Any]:
    told = incidents_of(site, model)
    found = [one for one in told if all(word in one["summary"] for word in words)]
    assert len(found) == 1, [one["summary"] for one in told]
    return found[0]


@pytest.mark.parametrize(("model", "words", "cause"), FAILURES)
def test_each_failure_of_the_demo_leads_to_a_page_that_names_its_cause(
    browser: Browser, demo_site: Site, model: str, words: tuple[str, ...], cause: str
) -> None:
    one = the_one(demo_site, model, words)
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/incidents?model={model}")
        visitor.page.get_by_role("link", name=one["summary"]).click()
        headline = visitor.page.locator(".headline").inner_text()
        for word in (*words, model, cause):
            assert word in headline
        assert visitor.misdeeds == []


@pytest.mark.parametrize("model", ["bike-rentals", "power-price"])
def test_the_page_of_an_incident_is_good_in_both_widths_and_themes(
    browser: Browser, demo_site: Site, model: str
) -> None:
    one = next(one for one in incidents_of(demo_site, model) if one["cause"] in {"unit_change", "rename"})
    assert_good(
        browser,
        f"{demo_site.url}/incidents/{one['id']}",
        f"incident-{model}",
        seen=[*SECTIONS, one["summary"].split(" (")[0]],
    )


def test_the_list_of_incidents_is_good_in_both_widths_and_themes(browser: Browser, demo_site: Site) -> None:
    assert_good(browser, f"{demo_site.url}/incidents", "incidents", seen=["Open", "Who has it", "nobody yet"])


def test_what_a_person_needs_at_night_stands_above_the_fold_of_a_phone(
    browser: Browser, demo_site: Site
) -> None:
    one = the_one(demo_site, "bike-rentals", ("degrees Celsius became Fahrenheit",))
    with visit(browser, width=390) as visitor:
        visitor.page.set_viewport_size({"width": 390, "height": FOLD})
        visitor.open(f"{demo_site.url}/incidents/{one['id']}")
        for what in (".headline h1", ".headline time", ".chips .severity", ".chips a", ".first button"):
            box = visitor.page.locator(what).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= FOLD, what


def test_who_presses_the_button_has_it_until_they_give_it_back(browser: Browser, demo_site: Site) -> None:
    one = the_one(demo_site, "power-price", ("nsw_demand",))
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/incidents/{one['id']}")
        visitor.page.locator(".first input[name=who]").fill("anna")
        visitor.page.keyboard.press("Enter")
        visitor.page.locator(".has-it", has_text="anna has it").wait_for()
        assert visitor.page.url == f"{demo_site.url}/incidents/{one['id']}"
        visitor.page.get_by_role("button", name="Give it back").click()
        visitor.page.locator(".has-it", has_text="Nobody has it yet").wait_for()
        assert visitor.misdeeds == []


def test_a_silence_in_the_list_makes_it_no_wider_than_the_window(browser: Browser, demo_site: Site) -> None:
    one = the_one(demo_site, "power-price", ("nsw_demand",))
    order = {"who": "anna", "why": "the release is rolled back", "for": "4h"}
    made = demo_site.client.post(f"/api/v1/incidents/{one['id']}/silence", json=order).json()
    try:
        with visit(browser, width=1280) as visitor:
            visitor.open(f"{demo_site.url}/incidents")
            assert visitor.page.get_by_text("silent until").is_visible()
            assert overflow(visitor.page) <= 0
    finally:
        demo_site.client.delete(f"/api/v1/silences/{made['id']}")


def test_the_evidence_leads_to_its_column_and_the_report_to_its_forms(
    browser: Browser, demo_site: Site
) -> None:
    one = the_one(demo_site, "bike-rentals", ("degrees Celsius became Fahrenheit",))
    with visit(browser) as visitor:
        visitor.open(f"{demo_site.url}/incidents/{one['id']}")
        first = visitor.page.locator("table.many tbody a").first
        assert (first.inner_text(), "feature=temp" in (first.get_attribute("href") or "")) == ("temp", True)
        for link in visitor.page.locator("footer a").all():
            address = (link.get_attribute("href") or "").removeprefix("../")
            assert demo_site.client.get(f"{demo_site.url}/{address}").status_code == 200, address
