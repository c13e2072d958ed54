"""Which unknown fields of a model's events come often enough to be decoded the fast way."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from service.intake.schema import Fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.intake.loose import LooseEvent

_MOST_FIELDS = 512


def learn_fields(known: Fields, events: Sequence[LooseEvent]) -> Fields:
    """The known fields and those that more than half of these events have, as numbers or texts by their values."""
    rows = [e.features for e in events if e.kind != "label"]
    seen: dict[str, list[Any]] = {}
    for row in rows:
        for name in row.keys() - known.names:
            seen.setdefault(name, []).append(row[name])
    usual = [name for name in _usual({n: len(v) for n, v in seen.items()}, len(rows))]
    others = _usual(Counter(name for e in events for name in e.others - set(known.others)), len(events))
    room = _MOST_FIELDS - len(known.learned_numbers) - len(known.learned_texts)
    numbers = tuple(n for n in usual[:room] if all(type(v) in {int, float} for v in seen[n]))
    texts = tuple(n for n in usual[:room] if n not in numbers)
    return Fields(
        known.numbers, known.texts, known.learned_numbers + numbers, known.learned_texts + texts,
        (known.others + tuple(others))[:_MOST_FIELDS],
    )  # fmt: skip


def _usual(counts: dict[str, int], n: int) -> list[str]:
    return sorted(name for name, count in counts.items() if 2 * count > n and name.isascii() and name.isprintable())
