"""A report as one HTML file: names in it are text, and it needs nothing from elsewhere."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from service.dead_letters.readable import visible
from service.reports.document import Bar, Histogram, Report, Section, Strip, Table, Timeline
from service.reports.incident import incident_report
from service.web.report_page import STRIP_HEIGHT, html_of, path_of, report_policy
from tests.reports.made import T, hostile_case
from tests.security.payloads import PAYLOADS

MOST_BYTES = 150_000
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "section", "dl", "dt", "dd", "div",
    "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "path", "line", "rect", "span",
    "footer",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "name", "content", "class", "tabindex", "scope", "data-name", "viewbox", "preserveaspectratio",
    "role", "aria-label", "aria-hidden", "d", "x1", "x2", "y1", "y2", "y", "width", "height",
}  # fmt: skip


class Reader(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.style = ""
        self._in_style = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's word
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data
        else:
            self.texts.append(data)


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_names_in_every_field_are_text(name: str) -> None:
    found = Reader(html_of(incident_report(hostile_case(name))))
    assert found.tags - TAGS == set()
    assert found.attributes - ATTRIBUTES == set()
    assert found.texts.count(visible(name)) >= 6
    assert all(text.replace("\n", "").isprintable() for text in found.texts)


def test_the_page_asks_nobody_for_anything() -> None:
    page = html_of(incident_report(hostile_case("amount")))
    assert not re.search(
        r"(?i)https?:|//|url\(|@import|<script|<link|<img| href| src| style=| on[a-z]+=", page
    )
    assert 'name="referrer" content="no-referrer"' in page


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    style = Reader(html_of(incident_report(hostile_case("amount")))).style
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert report_policy() == (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_columns_over_the_limit_are_drawn_apart_and_the_limit_is_half_way_up() -> None:
    strip = Strip("amount", "said", (1.0, None, 2.0, 9.0))
    assert path_of(strip, over=False, is_limited=True) == f"M0 {STRIP_HEIGHT}v-10h.9v10z"
    assert path_of(strip, over=True, is_limited=True) == "M2 20v-20h.9v20zM3 20v-20h.9v20z"
    assert (
        path_of(Strip("n", "", (0.5, 1.0)), over=False, is_limited=False)
        == "M0 20v-10h.9v10zM1 20v-20h.9v20z"
    )
    assert path_of(Strip("n", "", (0.5, 1.0)), over=True, is_limited=False) == ""


def test_the_largest_report_is_below_150_kb() -> None:
    name = "x" * 200
    table = Table(tuple(f"c{n}" for n in range(10)), tuple((name, *["0.1234"] * 8, "5m") for _ in range(24)))
    strips = tuple(Strip(name, "said", (1.234567,) * 60) for _ in range(10))
    bars = Histogram("amount", 3_000, 500, tuple(Bar(name, 0.123, 0.456) for _ in range(13)))
    sections = (
        *(Section(f"s{n}", ("said",) * 20, table) for n in range(6)),
        Section("Scores", timeline=Timeline(T, T + 1, strips)),
        Section("Values", histograms=(bars,) * 4),
    )
    page = html_of(Report("t", "s", (("a", "b"),) * 10, sections, "made"))
    assert len(page.encode()) < MOST_BYTES
    assert page.count("<path") == 20
    assert "reference, 3,000 rows" in page
