"""Faults of labels."""

from __future__ import annotations

from collections import Counter

import pytest

from service.errors import ConfigurationError
from service.injection.fault import Fault
from service.injection.truths import ConceptFlip, LabelDelay, LabelSilence, PriorShift
from tests.injection.logs import MINUTE, START_MS, faulted, in_time, label, lines, of_all, parsed, rows

TRUTHS = ["yes", "no"] * 10
TWENTY = rows(20)
LABELED = in_time([*TWENTY, *(label(n, truth) for n, truth in enumerate(TRUTHS))])


def truths(made: list[bytes]) -> dict[str, object]:
    """The label of each inference."""
    return {e["id"]: e["label"] for e in parsed(made) if e["type"] == "label"}


# minute      0 ... 9 10 ... 19 20 ... 29
# inferences  0 ... 9 10 ... 19
# labels of           0  ...  9 10 ... 19      (the fault begins at minute 10: labels of 10 and later turn)
def test_the_truth_turns_for_what_was_predicted_since() -> None:
    made = truths(faulted(ConceptFlip(), LABELED, minute=10))
    assert list(made.values()) == TRUTHS[:10] + TRUTHS[11:] + ["yes"]


def test_inferences_keep_their_bytes_while_the_truth_turns() -> None:
    made = faulted(ConceptFlip(), LABELED)
    assert [line for line in made if b"prediction" in line] == lines(TWENTY)


def test_only_the_labels_of_one_segment_turn() -> None:
    made = truths(faulted(ConceptFlip(), LABELED, where=("country", "FR")))
    turned = [n for n, truth in enumerate(TRUTHS) if made[f"p-{n}"] != truth]
    assert turned == list(range(0, 20, 3))


def test_of_several_classes_each_takes_the_place_of_the_next() -> None:
    events = in_time([*rows(3), *(label(n, truth) for n, truth in enumerate("abc"))])
    assert list(truths(faulted(ConceptFlip(), events)).values()) == ["b", "c", "a"]


def test_numbers_are_multiplied_and_whole_classes_are_not() -> None:
    quantities = in_time([*rows(3), *(label(n, n + 0.5) for n in range(3))])
    assert of_all(faulted(ConceptFlip(2.0), quantities), "label") == [1.0, 3.0, 5.0]
    classes = in_time([*rows(2), label(0, 0), label(1, 1)])
    assert of_all(faulted(ConceptFlip(), classes), "label") == [1, 0]


def test_labels_stop_at_a_time_of_their_own() -> None:
    made = truths(faulted(LabelSilence(), LABELED, minute=25))
    assert [*made] == [f"p-{n}" for n in range(15)]
    assert [*truths(faulted(LabelSilence(), LABELED, where=("country", "FR")))] == [
        f"p-{n}" for n in range(20) if n % 3
    ]


def test_labels_come_later_and_say_so() -> None:
    made = parsed(faulted(LabelDelay("5m"), LABELED, minute=20, until=22))
    times = {e["id"]: (e["ts"] - START_MS) // MINUTE for e in made if e["type"] == "label"}
    assert [times[f"p-{n}"] for n in (9, 10, 11, 12)] == [19, 25, 26, 22]
    assert [e["id"] for e in made if e["type"] == "label"][10:18] == [
        f"p-{n}" for n in (12, 13, 14, 10, 15, 11, 16, 17)
    ]


def test_rows_of_the_growing_class_stand_in_with_their_label() -> None:
    events = in_time([*rows(400), *(label(n, "yes" if n % 4 == 0 else "no") for n in range(400))])
    made = faulted(PriorShift(), events, minute=200, share=0.5)
    mix = Counter(list(truths(made).values())[200:])
    assert 0.5 < mix["yes"] / 200 < 0.75
    assert truths(made) | {} == {
        **truths(made),
        **{f"p-{n}": "yes" if n % 4 == 0 else "no" for n in range(200)},
    }
    copied = [
        e for e in parsed(made) if e["type"] == "prediction" and e["features"]["amount"] != float(e["id"][2:])
    ]
    assert {truths(made)[e["id"]] for e in copied} == {"yes"}
    assert {e["features"]["amount"] % 4 for e in copied} == {0.0}
    assert {e["prediction"]["label"] for e in copied} == {"no"}


@pytest.mark.parametrize("fault", [ConceptFlip(), LabelSilence(), LabelDelay(), PriorShift()])
def test_a_log_without_labels_is_said(fault: Fault) -> None:
    with pytest.raises(
        ConfigurationError, match=f"the log has no labels of 'churn', which {fault.name} needs"
    ):
        faulted(fault, TWENTY)


def test_what_cannot_become_frequent_is_said() -> None:
    with pytest.raises(ConfigurationError, match="'maybe' is no label; write no or yes"):
        faulted(PriorShift("maybe"), LABELED)
    quantities = in_time([*rows(3), *(label(n, n + 0.5) for n in range(3))])
    with pytest.raises(ConfigurationError, match="the labels are numbers of many values"):
        faulted(PriorShift(), quantities)


def test_one_truth_only_cannot_turn() -> None:
    events = in_time([*rows(3), *(label(n, "yes") for n in range(3))])
    with pytest.raises(ConfigurationError, match="all labels of 'churn' are the same"):
        faulted(ConceptFlip(), events)
