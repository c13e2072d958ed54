"""Debian's Chromium without a window, driven by Playwright, and what a page may not do in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.servers.requirements import require_or_skip

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, ViewportSize

INSTALL = "apt-get install -y chromium"
WATCH = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@dataclass
class Visit:
    """A page of a browser of its own, and what it did that no page of ours does."""

    page: Page
    host: str = ""
    misdeeds: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note dialogs, script errors, complaints in the console (CSP's among them) and requests elsewhere."""
        self.page.add_init_script(WATCH)
        self.page.on("dialog", lambda dialog: self._note("dialog", dialog.message) or dialog.dismiss())
        self.page.on("pageerror", lambda error: self._note("script error", error))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self._judge(request.url))

    def open(self, url: str) -> str:
        """Go there and wait until all is loaded; gives the text that a person sees."""
        self.host = urlsplit(url).netloc
        self.page.goto(url, wait_until="load")
        return self.text

    @property
    def text(self) -> str:
        """All text of the page, as it is in the document."""
        return str(self.page.evaluate("document.body.textContent"))

    def value_of(self, expression: str) -> object:
        """What JavaScript finds in the page."""
        return self.page.evaluate(expression)

    def _hear(self, said: ConsoleMessage) -> None:
        if not said.location["url"].endswith("/favicon.ico"):  # which a browser asks for by itself
            self._note(f"console {said.type}", said.text)

    def _judge(self, url: str) -> None:
        if urlsplit(url).netloc not in {self.host, ""}:
            self._note("request", url)

    def _note(self, what: str, why: object) -> None:
        self.misdeeds.append(f"{what}: {why} ({self.page.url})")


_DRIVERS: list[Playwright] = []
"""The one that runs: a process has one, whoever asks for browsers meanwhile."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser."""
    program = shutil.which("chromium")
    require_or_skip(program, "Chromium", INSTALL)
    with _driver() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _driver() -> Iterator[Playwright]:
    if _DRIVERS:
        yield _DRIVERS[0]
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        _DRIVERS.append(playwright)
        try:
            yield playwright
        finally:
            _DRIVERS.clear()


@contextmanager
def visit(browser: Browser, *, width: int = 1200, dark: bool = False) -> Iterator[Visit]:
    """A page without cookies or history, in a window this wide and in one of the two themes."""
    viewport: ViewportSize = {"width": width, "height": 900}
    context = browser.new_context(viewport=viewport, color_scheme="dark" if dark else "light")
    made = Visit(context.new_page())
    made.watch()
    try:
        yield made
    finally:
        context.close()
