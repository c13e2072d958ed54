"""How a reference's own predictions turned out, of all its rows and of each segment; and the bytes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from detectors.performance.estimated_regression import ErrorsByCell
from service.errors import FormatError
from service.performance.outcome_codec import outcomes_from_bytes
from service.sketches.format import (
    Packed,
    floats_from_bytes,
    floats_to_bytes,
    pack,
    seal,
    unpack,
    unseal,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.performance.counting import Arrays, Counting

_MAGIC, _VERSION = b"DBra", 1
_SUMS = ("counts", "absolute", "squared", "fourth")


@dataclass(frozen=True, eq=False)
class Cells:
    """Errors of a regression by segment ('' for all rows), each between `edges` of the predicted value."""

    edges: NDArray[np.float64]
    errors: Mapping[str, ErrorsByCell]


@dataclass(frozen=True, eq=False)
class Answers:
    """Outcomes by segment ('' for all rows), as bytes, in each way of counting that a monitor may ask for.

    A regression's `cells` are what its errors are expected by; outcomes of live panes have none.
    """

    outcomes: Mapping[str, tuple[bytes, ...]]
    cells: Cells | None = field(default=None)

    def of(self, counting: Counting, segment: str = "") -> Arrays | None:
        """The outcomes of a segment; None where it is not known, or was counted in another way."""
        found = (outcomes_from_bytes(data, counting) for data in self.outcomes.get(segment, ()))
        return next((one for one in found if one is not None), None)


class _Errors(msgspec.Struct, array_like=True):
    scale: float
    sums: list[Packed]


class _Body(msgspec.Struct, array_like=True):
    outcomes: dict[str, list[bytes]]
    edges: bytes
    errors: dict[str, _Errors]


def answers_to_bytes(answers: Answers) -> bytes:
    """Equal answers are equal bytes."""
    cells = answers.cells
    errors = {} if cells is None else {name: _errors_out(one) for name, one in sorted(cells.errors.items())}
    edges = b"" if cells is None else floats_to_bytes(cells.edges)
    outcomes = {name: list(each) for name, each in sorted(answers.outcomes.items())}
    return seal(_MAGIC, _VERSION, _Body(outcomes, edges, errors))


def answers_from_bytes(data: bytes) -> Answers:
    """The answers again. Raises FormatError."""
    body = unseal(data, _MAGIC, _VERSION, _Body)
    outcomes = {name: tuple(each) for name, each in body.outcomes.items()}
    if not body.edges:
        return Answers(outcomes)
    edges = floats_from_bytes(body.edges, len(body.edges) // 8)
    if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
        raise FormatError("the edges of predicted values do not ascend")
    errors = {name: _errors_in(one, len(edges) + 1) for name, one in body.errors.items()}
    return Answers(outcomes, Cells(edges, errors))


def _errors_out(errors: ErrorsByCell) -> _Errors:
    arrays = errors.to_arrays()
    return _Errors(errors.scale, [pack(arrays[name].ravel()) for name in _SUMS])


def _errors_in(body: _Errors, bins: int) -> ErrorsByCell:
    if not (body.scale > 0 and len(body.sums) == len(_SUMS)):
        raise FormatError("the errors by predicted value are not whole")
    arrays = {name: unpack(one, bins)[:, None] for name, one in zip(_SUMS, body.sums, strict=True)}
    return ErrorsByCell.from_arrays(body.scale, arrays)
