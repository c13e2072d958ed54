"""A replay is a function of its log: the same bytes again, whatever the polls, partitions and lateness of rows."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.monitor import AlertPolicy, Budget, FeatureOverride, WindowSpec
from tests.replaying import (
    FIVE,
    MINUTE,
    MONITOR,
    event,
    final,
    label,
    last_states,
    minute_of,
    of_kind,
    reference_of,
    replayed,
    steady,
    write_log,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from service.reference.profile import ReferenceProfile

Profiles = dict[str, "ReferenceProfile"]
TEN_BY_FIVE = WindowSpec(10 * MINUTE, 5 * MINUTE)
SEGMENTED = replace(MONITOR, segments=("country",), windows=(FIVE, TEN_BY_FIVE))


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Profiles:
    """The reference of the model churn."""
    return {"churn-1": reference_of(tmp_path_factory.mktemp("reference"))}


def as_bytes(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """As the command writes them."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def test_a_quiet_log_has_its_windows_and_no_alert(tmp_path: Path, profiles: Profiles) -> None:
    # minute   0    5    10   15   20
    # events   |-100|-100|-100|-100|
    log = write_log(tmp_path / "log.jsonl", steady(range(20)))
    lines, tally = replayed(log, [MONITOR], profiles)
    windows = of_kind(lines, "window")
    assert [(minute_of(w["start"]), minute_of(w["end"]), w["events"]) for w in windows] == [
        (0, 5, 100), (5, 10, 100), (10, 15, 100), (15, 20, 100),
    ]  # fmt: skip
    assert of_kind(lines, "alert") == []
    assert (tally.records.accepted, tally.records.total, tally.windows, tally.alerts) == (400, 400, 4, 0)
    assert tally.findings == len(of_kind(lines, "finding"))


def test_a_shift_rings_with_the_window_that_shows_it(tmp_path: Path, profiles: Profiles) -> None:
    # minute   0         30        60
    # amount   | usual   | two more|
    log = write_log(tmp_path / "log.jsonl", steady(range(30)) + steady(range(30, 60), shift=2.0))
    lines, tally = replayed(log, [MONITOR], profiles)
    [alert] = of_kind(lines, "alert")
    assert (alert["state"], alert["cause"], alert["feature"], alert["rule"]) == (
        "firing",
        "data_drift",
        "amount",
        "drift",
    )
    assert (minute_of(alert["since"]), minute_of(alert["at"])) == (30, 35)
    assert [a.id for a in tally.fired] == [alert["id"]]


def test_a_segment_is_not_drift_for_being_a_segment(tmp_path: Path, profiles: Profiles) -> None:
    log = write_log(tmp_path / "log.jsonl", steady(range(60), a_minute=60))
    lines, _ = replayed(log, [SEGMENTED], profiles)
    segments = {json.dumps(w["segment"]) for w in of_kind(lines, "window")}
    assert segments == {"null", '{"country": "DE"}', '{"country": "FR"}'}
    assert of_kind(lines, "alert") == []
    of_segments = {f["feature"] for f in of_kind(lines, "finding") if f["segment"]}
    assert of_segments == {"amount", "score", None}


def test_a_change_in_one_segment_names_the_segment(tmp_path: Path, profiles: Profiles) -> None:
    # minute    0        40        80
    # in FR     | usual  | x2.2046 |
    events = steady(range(80), a_minute=40)
    for one in events[1600:]:
        if one["features"]["country"] == "FR":
            one["features"]["amount"] *= 2.2046
    lines, _ = replayed(write_log(tmp_path / "log.jsonl", events), [SEGMENTED], profiles)
    fired = [a for a in of_kind(lines, "alert") if a["state"] == "firing"]
    assert {"country": "FR"} in [a["segment"] for a in fired]
    assert {"country": "DE"} not in [a["segment"] for a in fired]
    assert {a["feature"] for a in fired} == {"amount"}


# The same input, the same bytes


def eventful(model: str = "churn") -> list[dict[str, Any]]:
    """An hour with a shift, a silence, missing cells and two versions."""
    events = steady(range(30), model=model) + steady(range(30, 40), shift=3.0, model=model)
    events += steady(range(55, 70), version="2", model=model) + steady(
        range(70, 80), version="2", model=model, amount=None
    )
    return events


@pytest.mark.parametrize("poll", [1_000_000, 101, 13])
def test_polls_do_not_change_a_byte(tmp_path: Path, profiles: Profiles, poll: int) -> None:
    log = write_log(tmp_path / "log.jsonl", eventful())
    usual, _ = replayed(log, [SEGMENTED], profiles)
    again, _ = replayed(log, [SEGMENTED], profiles, poll=poll)
    assert of_kind(usual, "alert")
    assert as_bytes(again) == as_bytes(usual)


