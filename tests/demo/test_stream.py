"""The traffic is a function of seed, start and speed, and decodes but for what is planted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from service.configuration import Configuration, ModelVersion
from service.demo.models import BIKE_RENTALS, POWER_PRICE
from service.demo.references import build_profile
from service.demo.script import SCRIPT, Script
from service.demo.stream import BAD_EVENTS, EVENTS_A_TICK, TICK_SECONDS, Traffic
from service.intake.decoder import Decoder
from service.intake.source import Records
from service.messages import Partition, Reason

START_MS = 1_795_305_070_000
A_SECOND = round(EVENTS_A_TICK / TICK_SECONDS)


def events(records, model, kind="prediction"):
    decoded = [json.loads(r.value) for r in records if r.key]
    return [e for e in decoded if (e["model"], e["type"]) == (model, kind)]


def between(models, start, end):
    """What is sent from one second of the script to another, by a traffic that begins in mid-script."""
    steps = [replace(step, at_seconds=step.at_seconds - start) for step in SCRIPT.steps]
    return Traffic(models, START_MS, script=Script(steps, SCRIPT.length_seconds)).until(end - start)


def test_the_same_seed_gives_the_same_bytes_in_whatever_steps(models):
    at_once = Traffic(models, START_MS, seed=3).until(20.0)
    traffic = Traffic(models, START_MS, seed=3)
    in_steps = [record for i in range(1, 201) for record in traffic.until(i * 0.1)]
    assert in_steps == at_once


def test_another_seed_gives_other_rows(models):
    assert Traffic(models, START_MS, seed=3).until(1.0) != Traffic(models, START_MS, seed=4).until(1.0)


def test_event_times_follow_the_script_and_the_speed(models):
    records = Traffic(models, START_MS, speed=2.0).until(10.0)
    times = [record.ts_ms for record in records]
    assert times[0] >= START_MS
    assert START_MS + 4_900 < times[-1] < START_MS + 5_000
    assert (np.diff(times) > -100).all()


def test_both_models_send_their_share_each_second(models):
    records = between(models, 5.0, 6.0)
    assert len(events(records, BIKE_RENTALS)) == A_SECOND
    assert len(events(records, POWER_PRICE)) == A_SECOND


def test_every_prediction_gets_its_label_within_five_seconds(models):
    records = Traffic(models, START_MS).until(10.0)
    labelled = {e["id"] for e in events(records, BIKE_RENTALS, "label")}
    early = [e["id"] for e in events(records, BIKE_RENTALS)][: 4 * A_SECOND]
    assert set(early) <= labelled


def test_temperature_turns_to_fahrenheit_at_its_second(models):
    before = [e["features"]["temp"] for e in events(between(models, 10.0, 15.0), BIKE_RENTALS)]
    after = [e["features"]["temp"] for e in events(between(models, 15.0, 20.0), BIKE_RENTALS)]
    assert max(before) < 40.0
    assert np.mean(after) == pytest.approx(np.mean(before) * 1.8 + 32.0, abs=4.0)


def test_the_model_answers_what_it_is_told_even_if_it_is_wrong(models):
    before = [e["prediction"]["value"] for e in events(between(models, 10.0, 15.0), BIKE_RENTALS)]
    after = [e["prediction"]["value"] for e in events(between(models, 15.0, 20.0), BIKE_RENTALS)]
    assert np.mean(after) > 1.5 * np.mean(before)


def test_humidity_is_null_in_three_of_ten_events(models):
    humidity = [e["features"]["hum"] for e in events(between(models, 40.0, 45.0), BIKE_RENTALS)]
    assert humidity.count(None) / len(humidity) == pytest.approx(0.3, abs=0.06)


def test_the_renamed_field_is_absent_under_its_old_name(models):
    for event in events(between(models, 65.0, 66.0), POWER_PRICE):
        assert "nsw_demand" in event["features"]
        assert "nswdemand" not in event["features"]


def test_one_market_falls_silent_and_the_other_goes_on(models):
    records = between(models, 90.0, 92.0)
    assert {e["tags"]["market"] for e in events(records, POWER_PRICE)} == {"spot"}
    assert len(events(records, BIKE_RENTALS)) == 2 * A_SECOND


def test_after_victoria_joined_its_columns_are_no_placeholders(models):
    before, after = (events(between(models, s, s + 1.0), POWER_PRICE) for s in (114.0, 115.0))
    assert len({e["features"]["vicprice"] for e in before}) == 1
    assert len({e["features"]["vicprice"] for e in after}) > 10


def test_in_the_second_year_more_bicycles_are_rented(models):
    """Labels arrive up to five seconds after the step."""
    before, after = (events(between(models, s, s + 10.0), BIKE_RENTALS, "label") for s in (129.0, 146.0))
    assert np.mean([e["label"] for e in after]) > 1.4 * np.mean([e["label"] for e in before])


def test_only_what_is_planted_becomes_a_dead_letter(models):
    healthy = Script(SCRIPT.steps[:1], 1e9)
    records = Traffic(models, START_MS, script=healthy).until(60.0)
    versions = {m.name: (ModelVersion(m.monitor(), build_profile(m).grid),) for m in models}
    decoded = Decoder(Configuration(versions)).decode(as_batch(records))
    planted = sum(not record.key for record in records)
    assert len(decoded.dead) == planted > 0
    assert sum(map(len, decoded.batches)) == len(records) - planted


def test_each_planted_event_has_its_own_reason(models):
    versions = {m.name: (ModelVersion(m.monitor(), build_profile(m).grid),) for m in models}
    values = [bad.replace(b"TIME", b"2026-11-22T00:00:00Z") for bad in BAD_EVENTS]
    dead = Decoder(Configuration(versions)).decode(as_batch([(START_MS, b"", v) for v in values])).dead
    assert Counter(letter.reason for letter in dead) == Counter(
        [Reason.BAD_JSON, Reason.NONFINITE_NUMBER, Reason.UNKNOWN_MODEL]
    )


def as_batch(records):
    times = np.array([record[0] for record in records], np.int64)
    values, keys = [record[2] for record in records], [record[1] for record in records]
    return Records(Partition("inference", 0), np.arange(len(records), dtype=np.int64), times, values, keys)
