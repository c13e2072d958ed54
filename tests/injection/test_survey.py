"""The first pass over a log."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.injection import survey as module
from service.injection.survey import EvenSample, survey
from tests.injection.logs import MINUTE, START_MS, label, log_of, row, rows, surveyed


def test_a_model_is_counted_and_its_columns_are_known() -> None:
    found = surveyed([*rows(100), b"junk", *(label(n, "yes" if n % 2 else "no") for n in range(50))])
    assert (found.model, found.inferences, found.labels_count, found.has_ids) == ("churn", 100, 50, True)
    assert found.feature("amount").is_numeric
    assert dict(found.feature("country").texts) == {"DE": 66, "FR": 34}
    assert dict(found.tags["channel"].values) == {"app": 100}
    assert dict(found.answers["label"].values) == {"yes": 75, "no": 25}
    assert (sorted(found.truths), found.labels.distinct) == (["no", "yes"], 2)


def test_times_are_by_share_of_the_inferences_and_not_of_the_span() -> None:
    events = [*rows(99), {**row(99), "ts": 4_070_908_800_000}]
    found = surveyed(events)
    assert found.at(0.5) == START_MS + 50 * MINUTE
    assert found.at(0.0) == START_MS
    assert found.at(1.0) == 4_070_908_800_000
    assert surveyed(rows(2_000)).last_ms == START_MS + 1_998 * MINUTE


def test_a_long_log_is_sampled_evenly_and_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 100)
    found = surveyed(rows(1_000))
    assert found.inferences == 1_000
    gaps = {b - a for a, b in zip(found.times, found.times[1:], strict=False)}
    assert gaps == {16 * MINUTE}
    assert len(found.times) <= 100


def test_a_full_sample_keeps_every_second() -> None:
    sample = EvenSample()
    records = list(log_of(rows(10))())
    for record in records:
        sample.take(record)
    assert sample.kept == records


def test_the_model_is_the_only_one_or_is_said() -> None:
    log = log_of([*rows(3), {**row(4), "model": "fraud"}])
    assert survey(log, "fraud").inferences == 1
    with pytest.raises(
        ConfigurationError, match="the log holds events of 2 models; say --model churn or fraud"
    ):
        survey(log)
    with pytest.raises(ConfigurationError, match=r"no events of model 'froud'; did you mean 'fraud'\?"):
        survey(log, "froud")


@pytest.mark.parametrize("events", [[], [b"junk"], [label(1, "yes")]])
def test_a_log_without_inferences_is_said(events: list[bytes]) -> None:
    with pytest.raises(ConfigurationError, match="no predictions or features that could be faulted"):
        survey(log_of(events))


def test_progress_counts_every_record() -> None:
    told: list[int] = []
    survey(log_of(rows(12_345)), progress=told.append)
    assert told == [5_000, 5_000, 2_345]


def test_outliers_do_not_make_a_column_wide() -> None:
    events = [*rows(2_000), row(2_000, amount=1e15)]
    assert surveyed(events).feature("amount").std < 1_000