def test_polls_do_not_change_the_order_of_several_models(tmp_path: Path, profiles: Profiles) -> None:
    other = {"other-1": reference_of(tmp_path, model="other")}
    slow = replace(MONITOR, model="other", reference="other-1", disorder_ms=7 * MINUTE)
    events = sorted(eventful() + eventful("other"), key=lambda e: e["ts"])
    log = write_log(tmp_path / "log.jsonl", events)
    one, _ = replayed(log, [MONITOR, slow], profiles | other)
    two, _ = replayed(log, [MONITOR, slow], profiles | other, poll=17)
    assert as_bytes(one) == as_bytes(two)
    assert {line["model"] for line in one} == {"churn", "other"}


def test_four_partitions_by_id_have_the_windows_of_one(tmp_path: Path, profiles: Profiles) -> None:
    log = write_log(tmp_path / "log.jsonl", eventful())
    one, _ = replayed(log, [SEGMENTED], profiles)
    four, tally = replayed(log, [SEGMENTED], profiles, partitions=4, poll=50)
    assert final(four) == final(one)
    assert last_states(four) == last_states(one)
    assert tally.records.accepted == len(eventful())


BURSTS = st.lists(
    st.tuples(st.integers(0, 150), st.integers(1, 25), st.booleans(), st.booleans()), min_size=1, max_size=14
)
LENIENT = replace(
    SEGMENTED,
    budget=Budget(2_000.0, 86_400_000),
    alerts=AlertPolicy(2, 2, 0.9),
    methods=("ks",),
    features={"score": FeatureOverride(ignore=True)},
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    bursts=BURSTS,
    seed=st.integers(0, 2**16),
    share=st.sampled_from([0.02, 0.3, 1.0]),
    poll=st.sampled_from([11, 40, 200]),
)
def test_late_rows_leave_what_rows_on_time_would_have_left(
    tmp_path: Path,
    profiles: Profiles,
    bursts: list[tuple[int, int, bool, bool]],
    seed: int,
    share: float,
    poll: int,
) -> None:
    # event time   |....x..x....|..x.........|       on time:  in this order
    # late         |.......x....|..x....x....|       some rows come up to ten minutes later
    rng = np.random.default_rng(seed)
    events = [
        event(1000 * b + i, minute + float(rng.random()) * 5, 2.0 * shifted, version="2" if newer else "1")
        for b, (minute, n, shifted, newer) in enumerate(
            [*((m, 30, False, False) for m in range(0, 40, 5)), *bursts]
        )
        for i in range(n)
    ]
    events.sort(key=lambda e: e["ts"])
    delays = np.where(rng.random(len(events)) < share, rng.integers(0, 10 * MINUTE, len(events)), 0)
    arrival = np.argsort([e["ts"] + int(d) for e, d in zip(events, delays, strict=True)], kind="stable")
    on_time, _ = replayed(write_log(tmp_path / "on_time.jsonl", events), [LENIENT], profiles)
    late, tally = replayed(
        write_log(tmp_path / "late.jsonl", [events[i] for i in arrival]), [LENIENT], profiles, poll=poll
    )
    assert tally.records.late == 0
    assert final(late) == final(on_time)
    told, expected = last_states(late), last_states(on_time)
    open_now = {i: a["state"] for i, a in told.items() if a["state"] != "resolved"}
    assert open_now == {i: a["state"] for i, a in expected.items() if a["state"] != "resolved"}
    assert {i for i, a in expected.items() if a["state"] == "resolved"} <= {
        i for i, a in told.items() if a["state"] == "resolved"
    }


def test_a_restated_window_has_a_higher_revision(tmp_path: Path, profiles: Profiles) -> None:
    # order    minutes 0..4, 5..9, 10..14, then one row of minute 2
    log = write_log(tmp_path / "log.jsonl", [*steady(range(11)), event(99_999, 2.5), *steady(range(11, 15))])
    lines, _ = replayed(log, [MONITOR], profiles, poll=10)
    revisions = [(minute_of(w["end"]), w["revision"], w["events"]) for w in of_kind(lines, "window")]
    assert (5, 0, 100) in revisions
    assert max(r for r in revisions if r[0] == 5) == (5, 1, 101)
    assert Counter(end for end, _, _ in revisions)[5] == 2


