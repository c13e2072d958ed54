"""Markdown of a report: what a name says stays text, and pictures are letters."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.dead_letters.readable import visible
from service.reports.document import Bar, Histogram, Report, Section, Strip, Table, Timeline
from service.reports.incident import incident_report
from service.reports.markdown import line, markdown_of, text
from tests.reports.made import T, hostile_case
from tests.security.payloads import PAYLOADS

MARKUP = (
    "# heading", "- item", "+ item", "1. item", "12) item", "> quote", "---", "===", "`code`", "```", "~~gone~~",
    "*a* _b_ __c__", "[a](http://evil.example)", "![a](http://evil.example/x.png)", "<http://evil.example>",
    "http://evil.example", "www.evil.example", "a@evil.example", "@everybody", "a | b", "[1]: http://evil.example",
    "\\*", "&lt;b&gt;", "    code", "$x$", "trailing\\",
)  # fmt: skip
KINDS = {"text", "softbreak", "inline"} | {
    f"{name}_{side}"
    for name in (
        "heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td", "strong",
    )
    for side in ("open", "close")
}  # fmt: skip


def parsed(markdown: str) -> list[Token]:
    found: list[Token] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        found += [token, *(token.children or [])]
    return found


def shown(markdown: str) -> str:
    return "".join(
        token.content for token in parsed(markdown) if token.type in {"text", "code_inline", "html_inline"}
    )


@pytest.mark.parametrize("name", [*PAYLOADS, *MARKUP])
def test_any_name_is_read_as_the_text_it_is(name: str) -> None:
    expected = visible(name).strip()
    assert shown(f"- {line(name)}") == expected
    assert shown(f"| a |\n| --- |\n| {text(name)} |").removeprefix("a") == expected


@pytest.mark.parametrize("name", [*PAYLOADS, *MARKUP])
def test_hostile_names_in_every_field_make_no_markup(name: str) -> None:
    markdown = markdown_of(incident_report(hostile_case(name)))
    tokens = parsed(markdown)
    assert {token.type for token in tokens} - KINDS == set()
    assert sum(token.type == "heading_open" for token in tokens) == markdown.count("\n## ") + 1
    assert not re.search(r"(?i)https?://|\bwww\.", markdown)
    assert markdown.replace("\n", "").isprintable()


def test_a_score_at_its_limit_is_in_the_lower_half_and_one_over_it_in_the_upper() -> None:
    strip = Strip("amount", "worst", (0.0, 0.5, 1.0, 1.01, 2.0, 99.0, None))
    timeline = Timeline(T, T + 420_000, (strip,))
    markdown = markdown_of(Report("t", "s", (), (Section("Scores", timeline=timeline),), "made"))
    assert "| amount | ▁▃▄▅███ |".replace("███", "██·") in markdown
    assert "2026-11-22 00:00 to 2026-11-22 00:07 UTC" in markdown


def test_histograms_and_tables_are_tables() -> None:
    histogram = Histogram("country", 3_000, 500, (Bar("DE", 0.5, 0.25), Bar("unseen", 0.0, 0.0004)))
    table = Table(("about", "n"), (("a|b", "1"),), frozenset({"n"}))
    sections = (Section("Values", histograms=(histogram,)), Section("Evidence", ("said",), table))
    markdown = markdown_of(Report("t", "s", (("cause", "x"),), sections, "made"))
    assert "The reference has 3,000 rows, now there are 500." in markdown
    assert "| DE | 50.0 % | 25.0 % |\n| unseen | 0 % | < 0.1 % |".replace("<", "&lt;") in markdown
    assert "- said\n\n| about | n |\n| --- | --: |\n| a\\|b | 1 |" in markdown
