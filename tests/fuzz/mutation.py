"""Hostile values by chance: mutations of seeds, and events of a grammar in which anything may stand anywhere."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

PIECES = (
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"null", b"true", b"NaN", b"-1", b"1e308", b"1e999", b"1" * 40, b'"',
    b"\\u0000", b"\\ud800", b"[", b"]", b"{", b"}", b",", b":", b"\n", b"&a", b"*a",
    b"\x7f\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
)  # fmt: skip
LONGEST = 65_536
NAMES = (
    "amount",
    "country",
    "x",
    "e\u0301",
    "a\u200bb",
    "=cmd|'x'",
    "<img src=x>",
    "__proto__",
    "",
    "n" * 300,
    "\0",
)
TEXTS = (
    *NAMES,
    "1.0",
    "NaN",
    "null",
    "DE",
    "\u202eabc",
    "\x1b[31m",
    "'; DROP TABLE pane",
    "\U0001f600",
    "\ud800",
)
NUMBERS = (
    0,
    -0.0,
    1.5,
    2**53 + 1,
    2**63,
    2**64,
    -(2**70),
    10**400,
    1e308,
    5e-324,
    float("nan"),
    float("-inf"),
)
TIMES = ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00.5+05:30", "2026-06-30T23:59:60Z", "0000-01-01T00:00:00Z",
         "soon", "20261121", -1, 1e300, 253_402_300_800, True)  # fmt: skip


def mutated(chance: random.Random, seed: bytes, other: bytes) -> bytes:
    """Some bytes overwritten, flipped, cut out, doubled or taken from another input."""
    data = bytearray(seed)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        at, length = chance.randrange(len(data) + 1), chance.choice([0, 1, 1, 2, 4, 8])
        cut = chance.randrange(len(other) + 1)
        piece = chance.choice([
            chance.choice(PIECES), chance.randbytes(length), other[cut : cut + chance.randrange(40)],
            bytes(byte ^ 1 << chance.randrange(8) for byte in data[at : at + 1]), data[at : at + 20] * 2,
        ])  # fmt: skip
        data[at : at + length] = piece
    return bytes(data[:LONGEST])


def hostile_event(chance: random.Random, models: Sequence[str], now_ms: int) -> bytes:
    """An event as JSON, also what is none, of which each part is as it should be or anything at all."""
    usual: dict[str, Callable[[], object]] = {
        "type": lambda: chance.choice(["prediction", "features", "label"]),
        "model": lambda: chance.choice(models),
        "id": lambda: f"p-{chance.randrange(10**6)}",
        "ts": lambda: now_ms - chance.randrange(60_000),
        "version": lambda: chance.choice(["1", 2]),
        "features": lambda: {chance.choice(NAMES): anything(chance, 2) for _ in range(chance.randrange(6))},
        "prediction": lambda: {"label": anything(chance, 1), "score": anything(chance, 1)},
        "label": lambda: anything(chance, 1),
        "tags": lambda: {chance.choice(NAMES): anything(chance, 1)},
    }
    body: dict[str, object] = {}
    for name, make in usual.items():
        kind = chance.random()
        if kind < 0.88:
            body[name] = make()
        elif kind < 0.94:
            body[name] = chance.choice(TIMES) if name == "ts" else anything(chance, 3)
    return json.dumps(body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def anything(chance: random.Random, depth: int) -> Any:
    """Any value that JSON, or Python's idea of it, can hold."""
    kind = chance.randrange(8 if depth else 6)
    if kind < 2:
        return chance.choice(TEXTS)
    if kind < 5:
        return chance.choice(NUMBERS)
    if kind == 5:
        return chance.choice([None, True, False])
    inner = [anything(chance, depth - 1) for _ in range(chance.randrange(4))]
    return inner if kind == 6 else {chance.choice(TEXTS): value for value in inner}
