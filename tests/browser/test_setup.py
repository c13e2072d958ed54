"""Monitors and the set-up in the browser: mistakes beside their lines, and nobody's change is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from service.intake.log_writer import NewRecord
from service.messages import Partition
from service.monitor import Monitor
from service.settings import Auth
from service.store.configuration import apply_monitors, load_configuration, store_reference
from service.store.engine import transaction
from service.store.keys import Scope
from service.store.profiles import to_be_stored
from service.web.api.topics import Topics
from tests.browser.looks import LOOKS, assert_good, complaints_of_axe, keep, overflow
from tests.cli.test_acceptance_command import END_MS, put_traffic
from tests.fakes.appending import AppendedLog
from tests.replaying import reference_of
from tests.servers.chromium import visit
from tests.sniffing.records import T0_MS, prediction
from tests.web.databases import empty, migrated
from tests.web.seeding import NOW_MS, add_partition
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, new_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from service.embedded import EmbeddedPostgres
    from tests.servers.chromium import Visit

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

TOPIC = "inference-log"
HOSTILE = '<img src=x onerror="alert(1)">'
CHURN = Monitor("churn", segments=("country",))


@pytest.fixture(scope="module")
def only_engine(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    with migrated(postgres_server, "setup_pages") as engine:
        yield engine


@pytest.fixture
def engine(only_engine: Engine) -> Engine:
    empty(only_engine)
    return only_engine


@pytest.fixture
def log() -> AppendedLog:
    """A topic of two models, one of them with a hostile name, and a record that is no event."""
    made = AppendedLog()
    usual = [
        prediction(
            n,
            {"label": "yes", "score": n / 80},
            amount=n + 0.5,
            country="DE" if n % 2 else "FR",
            session=f"s{n}",
        )
        for n in range(80)
    ]
    other = [prediction(n, **{HOSTILE: HOSTILE}) | {"model": HOSTILE} for n in range(20)]
    for offset, one in enumerate([*usual, *other, HOSTILE]):
        value = one.encode() if isinstance(one, str) else json.dumps(one).encode()
        made.put(offset, NewRecord(Partition(TOPIC, 0), None, value, T0_MS + 10**6))
    return made


@pytest.fixture
def site(engine: Engine, log: AppendedLog) -> Iterator[Site]:
    with site_of(engine, topics=Topics((TOPIC,), log.open)) as site:
        yield site


@contextmanager
def opened(browser: Browser, site: Site, path: str, **look: int | bool) -> Iterator[Visit]:
    """The page, which has done nothing wrong in the end."""
    with visit(browser, **look) as visitor:  # type: ignore[arg-type]
        visitor.page.set_default_timeout(20_000)
        visitor.open(f"{site.url}/{path}")
        yield visitor
        assert visitor.misdeeds == []


def write(page: Page, yaml: str) -> None:
    page.get_by_label("The monitor, as YAML").fill(yaml)


# ---------------------------------------------------------------- how they look
@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("monitors", ["churn", "Budget"]),
        ("monitors/edit?model=churn", ["The monitor, as YAML", "What would change"]),
        ("setup", ["1. Which topic?", "Look into it"]),
    ],
)
def test_the_pages_are_good_in_both_widths_and_themes(
    browser: Browser, site: Site, engine: Engine, path: str, seen: list[str]
) -> None:
    apply_monitors(engine, [CHURN, Monitor(HOSTILE)], [], 0)
    assert_good(browser, f"{site.url}/{path}", path.split("?", maxsplit=1)[0].replace("/", "-"), seen=seen)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_every_step_of_the_setup_is_good(browser: Browser, site: Site, width: int, dark: bool) -> None:
    with opened(browser, site, f"setup?topic={TOPIC}", width=width, dark=dark) as visitor:
        page = visitor.page
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text("churn: created").wait_for()
        page.get_by_role("button", name="Save").click()
        page.locator("#live[data-state]").wait_for()
        keep(page, f"setup-steps-{width}-{'dark' if dark else 'light'}")
        assert complaints_of_axe(page) == []
        assert overflow(page) <= 0


# ---------------------------------------------------------------- the editor
def test_mistakes_stand_beside_their_lines_and_lead_there(
    browser: Browser, site: Site, engine: Engine
) -> None:
    apply_monitors(engine, [CHURN], [], 0)
    with opened(browser, site, "monitors/edit?model=churn") as visitor:
        page = visitor.page
        write(page, "models:\n  churn:\n    task: binry\n    pane: 7m\n")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("2 mistakes:").wait_for()
        assert page.locator(".gutter .wrong").all_inner_texts() == ["✗ 3\n", "✗ 4\n"]
        assert "did you mean 'binary'?" in page.locator("#mistakes").inner_text()
        page.get_by_role("button", name="Line 3").press("Enter")
        chosen = "(t => t.value.slice(t.selectionStart, t.selectionEnd))(document.activeElement)"
        assert visitor.value_of(chosen) == "    task: binry"
        keep(page, "monitors-edit-mistakes")
    assert [one.number for one in load_configuration(engine).models["churn"]] == [1]


def test_tab_leaves_the_editor(browser: Browser, site: Site, engine: Engine) -> None:
    apply_monitors(engine, [CHURN], [], 0)
    with opened(browser, site, "monitors/edit?model=churn") as visitor:
        visitor.page.get_by_label("The monitor, as YAML").focus()
        visitor.page.keyboard.press("Tab")
        assert visitor.value_of("document.activeElement.textContent") == "Check"


def test_what_would_change_is_shown_and_then_saved(browser: Browser, site: Site, engine: Engine) -> None:
    apply_monitors(engine, [CHURN], [], 0)
    with opened(browser, site, "monitors/edit?model=churn") as visitor:
        page = visitor.page
        write(page, "models:\n  churn:\n    segments: [country]\n    budget: {false_pages: 3}\n")
        page.get_by_role("button", name="What would change").click()
        page.get_by_text("at most 3 false pages in 30d instead of at most 1 false page in 30d").wait_for()
        assert "+      false_pages: 3.0" in page.locator(".diff").inner_text().splitlines()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("churn: saved as number 2").wait_for()
        write(page, "models:\n  churn: {}\n")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("churn: saved as number 3").wait_for()
    assert [one.number for one in load_configuration(engine).models["churn"]] == [1, 2, 3]


def test_who_was_overtaken_is_told_and_overwrites_nothing(
    browser: Browser, site: Site, engine: Engine
) -> None:
    apply_monitors(engine, [CHURN], [], 0)
    with visit(browser) as visitor:
        visitor.open(f"{site.url}/monitors/edit?model=churn")
        apply_monitors(engine, [Monitor("churn", segments=("channel",))], [], NOW_MS)
        write(visitor.page, "models:\n  churn: {}\n")
        visitor.page.get_by_role("button", name="Save").click()
        visitor.page.get_by_text(
            "the monitor of this model was changed meanwhile: number 2 is stored"
        ).wait_for()
        visitor.page.get_by_role("button", name="Load what is stored").click()
        visitor.page.get_by_text("number 2, applied by a person").wait_for()
        assert "- channel" in visitor.page.get_by_label("The monitor, as YAML").input_value()
        assert all("409" in one for one in visitor.misdeeds), visitor.misdeeds
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert latest.monitor.segments == ("channel",)


def test_who_may_only_look_sees_why_nothing_can_be_saved(browser: Browser, engine: Engine) -> None:
    apply_monitors(engine, [CHURN], [], 0)
    with site_of(engine, auth=Auth.KEYS) as site, visit(browser) as visitor:
        visitor.page.set_extra_http_headers(bearer(new_key(engine, Scope.READ)))
        visitor.open(f"{site.url}/monitors/edit?model=churn")
        assert "Your key has the scope read" in visitor.text
        assert visitor.page.get_by_role("button", name="Save").is_disabled()
        assert visitor.page.get_by_label("The monitor, as YAML").get_attribute("readonly") is not None
        assert visitor.misdeeds == []


# ---------------------------------------------------------------- the set-up
def make_first_traffic_the_reference(page: Page, engine: Engine, folder: Path) -> None:
    """Events of churn come after its monitor is saved; a person makes the last hour its reference."""
    page.get_by_text("No event has come yet.").wait_for()
    profile = reference_of(folder)
    store_reference(engine, to_be_stored(profile))
    put_traffic(engine, profile, range(10))
    with transaction(engine) as connection:
        add_partition(connection, "events", 0, highest_ms=END_MS)
    page.get_by_label("Of the last").fill("1h")
    page.get_by_role("button", name="Make it the reference").click()


def test_the_first_traffic_is_made_the_reference_once_it_has_come(
    browser: Browser, site: Site, engine: Engine, tmp_path: Path
) -> None:
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text("churn: created").wait_for()
        page.get_by_role("button", name="Save").click()
        make_first_traffic_the_reference(page, engine, tmp_path)
        page.get_by_text(
            "of 150 events; in force from event time"
        ).wait_for()  # the last pane may still take some
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert (latest.number, str(latest.reference_name)[:6]) == (2, "churn-")


def test_the_reference_becomes_that_of_the_model_that_was_saved(
    browser: Browser, site: Site, engine: Engine, tmp_path: Path
) -> None:
    """Its name may be changed in the YAML after a model was picked among those of the topic."""
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_label(HOSTILE).first.check()
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text(f"{HOSTILE}: created").wait_for()
        write(page, "models:\n  churn: {}\n")
        page.get_by_role("button", name="Save").click()
        make_first_traffic_the_reference(page, engine, tmp_path)
        page.locator("#accepted .said, #accepted .complaint").wait_for()
        assert "The reference is churn-" in page.locator("#accepted").inner_text()


def test_what_was_uploaded_and_saved_of_one_model_is_not_another_one_s(browser: Browser, site: Site) -> None:
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_label("Upload a table").check()
        rows = "amount,country\n" + "".join(f"{n}.5,DE\n" for n in range(200))
        page.get_by_label("File").set_input_files(
            {"name": "churn.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        )
        page.get_by_label("Its name").fill("of-churn")
        page.get_by_role("button", name="Upload", exact=True).click()
        page.get_by_text("Reference of-churn: 200 rows").wait_for()
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text("churn: created").wait_for()
        assert "reference: of-churn" in page.get_by_label("The monitor, as YAML").input_value()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("6. Saved").wait_for()
        page.get_by_label(HOSTILE).first.check()
        page.get_by_text("6. Saved").wait_for(state="hidden")
        assert page.get_by_text("Reference of-churn").count() == 0
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text(f"{HOSTILE}: created").wait_for()
        assert "of-churn" not in page.get_by_label("The monitor, as YAML").input_value()


def test_each_model_is_offered_the_references_that_are_stored_of_it(
    browser: Browser, site: Site, engine: Engine, tmp_path: Path
) -> None:
    profile = reference_of(tmp_path)
    store_reference(engine, to_be_stored(profile))
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_label("One that is stored").check()
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text("churn: created").wait_for()
        assert f"reference: {profile.name}" in page.get_by_label("The monitor, as YAML").input_value()
        page.get_by_label(HOSTILE).first.check()
        page.get_by_text("none of this model yet").wait_for()
        assert page.get_by_label("Stored reference").is_hidden()
        assert page.get_by_label("One that is stored").is_disabled()
        assert page.get_by_label("Learn it from the first traffic").is_checked()
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text(f"{HOSTILE}: created").wait_for()


def test_hostile_names_are_text_in_every_step(browser: Browser, site: Site, engine: Engine) -> None:
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_label(HOSTILE).first.check()
        page.get_by_text("watched by segment").wait_for(state="detached")
        page.get_by_role("button", name="Draft the monitor").click()
        page.get_by_text(f"{HOSTILE}: created").wait_for()
        page.get_by_role("button", name="Save").click()
        page.locator("#live[data-state]").wait_for()
        assert visitor.value_of("document.querySelectorAll('main img').length") == 0
        visitor.open(f"{site.url}/monitors")
        assert HOSTILE in visitor.text
        assert visitor.value_of("document.querySelectorAll('main img').length") == 0
    assert list(load_configuration(engine).models) == [HOSTILE]


def test_what_was_chosen_stands_in_the_address_and_is_found_again(browser: Browser, site: Site) -> None:
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_label(HOSTILE).first.check()
        page.wait_for_url("**model=%3Cimg*")
        page.reload()
        page.locator("#found").get_by_text("no predictions and no labels").wait_for()


def test_a_process_without_kafka_says_what_to_set(browser: Browser, engine: Engine) -> None:
    with site_of(engine) as site, opened(browser, site, "setup") as visitor:
        assert "set DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS and DRIFTBELL_KAFKA_TOPICS" in visitor.text


def test_a_mistake_in_the_lengths_is_told_beside_the_draft(browser: Browser, site: Site) -> None:
    with opened(browser, site, f"setup?topic={TOPIC}") as visitor:
        page = visitor.page
        page.get_by_label("Pane").fill("7m")
        page.get_by_role("button", name="Draft the monitor").click()
        page.locator("#drafted").get_by_text("not made of whole panes").first.wait_for()
        page.locator("#mistakes").get_by_text("not made of whole panes").first.wait_for()
