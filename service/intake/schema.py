"""A msgspec decoder generated from a model's grid: the shape that its events usually have.

It takes what fits at about 1.5 us an event and refuses all else, without guessing: a text where a number is expected,
a field that nobody has heard of. What it refuses goes the slower way (`loose`), which says what is wrong.
Fields that the grid does not know but that keep coming are learned, so that they cost no more than the others.
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
    """The object form of a prediction."""

    label: _Scalar = None
    score: float | None = None
    scores: dict[str, float | None] | None = None
    value: float | None = None


@dataclass(frozen=True)
class Fields:
    """The features that a decoder expects: those of the grid, then those it has learned, by name.

    `others` are top-level fields that mean nothing to driftbell but keep coming.
    """

    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    learned_numbers: tuple[str, ...] = ()
    learned_texts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """All expected names."""
        return frozenset(chain(self.numbers, self.texts, self.learned_numbers, self.learned_texts))


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
    wants_tags: bool = False
    decoder: msgspec.json.Decoder[Any] = field(init=False)
    no_features: msgspec.Struct = field(init=False)

    def __post_init__(self) -> None:
        features = _features_type(self.fields)
        object.__setattr__(self, "no_features", features())
        object.__setattr__(self, "decoder", msgspec.json.Decoder(_events_type(features, self.fields, wants_tags=self.wants_tags)))

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

    def lift_text(self, features: Sequence[msgspec.Struct], place: int) -> list[Any]:
        """Category feature number `place` (learned ones follow those of the grid), UNSET where absent."""
        return list(map(attrgetter(f"t{place}"), features))


def _features_type(fields: Fields) -> type[msgspec.Struct]:
    return msgspec.defstruct("Features", _feature_fields(fields), rename=_names(fields), gc=False, forbid_unknown_fields=True)


def _events_type(features: type[msgspec.Struct], fields: Fields, *, wants_tags: bool) -> Any:  # noqa: ANN401
    head: list[Any] = [("version", str | int | None, None), ("id", str | int | None, None), ("ts", _Stamp, None)]
    others: list[Any] = [(f"o{i}", _Scalar, None) for i in range(len(fields.others))]
    body: list[Any] = [("features", features | None, None), (LATENCY.name, float | None, ABSENT)]
    if wants_tags:
        body.append(("tags", dict[str, _Scalar] | None, None))
    answer = [("prediction", Prediction | float | str | None, None)]
    rename = {f"o{i}": name for i, name in enumerate(fields.others)}
    shapes = {"prediction": [*head, *body, *answer, *others], "features": [*head, *body, *others], "label": [*head, ("label", _Scalar, None), *others]}
    kinds = [
        msgspec.defstruct(kind, [("model", str), *shape], tag_field="type", tag=kind, rename=rename, gc=False, forbid_unknown_fields=True)
        for kind, shape in shapes.items()
    ]
    return kinds[0] | kinds[1] | kinds[2]


def _feature_fields(fields: Fields) -> list[Any]:
    numbers = [(f"n{i}", float | None, ABSENT) for i in range(len(fields.numbers))]
    learned = [(f"l{i}", float | None, NOTHING) for i in range(len(fields.learned_numbers))]
    known: list[Any] = [(f"t{i}", str | int | float | bool | None | msgspec.UnsetType, UNSET) for i in range(len(fields.texts))]
    texts = [
        (f"t{len(fields.texts) + i}", str | bool | None | msgspec.UnsetType, UNSET) for i in range(len(fields.learned_texts))
    ]
    return [*numbers, *learned, *known, *texts]


def _names(fields: Fields) -> dict[str, str]:
    texts = (*fields.texts, *fields.learned_texts)
    return (
        {f"n{i}": name for i, name in enumerate(fields.numbers)}
        | {f"l{i}": name for i, name in enumerate(fields.learned_numbers)}
        | {f"t{i}": name for i, name in enumerate(texts)}
    )
