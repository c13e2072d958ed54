"""Numbers and kinds of missing, as charts and their tables name them."""

from __future__ import annotations

import math

from service.messages import Missing

MISSING_WORDS = {
    Missing.NULL: "null",
    Missing.ABSENT: "absent",
    Missing.NAN: "NaN",
    Missing.INFINITE: "infinite",
    Missing.EMPTY: "empty text",
    Missing.WRONG_TYPE: "wrong type",
}
MISSING_MEANINGS = {
    Missing.NULL: "the event says null",
    Missing.ABSENT: "the event does not have the field",
    Missing.NAN: "the event says NaN: a number that is none",
    Missing.INFINITE: "the event says infinity",
    Missing.EMPTY: "the event says an empty text",
    Missing.WRONG_TYPE: "the event has a text where numbers belong, or the other way round",
}
_PLAIN = (1e-4, 1e15)


def number_to(value: float, step: float) -> str:
    """A number with as many decimals as tell it from another one that is `step` away."""
    if value == 0:
        return "0"
    if not _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return f"{value:.4g}"
    decimals = 0 if step <= 0 else max(0, min(15, math.ceil(-math.log10(step))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