def test_an_alert_that_late_rows_explain_away_is_withdrawn(tmp_path: Path, profiles: Profiles) -> None:
    # minute   0 .. 30        30 .. 35    35 .. 38   and only then the other 88 of 30 .. 35
    # events   100 a window   12          60
    first, rest = (
        [event(90_000 + i, 30 + 5 * i / 12) for i in range(12)],
        [event(80_000 + i, 31 + i / 40) for i in range(88)],
    )
    log = write_log(
        tmp_path / "log.jsonl",
        [*steady(range(30)), *first, *steady(range(35, 38)), *rest, *steady(range(38, 45))],
    )
    lines, _ = replayed(log, [MONITOR], profiles, poll=10)
    alerts = of_kind(lines, "alert")
    assert [(a["cause"], a["state"]) for a in alerts] == [("pipeline", "firing"), ("pipeline", "resolved")]
    assert alerts[0]["id"] == alerts[1]["id"]
    assert alerts[0]["summary"].startswith("churn: 12 events arrived, usual are about 100 a window")
    assert alerts[1]["summary"].endswith("(withdrawn: late events changed the window)")


def test_default_windows_with_panes_of_a_minute_come_to_an_end(tmp_path: Path, profiles: Profiles) -> None:
    """Windows that start before what is kept for late rows are not restated for ever."""
    monitor = replace(MONITOR, windows=(FIVE, WindowSpec.tumbling(60 * MINUTE)))
    log = write_log(tmp_path / "log.jsonl", steady(range(0, 400, 2), a_minute=2))
    lines, _ = replayed(log, [monitor], profiles, poll=20)
    assert all(w["revision"] == 0 for w in of_kind(lines, "window"))


# Silence and the log's end


def test_silence_in_the_middle_is_said_and_over_when_events_come_again(
    tmp_path: Path, profiles: Profiles
) -> None:
    # minute   0 ........ 60      90 ...... 120
    # events   |----------|       |---------|
    log = write_log(tmp_path / "log.jsonl", steady(range(60)) + steady(range(90, 120)))
    lines, _ = replayed(log, [MONITOR], profiles)
    # panes               ^61 rings            ^92 is over: the window says it again, and wakes nobody
    told = [(a["severity"], a["state"], minute_of(a["at"])) for a in of_kind(lines, "alert")]
    assert told == [
        ("page", "firing", 61),
        ("info", "firing", 65),
        ("page", "resolved", 92),
        ("info", "resolved", 100),
    ]
    assert {a["cause"] for a in of_kind(lines, "alert")} == {"silence"}
    assert len({a["incident"] for a in of_kind(lines, "alert")}) == 1


@pytest.mark.parametrize("poll", [10_000, 50])
def test_labels_that_go_on_after_the_last_prediction_are_no_silence(
    tmp_path: Path, profiles: Profiles, poll: int
) -> None:
    # minute        0 ........ 60 ........ 120
    # predictions   |----------|
    # labels              |----------------|
    events = steady(range(60)) + [label(100 * m, m + 60) for m in range(60)]
    log = write_log(tmp_path / "log.jsonl", sorted(events, key=lambda e: e["ts"]))
    lines, tally = replayed(log, [MONITOR], profiles, poll=poll)
    assert of_kind(lines, "alert") == []
    assert tally.records.accepted == 1_260
    tail = [w for w in of_kind(lines, "window") if minute_of(w["start"]) >= 60]
    assert sum(w["labels"] for w in tail) == 60
    assert all(w["incomplete"] for w in tail)


def test_a_model_that_stops_while_another_goes_on_is_silent(tmp_path: Path, profiles: Profiles) -> None:
    # minute   0 ........ 60 ........ 90
    # churn    |----------|
    # other    |----------------------|
    other = {"other-1": reference_of(tmp_path, model="other")}
    monitors = [MONITOR, replace(MONITOR, model="other", reference="other-1")]
    events = sorted(steady(range(60)) + steady(range(90), model="other"), key=lambda e: e["ts"])
    lines, _ = replayed(write_log(tmp_path / "log.jsonl", events), monitors, profiles | other)
    assert [(a["model"], a["cause"], a["severity"]) for a in of_kind(lines, "alert")] == [
        ("churn", "silence", "page"),
        ("churn", "silence", "info"),
    ]


def test_the_last_window_of_a_log_that_breaks_off_is_flagged_and_rings_no_volume(
    tmp_path: Path, profiles: Profiles
) -> None:
    # minute   0 ........ 60 61
    # events   |----------|-|        the window 60 to 65 has a fifth of its events
    lines, _ = replayed(write_log(tmp_path / "log.jsonl", steady(range(61))), [MONITOR], profiles)
    assert of_kind(lines, "alert") == []
    assert [(minute_of(w["end"]), w["incomplete"]) for w in of_kind(lines, "window")][-2:] == [
        (60, False),
        (65, True),
    ]


