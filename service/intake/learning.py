"""What is learned of events that no monitor describes: models, and fields that come often enough to go the fast way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.intake.schema import Fields, is_decodable
from service.names import clean_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.intake.loose import LooseEvent

MOST_LEARNED_MODELS = 100
"""Of a whole deployment: learning one changes the configuration's revision, so that no two workers exceed it."""
MOST_LEARNED_FIELDS = 512
_SEEN = 256
"""So many events are enough to judge by."""
_NUMBERS = {int, float, type(None)}
_SCALARS = _NUMBERS | {str, bool}
_MEANT = {"type", "model", "version", "id", "ts", "features", "prediction", "latency_ms", "tags", "label"}


def learn_fields(known: Fields, events: Sequence[LooseEvent], most: int = MOST_LEARNED_FIELDS) -> Fields:
    """The known fields and those that more than half of these events have, as numbers or as scalars.

    A number, of the grid or learned, that is a text in some of them becomes a scalar, which may be either.
    """
    events = events[:_SEEN]
    typed = {*known.numbers, *known.learned_numbers}
    features = _usual([e.features for e in events if e.kind != "label"], known.names - typed)
    others = _usual([e.body for e in events], _MEANT | set(known.others))
    numbers = {name for name, kinds in features.items() if kinds <= _NUMBERS and kinds != {type(None)}}
    flipped = {name for name in typed & features.keys() if not features[name] <= _NUMBERS}
    room = most - len(known.learned_numbers) - len(known.learned_scalars)
    new = [name for name in features if name not in typed][: max(0, room)]
    scalars = flipped | (set(new) - numbers)
    return Fields(
        tuple(name for name in known.numbers if name not in flipped), known.texts,
        tuple(name for name in (*known.learned_numbers, *new) if name not in scalars),
        known.learned_scalars + tuple(name for name in features if name in scalars),
        (known.others + tuple(others))[:MOST_LEARNED_FIELDS],
    )  # fmt: skip


def _usual(rows: Sequence[dict[str, Any]], known: Iterable[str]) -> dict[str, set[type]]:
    """The decodable scalar fields that more than half of the rows have, and their values' types."""
    seen: dict[str, list[type]] = {}
    for row in rows:
        for name in row.keys() - known:
            if (kind := type(row[name])) in _SCALARS:
                seen.setdefault(name, []).append(kind)
    return {
        name: set(kinds)
        for name, kinds in sorted(seen.items())
        if 2 * len(kinds) > len(rows) and clean_name(name) == name and is_decodable(name)
    }
