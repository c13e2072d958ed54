"""What one event may cost: it is refused with the limit it broke, or counted, in little memory either way."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from service.intake.decoder import Decoder
from service.intake.limits import KEPT_KEY_BYTES
from service.intake.source import Records
from service.messages import Reason
from service.sketches.codec import pane_to_bytes
from tests.intake.events import CONFIGURATION, event, feature, records, sketches

MIB = 2**20
MOST_MEMORY_BYTES = 64 * MIB


def of_feature(raw: str) -> bytes:
    """An event with this JSON as one of its features."""
    return json.dumps(event(features={"amount": 1.5, "odd": 0})).replace('"odd": 0', f'"odd": {raw}').encode()


def wide(features: int) -> dict[str, Any]:
    return event(features={f"f{i:05}": i for i in range(features)})


LEFT_BYTES = MIB - len(of_feature('""'))
REFUSED = {
    "10,000 features": (wide(10_000), Reason.TOO_WIDE, "10000 features; at most 2000"),
    "60,000 features": (wide(60_000), Reason.TOO_WIDE, "at most 2000"),
    "a byte over a mebibyte": (of_feature(f'"{"x" * (LEFT_BYTES + 1)}"'), Reason.TOO_LARGE, f"at most {MIB}"),
    "64 MiB": (b"x" * 64 * MIB, Reason.TOO_LARGE, f"at most {MIB}"),
    "brackets to the brim": (of_feature("[" * 2**19 + "]" * (2**19 - 200)), Reason.TOO_DEEP, "deeper than 32"),
    "half a million objects, one in the other": (b'{"a":' * 174_000, Reason.TOO_DEEP, "deeper than 32"),
    "a mebibyte of digits": (of_feature("1" * LEFT_BYTES), Reason.NUMBER_OUT_OF_RANGE, "too many digits"),
    "a mebibyte of a model": (event(model="m" * (MIB - 300)), Reason.BAD_NAME, "1 to 200 characters"),
}  # fmt: skip
COUNTED = {
    "2,000 features": wide(2_000),
    "a text of a mebibyte": of_feature(f'"{"x" * LEFT_BYTES}"'),
    "an array of 10^5": of_feature(json.dumps(list(range(100_000)))),
    "an array of half a million": of_feature("[" + "0," * (LEFT_BYTES // 2 - 2) + "0]"),
    "a feature's name of a mebibyte": event(features={"n" * (MIB - 300): 1}),
    "an id of a mebibyte": event(id="i" * (MIB - 300)),
    "a version of a mebibyte": event(version="v" * (MIB - 300)),
    "100,000 scores": event(prediction={"scores": {str(i): 0.5 for i in range(60_000)}}),
    "20,000 tags": event(tags={f"t{i}": i for i in range(20_000)}),
    "a mebibyte of escapes": of_feature('"' + "\\u0000" * (LEFT_BYTES // 6) + '"'),
    "a mebibyte of ignored fields": event(**{f"x{i}": None for i in range(40_000)}),
}  # fmt: skip


def decoded_within(decoder: Decoder, whole: Records) -> Any:
    """What becomes of the records, counted into a sketch too; fails if it took much memory."""
    tracemalloc.start()
    try:
        made = decoder.decode(whole)
        sketch = sketches(decoder, [made])
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY_BYTES
    finally:
        tracemalloc.stop()
    return made, sketch.get("labels")


@pytest.mark.parametrize(("value", "reason", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_breaks_a_limit_is_a_dead_letter_that_names_the_limit(
    value: object, reason: Reason, said: str
) -> None:
    made, _ = decoded_within(Decoder(CONFIGURATION), records([value]))
    [letter] = made.dead
    assert letter.reason is reason
    assert said in letter.detail


@pytest.mark.parametrize("value", COUNTED.values(), ids=COUNTED.keys())
def test_what_breaks_none_is_counted_and_leaves_a_small_sketch(value: object) -> None:
    made, sketch = decoded_within(Decoder(CONFIGURATION), records([value]))
    assert not made.dead
    assert sketch.inferences == 1
    assert len(pane_to_bytes(sketch)) < MIB
    assert len(sketch.extras) <= 512 + 4


def test_of_a_key_of_a_mebibyte_the_start_is_kept() -> None:
    whole = records([b"junk"])
    hostile = Records(whole.partition, whole.offsets, whole.timestamps_ms, whole.values, [b"k" * MIB])
    [letter] = Decoder(CONFIGURATION).decode(hostile).dead
    assert letter.key == b"k" * KEPT_KEY_BYTES


def test_ever_new_categories_are_a_few_hundred_counts_and_one_estimate() -> None:
    decoder = Decoder(CONFIGURATION)
    sketch = None
    for start in range(0, 40_000, 4_000):
        whole = records([event(features={"odd": f"c{i}"}) for i in range(start, start + 4_000)])
        made = sketches(decoder, [decoder.decode(whole)])["labels"]
        if sketch is None:
            sketch = made
        else:
            sketch.merge(made)
    assert sketch is not None
    texts = sketch.extras[feature("odd")].texts
    assert (texts.total, len(texts.counts)) == (40_000, 256)
    assert texts.distinct == pytest.approx(40_000, rel=0.3)
    assert len(pane_to_bytes(sketch)) < 2**17
