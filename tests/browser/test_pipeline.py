"""The pipeline and its dead letters in a browser: good to look at, renewed in place, replayed in two steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, update

from service.dead_letters.replaying import Replaying
from service.embedded import EmbeddedPostgres
from service.intake.limits import Limits
from service.messages import Partition, UnknownModels
from service.monitor import Monitor
from service.store.configuration import apply_monitors
from service.store.engine import transaction
from service.store.tables import source_partition
from tests.browser.looks import assert_good
from tests.fakes.appending import AppendedLog
from tests.servers.chromium import visit
from tests.web import pipeline_window
from tests.web.databases import empty, migrated
from tests.web.seeding import HOSTILE_NAMES, add_dead_letter
from tests.web.serving import Site, site_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

GOOD = b'{"type":"features","model":"churn","features":{"amount":1}}'
LETTER = "pipeline/dead-letters/a%2Fb%3Fc%3Dd%26e%23f%252F/3/100"


@pytest.fixture(scope="module")
def engine(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    with migrated(postgres_server, "pipeline_page") as engine:
        empty(engine)
        pipeline_window.fill(lambda seed, *values, **changes: _add(engine, seed, *values, **changes))
        yield engine


def _add(engine: Engine, seed: object, *values: object, **changes: object) -> None:
    with transaction(engine) as connection:
        seed(connection, *values, **changes)  # type: ignore[operator]


@pytest.fixture
def site(engine: Engine) -> Iterator[Site]:
    with site_of(engine) as site:
        yield site


@pytest.mark.parametrize(
    ("path", "name", "seen"),
    [
        ("pipeline", "pipeline", ["Where records ended", "is halted", "bad_json"]),
        ("pipeline/dead-letters", "dead-letters", ["Start of its value", "bad_json"]),
        (LETTER, "dead-letter", ["Value as text", "Value as bytes"]),
    ],
)
def test_its_pages_are_good_in_both_widths_and_themes(
    browser: Browser, site: Site, path: str, name: str, seen: list[str]
) -> None:
    assert_good(browser, f"{site.url}/{path}", name, seen=seen)


def test_hostile_bytes_are_shown_and_do_nothing(browser: Browser, site: Site) -> None:
    with visit(browser) as visitor:
        text = visitor.open(f"{site.url}/{LETTER}")
        assert r"\x00\x01\xff\xfe\x1b[2Jcleared\x0d\n" in text.replace("\\r", "\\x0d")
        assert r"\u202eright to left <script>alert(1)</script>" in text
        assert "00000000  00 01 ff fe 1b 5b 32 4a" in text
        assert HOSTILE_NAMES[2] in text
        assert visitor.misdeeds == []


def test_the_page_is_renewed_in_place_and_nobody_is_disturbed_who_types(
    browser: Browser, engine: Engine
) -> None:
    with site_of(engine) as site, visit(browser) as visitor:
        visitor.page.clock.install()
        visitor.open(f"{site.url}/pipeline?topic={pipeline_window.TOPIC}")
        _set_halted(engine, "a new reason to be halted")
        visitor.page.locator("input[name=topic]").fill("typed meanwhile")
        visitor.page.clock.run_for(40_000)
        visitor.page.get_by_text("a new reason to be halted").first.wait_for()
        assert visitor.page.locator("input[name=topic]").input_value() == "typed meanwhile"
        _set_halted(engine, "its topic was made anew; its id differs")
        assert visitor.misdeeds == []


def test_what_cannot_be_renewed_is_said_to_be_old(browser: Browser, engine: Engine) -> None:
    with visit(browser) as visitor:
        with site_of(engine) as site:
            visitor.page.clock.install()
            visitor.open(f"{site.url}/pipeline")
        visitor.page.clock.run_for(40_000)
        visitor.page.get_by_text("Stale since").wait_for()


def _set_halted(engine: Engine, why: str) -> None:
    with transaction(engine) as connection:
        halted = source_partition.c.halted.is_not(None)
        connection.execute(update(source_partition).where(halted).values(halted=why))


# ---------------------------------------------------------------- replaying
@pytest.fixture
def replayable(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    """A database with a model whose events can be read, and one letter that is one."""
    with migrated(postgres_server, "replay_page") as engine:
        _add(engine, add_dead_letter, 7, value=GOOD, size=len(GOOD), reason="unknown_model")
        apply_monitors(engine, [Monitor("churn")], [], 0)
        yield engine


def test_a_letter_is_looked_at_before_it_is_written(browser: Browser, replayable: Engine) -> None:
    log = AppendedLog()
    replaying = Replaying(replayable, UnknownModels.QUARANTINE, Limits(), log.open, log.open)
    with site_of(replayable, replaying=replaying) as site, visit(browser) as visitor:
        visitor.open(f"{site.url}/pipeline/dead-letters/events/0/7")
        write = visitor.page.locator("[data-write]")
        assert not write.is_visible()
        visitor.page.get_by_role("button", name="Look what would become of it").click()
        visitor.page.get_by_text("Of 1 record: 1 would be accepted.").wait_for()
        assert log.records == {}
        write.click()
        visitor.page.get_by_text("1 record written to the log again.").wait_for()
        assert visitor.misdeeds == []
    (written,) = log.appended(Partition("events", 0))
    assert written.value == GOOD


def test_where_no_log_is_known_the_page_says_which_command_does_it(browser: Browser, site: Site) -> None:
    with visit(browser) as visitor:
        text = visitor.open(f"{site.url}/{LETTER}")
        assert visitor.page.locator("[data-look]").count() == 0
        assert "driftbell dead-letters replay --topic" in text


def test_without_a_script_all_facts_are_there(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/pipeline")
    text = page.inner_text("main")
    context.close()
    for fact in ("is halted", "12,000", "nobody has owned it", "bad_json", "5,000", "collector-1", "churn"):
        assert fact in text