def test_a_rollover_of_the_version_is_no_alert(tmp_path: Path, profiles: Profiles) -> None:
    events = steady(range(42)) + steady(range(42, 80), version="2")
    lines, _ = replayed(write_log(tmp_path / "log.jsonl", events), [MONITOR], profiles)
    assert of_kind(lines, "alert") == []
    assert {w["version"] for w in of_kind(lines, "window")} == {"1", "2"}


# What is counted, and the lines


def test_each_record_is_counted_once(tmp_path: Path, profiles: Profiles) -> None:
    # on time, again, of a model that nobody knows, no JSON, an hour late
    events = steady(range(60))
    log = write_log(tmp_path / "log.jsonl", [*events, events[-1], event(1, 59, model="unknown"), event(2, 1)])
    with log.open("a") as file:
        file.write("{broken\n")
    _, tally = replayed(log, [MONITOR], profiles)
    counts = tally.records
    assert (counts.accepted, counts.duplicate, counts.late, counts.dead, counts.tombstone) == (
        1_200,
        1,
        1,
        2,
        0,
    )
    assert tally.dead == {"unknown_model": 1, "bad_json": 1}


def test_a_model_without_a_reference_still_has_windows_and_volumes(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", steady(range(40)))
    lines, _ = replayed(log, [replace(MONITOR, reference=None)], {})
    assert len(of_kind(lines, "window")) == 8
    assert {f["method"] for f in of_kind(lines, "finding")} == {"volume"}


SLICE = {
    "model": {"type": "string"}, "version": {"type": "string"}, "window": {"type": "string"},
    "segment": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
    "start": {"type": "string", "format": "date-time"}, "end": {"type": "string", "format": "date-time"},
}  # fmt: skip
NUMBER = {"type": ["number", "null"]}
REVISION: dict[str, Any] = {"revision": {"type": "integer", "minimum": 0}}
SCHEMAS = {
    "window": SLICE
    | REVISION
    | {
        "events": {"type": "integer", "minimum": 0},
        "labels": {"type": "integer"},
        "incomplete": {"type": "boolean"},
    },
    "finding": SLICE
    | REVISION
    | {
        "feature": {"type": ["string", "null"]},
        "role": {"type": ["string", "null"]},
        "method": {"type": "string"},
        "score": NUMBER,
        "limit": NUMBER,
        "p_value": NUMBER,
        "n": {"type": "integer"},
        "m": {"type": "integer"},
        "resolution": NUMBER,
        "verdict": {"enum": ["ok", "drift", "too_little_data"]},
        "reason": {"type": ["string", "null"]},
    },
    "alert": {name: SLICE[name] for name in ("model", "version", "window", "segment")}
    | {
        "id": {"type": "string"},
        "incident": {"type": "string"},
        "state": {"enum": ["pending", "firing", "resolved"]},
        "severity": {"enum": ["page", "ticket", "info"]},
        "rule": {"type": "string"},
        "cause": {"type": "string"},
        "feature": {"type": ["string", "null"]},
        "since": {"type": "string"},
        "at": {"type": "string"},
        "summary": {"type": "string", "minLength": 20},
        "consequence": {"type": "boolean"},
        "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "evidence": {"type": "object", "additionalProperties": {"type": ["number", "string"]}},
    },
}
VALIDATORS = {
    kind: jsonschema.Draft202012Validator(
        {
            "type": "object",
            "properties": one | {"kind": {"const": kind}},
            "required": [*one, "kind"],
            "additionalProperties": False,
        }
    )
    for kind, one in SCHEMAS.items()
}


def test_every_line_is_json_without_nan_in_the_shape_of_its_kind(tmp_path: Path, profiles: Profiles) -> None:
    lines, _ = replayed(write_log(tmp_path / "log.jsonl", eventful()), [SEGMENTED], profiles)
    assert {line["kind"] for line in lines} == set(SCHEMAS)
    for line in lines:
        VALIDATORS[line["kind"]].validate(json.loads(msgspec.json.encode(line)))
        assert all(math.isfinite(x) for x in line.values() if isinstance(x, float))


def test_the_lines_follow_event_time(tmp_path: Path, profiles: Profiles) -> None:
    lines, _ = replayed(write_log(tmp_path / "log.jsonl", eventful()), [SEGMENTED], profiles, poll=40)
    ends = [line.get("end") or line["at"] for line in lines]
    assert ends == sorted(ends)
    assert minute_of(of_kind(lines, "window")[1]["start"]) in {-5, 0}
