"""What a monitor may say of predictions to label: shares that sum to one, and nothing is kept unless asked for."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.monitor import FeedbackPolicy, Monitor
from service.monitor_file import dump_monitors, parse_monitors


def policy_of(text: str) -> FeedbackPolicy:
    (monitor,) = parse_monitors(f"models:\n  m:\n    feedback: {text}\n", "monitors.yaml")
    return monitor.feedback


def test_none_is_asked_for_unless_told() -> None:
    assert Monitor("m").feedback == FeedbackPolicy(per_day=0)
    assert "feedback" not in dump_monitors([Monitor("m")])


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("{per_day: 100}", FeedbackPolicy(100, 0.5, 0.3, 0.2)),
        ("{per_day: 100, uncertain: 0.8, surprising: 0, random: 0.2}", FeedbackPolicy(100, 0.8, 0.0, 0.2)),
        ("{per_day: 7, uncertain: 0.3333333, surprising: 0.3333333, random: 0.3333334}",
         FeedbackPolicy(7, 0.3333333, 0.3333333, 0.3333334)),
        ("{per_day: 0}", FeedbackPolicy()),
    ],
)  # fmt: skip
def test_a_policy_is_read_and_written_again(text: str, policy: FeedbackPolicy) -> None:
    assert policy_of(text) == policy
    monitor = Monitor("m", feedback=policy)
    assert parse_monitors(dump_monitors([monitor]), "again") == (monitor,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{per_day: -1}", "feedback.per_day is '-1'; write a whole number from 0 to 10000"),
        ("{per_day: 10001}", "feedback.per_day is '10001'; write a whole number from 0 to 10000"),
        ("{per_day: 5, random: 1.5}", "feedback.random is '1.5'; write a number from 0 to 1"),
        ("{per_day: 5, unsure: 1}", "feedback.unsure is not a known key; write per_day, uncertain, surprising"),
        ("{per_day: 5, uncertain: 0.8}", "uncertain, surprising and random that sum to 1.3; write all three, so that"),
        ("often", "feedback is a single value; write a mapping of keys to values"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_what_to_write_instead(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        policy_of(text)
    assert sentence in "\n".join(caught.value.problems)
