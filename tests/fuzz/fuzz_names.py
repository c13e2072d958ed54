"""Any text as a name: a clean one that stays as it is, or none; pages, metrics and tables can show it."""

from __future__ import annotations

import unicodedata

from service.names import LONGEST_NAME, LONGEST_NAME_BYTES, clean_name

INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def one_input(data: bytes) -> None:
    """Clean it, twice."""
    text = data.decode("utf-8", "surrogateescape")
    name = clean_name(text)
    if name is None:
        return
    assert 0 < len(name) <= LONGEST_NAME
    assert len(name.encode()) <= LONGEST_NAME_BYTES
    assert not {unicodedata.category(mark) for mark in name} & INVISIBLE
    assert unicodedata.is_normalized("NFC", name)
    assert clean_name(name) == name
