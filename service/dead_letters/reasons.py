"""Why a record is a dead letter, in words for a person, and what helps."""

from __future__ import annotations

from dataclasses import dataclass

from service.messages import Reason


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason says of a record, and what usually helps."""

    words: str
    helps: str


_PRODUCER = "repair or roll back the producer, then replay"
_ENCODING = "have the producer write UTF-8 JSON, then replay what was meant otherwise"
_CLOCK = "correct the producer's clock or its unit of time (`ts_unit` of the monitor)"

MEANINGS = {
    Reason.EMPTY_VALUE: Meaning("the record has a value without a single byte", _PRODUCER),
    Reason.TOO_LARGE: Meaning(
        "the record is larger than is read", "raise `DRIFTBELL_MAX_EVENT_BYTES`, or send less; then replay"
    ),
    Reason.BAD_UTF8: Meaning("the bytes are no UTF-8", _ENCODING),
    Reason.LONE_SURROGATE: Meaning("a text holds half of a surrogate pair", _ENCODING),
    Reason.TOO_DEEP: Meaning("the JSON is nested too deeply", "send features flat"),
    Reason.NONFINITE_NUMBER: Meaning(
        "the JSON holds NaN or Infinity, which JSON does not have", "send null where there is no number"
    ),
    Reason.NUMBER_OUT_OF_RANGE: Meaning("a number is too large to be one", _PRODUCER),
    Reason.BAD_JSON: Meaning("the bytes are no JSON", _PRODUCER),
    Reason.NOT_AN_OBJECT: Meaning("the JSON is no object", "send one object a record, not a list or a text"),
    Reason.UNKNOWN_TYPE: Meaning(
        "the field `type` is none of prediction, features and label",
        "see whether this topic is the right one",
    ),
    Reason.MISSING_FIELD: Meaning("a field that every event has is missing", _PRODUCER),
    Reason.BAD_FIELD: Meaning("a field holds another type than it must", _PRODUCER),
    Reason.BAD_NAME: Meaning("a name is empty, too long or unreadable", "send a name of 1 to 200 characters"),
    Reason.TOO_WIDE: Meaning("the event has more features than are read", "send fewer features"),
    Reason.UNKNOWN_MODEL: Meaning(
        "no monitor names this model", "apply a monitor for it (`driftbell apply`), then replay"
    ),
    Reason.BAD_TIMESTAMP: Meaning(
        "the event's time cannot be read", "send ISO 8601, or say `ts_unit` in the monitor"
    ),
    Reason.FUTURE_TIMESTAMP: Meaning("the event's time lies ahead of its record's", _CLOCK),
    Reason.KILLS_PROCESS: Meaning(
        "a collector died each time that it read this record",
        "find out why before you replay it (`driftbell dead-letters show`), and tell driftbell's makers",
    ),
}
_UNKNOWN = Meaning(
    "a reason that this version of driftbell does not know", "run the newest version of driftbell"
)


def meaning_of(reason: str) -> Meaning:
    """Of a stored reason; a newer driftbell may have stored one that we do not know."""
    try:
        return MEANINGS[Reason(reason)]
    except ValueError:
        return _UNKNOWN
