"""The generated decoder takes the usual events whole, and refuses what the slower way must judge."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from service.configuration import ModelVersion
from service.intake.learning import learn_fields
from service.intake.limits import Limits
from service.intake.loose import LooseEvent, read_event
from service.intake.schema import Fields, Schema, fields_of, is_decodable
from service.messages import Missing
from service.monitor import Monitor
from service.sketches.cells import kinds_of
from service.sketches.grids import Grid, category_grid, default_number_grid
from tests.intake.events import MODELS, event, feature

LABELS = MODELS["labels"]


def taken(schema: Schema, body: dict[str, Any]) -> bool:
    """Whether the generated decoder takes this event."""
    try:
        schema.decoder.decode(json.dumps(body))
    except msgspec.ValidationError:
        return False
    return True


def loose(*bodies: dict[str, Any]) -> list[LooseEvent]:
    """The events as the slower way reads them."""
    return [read_event(json.dumps(body).encode(), Limits()) for body in bodies]


@pytest.mark.parametrize(
    "body",
    [
        event(), event(tags={"channel": "web"}), event(features=None), event(prediction=0.5),
        event(prediction="yes"), event(latency_ms=None),
        event(features={"amount": None, "country": 7}), {"type": "features", "model": "labels"},
        {"type": "label", "model": "labels", "label": 1},
    ],
)  # fmt: skip
def test_the_usual_events_are_taken(body: dict[str, Any]) -> None:
    assert taken(Schema(LABELS, fields_of(LABELS)), body)


@pytest.mark.parametrize(
    "body",
    [
        event(features={"amount": "x"}),
        event(features={"amount": True}),
        event(features={"new": 1}),
        event(new=1),
        event(id=1.0),
        event(version=True),
    ],
)
def test_what_the_slower_way_must_judge_is_refused(body: dict[str, Any]) -> None:
    assert not taken(Schema(LABELS, fields_of(LABELS)), body)


def test_numbers_are_lifted_with_their_kinds_of_missing() -> None:
    schema = Schema(LABELS, fields_of(LABELS))
    features = [
        schema.decoder.decode(json.dumps(event(features=f))).features
        for f in ({"amount": 1.5, "weight": 2}, {"amount": None}, {})
    ]
    whole, partly = schema.lift_numbers(features[:1]), schema.lift_numbers(features)
    assert whole.tolist() == [[1.5, 2.0]]
    assert kinds_of(partly[1:].ravel()).tolist() == [
        Missing.NULL,
        Missing.ABSENT,
        Missing.ABSENT,
        Missing.ABSENT,
    ]


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\x7fb", "\u200b", "\ue000"])
def test_a_grid_may_have_features_that_no_generated_decoder_can_name(name: str) -> None:
    version = ModelVersion(
        Monitor("m"),
        Grid((default_number_grid(feature(name)),), (category_grid(feature(name + "2"), {"a": 1}),)),
    )
    schema = Schema(version, fields_of(version))
    assert not is_decodable(name)
    assert taken(schema, event(model="m", features={}))
    assert not taken(schema, event(model="m", features={name: 1}))


def test_a_grid_of_two_thousand_features_has_a_decoder() -> None:
    version = ModelVersion(
        Monitor("m"), Grid(tuple(default_number_grid(feature(f"f{i}")) for i in range(2_000)))
    )
    schema = Schema(version, fields_of(version))
    body = event(model="m", features={f"f{i}": i for i in range(2_000)})
    [row] = schema.lift_numbers([schema.decoder.decode(json.dumps(body)).features])
    assert row.tolist() == np.arange(2_000.0).tolist()


# Learning


def test_what_more_than_half_of_the_events_have_is_learned_by_its_kind() -> None:
    bodies = [
        event(
            features={
                "n": 1,
                "gaps": None if i % 2 else 2.5,
                "text": "a",
                "mixed": "a" if i % 2 else 1,
                "nulls": None,
            },
            odd=1,
        )
        for i in range(20)
    ]
    rare = [event(features={"rare": 1, "list": [1]}, nested={"a": 1}) for _ in range(10)]
    learned = learn_fields(Fields(("amount",)), loose(*bodies, *rare))
    assert learned == Fields(("amount",), (), ("gaps", "n"), ("mixed", "nulls", "text"), ("odd",))


@pytest.mark.parametrize("name", ['a"b', "a\\b", "", "x" * 201, "a\u200b", "e\u0301", "a\0"])
def test_names_that_are_not_clean_are_never_learned(name: str) -> None:
    known = Fields()
    assert (
        learn_fields(known, loose(*[{"type": "features", "model": "m", "features": {name: 1}, name: 1}] * 20))
        == known
    )


def test_no_more_fields_are_learned_than_there_is_room_for() -> None:
    events = loose(*[event(features={f"f{i}": i for i in range(30)})] * 20)
    learned = learn_fields(Fields(), events, most=10)
    assert len(learned.learned_numbers) == 10
    assert learn_fields(learned, events, most=10) == learned
    assert learn_fields(Fields(), events, most=-5) == Fields()
