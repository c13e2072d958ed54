"""Hostile bytes are shown as text, every one of them visible."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dead_letters.readable import hex_dump, visible, visible_lines
from tests.servers.requirements import require_or_skip

ESCAPE = "\x1b"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", "plain"),
        (b"\x1b[2J\x1b[31mred", r"\x1b[2J\x1b[31mred"),
        (b"one\r\ntwo\tthree", r"one\r\ntwo\tthree"),
        (b"a\x00b\x7f", r"a\x00b\x7f"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
        ("\ud800", r"\ud800"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("line\u2028paragraph\u2029next\x85", r"line\u2028paragraph\u2029next\x85"),
        ("\U000e0041", r"\U000e0041"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("漢字 🔔 é", "漢字 🔔 é"),
        (b'{"a":"x\\ny"}', '{"a":"x\\ny"}'),
    ],
)
def test_what_cannot_be_seen_is_escaped_and_the_rest_stays(data: bytes | str, shown: str) -> None:
    assert visible(data) == shown


@given(st.binary(max_size=300))
def test_no_bytes_reach_a_terminal_as_anything_but_visible_text(data: bytes) -> None:
    lines = [visible(data), *visible_lines(data), *hex_dump(data)]
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert [c for line in lines for c in line if unicodedata.category(c) in hidden] == []


@given(st.text(st.characters(), max_size=100))
def test_no_text_does_either_lone_surrogates_included(text: str) -> None:
    assert visible(text).isprintable()
    visible(text).encode()


def test_a_value_of_many_lines_keeps_its_lines() -> None:
    assert visible_lines(b'{\r\n  "a": 1\n}') == ["{\\r\\n", '  "a": 1\\n', "}"]
    assert visible_lines(b"a\n") == ["a\\n"]
    assert visible_lines(b"") == []


def test_a_hex_dump_has_offsets_two_groups_and_the_printable_characters() -> None:
    assert list(hex_dump(b'{"a":\x1b[1m\xff 12345678')) == [
        '00000000  7b 22 61 22 3a 1b 5b 31  6d ff 20 31 32 33 34 35  |{"a":.[1m. 12345|',
        "00000010  36 37 38                                          |678|",
        "00000013",
    ]  # fmt: skip
    assert list(hex_dump(b"")) == []


@pytest.mark.parametrize(
    "data", [b"", b"a", bytes(range(256)), b"x" * 64 + b"y" * 16 + b"x" * 40, b"\x00" * 32, b"z" * 17]
)
def test_a_hex_dump_is_that_of_the_well_known_tool(data: bytes) -> None:
    tool = shutil.which("hexdump")
    require_or_skip(tool, "hexdump", "apt-get install bsdextrautils")
    told = subprocess.run([str(tool), "-C"], input=data, capture_output=True, check=True).stdout.decode()
    assert list(hex_dump(data)) == told.splitlines()
