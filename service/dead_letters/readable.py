"""Shows any bytes or text to a person: nothing of it moves a cursor, turns a line around or is invisible."""

from __future__ import annotations

from collections.abc import Iterator

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_A_ROW = 16


def visible(data: bytes | str) -> str:
    r"""The text on one line, with everything that cannot be seen escaped.

    Bytes that are no UTF-8 become `\xff`, control characters `\x1b` or `\n`, lone surrogates and what sets the
    direction of writing `\u202e`. A backslash stays one, or JSON could not be read: the hex dump tells them apart.

    >>> print(visible(b"\x1b[2Jred\xff\n"))
    \x1b[2Jred\xff\n
    """
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    return text if text.isprintable() else "".join(map(_mark, text))


def visible_lines(data: bytes) -> list[str]:
    """The text of several lines, each ending with the mark of its break, so that JSON over many lines can be read."""
    lines = [visible(line) for line in data.split(b"\n")]
    return [f"{line}\\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def hex_dump(data: bytes) -> Iterator[str]:
    """Lines as `hexdump -C` writes them: sixteen bytes each, `*` for lines like the one before, the size at the end."""
    before, starred = b"", False
    for at in range(0, len(data), _A_ROW):
        row = data[at : at + _A_ROW]
        if row == before:
            if not starred:
                yield "*"
            starred = True
            continue
        before, starred = row, False
        yield f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{_printed(row)}|"
    if data:
        yield f"{len(data):08x}"


def _printed(row: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)


def _mark(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:
        return _SHORT.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
