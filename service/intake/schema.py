"""A msgspec decoder generated from a model's grid: the shape that its events usually have.

It takes what fits at about 1.2 us an event and refuses all else,
without guessing: a text where a number is expected,
a field that nobody has heard of. What it refuses goes the slower way (`loose`), which says what is wrong.
Fields that the grid does not know but that keep coming are learned, so that they cost no more than the
others.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, starmap
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from service.messages import LATENCY, Role
from service.names import LONGEST_NAME
from service.sketches.cells import ABSENT, NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.configuration import ModelVersion

FloatArray = NDArray[np.float64]

_Scalar = str | int | float | bool | None
_Stamp = int | float | str | None


class Envelope(msgspec.Struct, gc=False):
    """Just enough of an event to know whose schema to try."""

    model: str


class Prediction(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The object form of a prediction. Numbers are typed as in `loose`, where integers stay integers."""

    label: _Scalar | msgspec.UnsetType = UNSET
    score: float | msgspec.UnsetType | None = UNSET
    scores: dict[str, float | None] | None = None
    value: int | float | msgspec.UnsetType | None = UNSET


@dataclass(frozen=True)
class Fields:
    """The features that a decoder expects: those of the grid, then those it has learned, by name.

    Learned features that are not always numbers, also those of the grid, are `learned_scalars`.
    `others` are top-level fields that mean nothing to driftbell but keep coming.
    """

    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    learned_numbers: tuple[str, ...] = ()
    learned_scalars: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """All expected features."""
        return frozenset(chain(self.numbers, self.texts, self.learned_numbers, self.learned_scalars))


def fields_of(version: ModelVersion) -> Fields:
    """The features of a model's grid."""
    numbers, texts = (
        tuple(g.column.name for g in grids if g.column.role is Role.FEATURE)
        for grids in (version.grid.numbers, version.grid.texts)
    )
    return Fields(numbers, texts)


@dataclass(frozen=True, eq=False)
class Schema:
    """A model version's decoder, and how to lift the columns out of what it decodes."""

    version: ModelVersion
    fields: Fields
    decoder: msgspec.json.Decoder[Any] = field(init=False)
    no_features: msgspec.Struct = field(init=False)

    def __post_init__(self) -> None:
        features = _features_type(self.fields)
        object.__setattr__(self, "no_features", features())
        object.__setattr__(self, "decoder", msgspec.json.Decoder(_events_type(features, self.fields)))

    @cached_property
    def number_count(self) -> int:
        """How many number features are expected."""
        return len(self.fields.numbers) + len(self.fields.learned_numbers)

    def lift_numbers(self, features: Sequence[msgspec.Struct]) -> FloatArray:
        """The number features as (n, columns), missing ones as NaN that names the kind."""
        rows = map(itemgetter(slice(self.number_count)), map(msgspec.structs.astuple, features))
        pack = struct.Struct(f"{self.number_count}d").pack
        try:
            flat = np.frombuffer(b"".join(starmap(pack, rows)), np.float64)
        except struct.error:  # a null somewhere, which fromiter turns into NaN with payload 0: Missing.NULL
            rows = map(itemgetter(slice(self.number_count)), map(msgspec.structs.astuple, features))
            flat = np.fromiter(chain.from_iterable(rows), np.float64, len(features) * self.number_count)
        return flat.reshape(len(features), self.number_count)

    def lift_scalars(self, features: Sequence[msgspec.Struct], place: int) -> list[Any]:
        """Category feature number `place` (learned scalars follow those of the grid), UNSET where absent."""
        return list(map(attrgetter(f"t{place}"), features))


def is_decodable(name: str) -> bool:
    """Whether a generated decoder can have a field of this name."""
    return name.isprintable() and '"' not in name and "\\" not in name


_UNDECODABLE = "\ue000" * (LONGEST_NAME + 1)
"""Longer than any name, it stands for a feature that is not decodable: events with it go the slower way."""


def _features_type(fields: Fields) -> type[msgspec.Struct]:
    return msgspec.defstruct(
        "Features", _feature_fields(fields), rename=_names(fields), gc=False, forbid_unknown_fields=True
    )


def _events_type(features: type[msgspec.Struct], fields: Fields) -> Any:
    head: list[Any] = [
        ("model", str),
        ("version", str | int | None, None),
        ("id", str | int | None, None),
        ("ts", _Stamp, None),
    ]
    body: list[Any] = [
        ("features", features | None, None), (LATENCY.name, float | None, ABSENT),
        ("tags", dict[str, _Scalar] | None, None),
    ]  # fmt: skip
    shapes: dict[str, list[Any]] = {
        "prediction": [
            *head,
            *body,
            ("prediction", Prediction | int | float | str | None | msgspec.UnsetType, UNSET),
        ],
        "features": [*head, *body],
        "label": [*head, ("label", _Scalar | msgspec.UnsetType, UNSET)],
    }
    others = [(f"o{i}", _Scalar, None) for i in range(len(fields.others))]
    rename = {f"o{i}": name for i, name in enumerate(fields.others)}
    kinds = [
        msgspec.defstruct(
            kind,
            [*shape, *others],
            tag_field="type",
            tag=kind,
            rename=rename,
            gc=False,
            forbid_unknown_fields=True,
        )
        for kind, shape in shapes.items()
    ]
    return kinds[0] | kinds[1] | kinds[2]


def _feature_fields(fields: Fields) -> list[Any]:
    numbers = [(f"n{i}", float | None, ABSENT) for i in range(len(fields.numbers))]
    learned = [(f"l{i}", float | None, NOTHING) for i in range(len(fields.learned_numbers))]
    scalars = [
        (f"t{i}", _Scalar | msgspec.UnsetType, UNSET)
        for i in range(len(fields.texts) + len(fields.learned_scalars))
    ]
    return [*numbers, *learned, *scalars]


def _names(fields: Fields) -> dict[str, str]:
    names = (
        {f"n{i}": name for i, name in enumerate(fields.numbers)}
        | {f"l{i}": name for i, name in enumerate(fields.learned_numbers)}
        | {f"t{i}": name for i, name in enumerate((*fields.texts, *fields.learned_scalars))}
    )
    return {field: name if is_decodable(name) else f"{_UNDECODABLE}{field}" for field, name in names.items()}
