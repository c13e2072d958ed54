"""What a person says about a reference table: its model, and which columns are not features."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.messages import LABEL, PREDICTION, SCORE, Column, Role
from service.names import clean_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.monitor import Task

_MOST_NAMES = 30


@dataclass(frozen=True, slots=True)
class ReferenceSpec:
    """Columns are named as in the header. Without a `task` it is inferred from label and prediction."""

    model: str
    name: str
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    time: str | None = None
    id: str | None = None
    version: str | None = None
    exclude: tuple[str, ...] = ()
    ordered: bool = False
    task: Task | None = None

    @property
    def outputs(self) -> Mapping[Column, str]:
        """The named columns that are no features but are counted."""
        pairs = ((PREDICTION, self.prediction), (SCORE, self.score), (LABEL, self.label))
        return {column: name for column, name in pairs if name is not None}

    @property
    def named(self) -> Sequence[tuple[str, str]]:
        """What each named column is named as, and its name."""
        roles = ("label", "prediction", "score", "time", "id", "version")
        one = [(role, getattr(self, role)) for role in roles]
        return [(role, name) for role, name in one if name is not None] + [
            ("exclude", name) for name in self.exclude
        ]


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """The place in the table of every column that is counted, and of the time."""

    columns: Mapping[Column, int]
    time: int | None
    warnings: tuple[str, ...]


def choose_columns(spec: ReferenceSpec, header: Sequence[str]) -> ColumnChoice:
    """Sort a table's columns by what they are. Raises ConfigurationError with all that is wrong at once."""
    problems = [f"the column {name!r} is there twice" for name in sorted(_repeated(header))]
    problems += [missing_column(role, name, header) for role, name in spec.named if name not in header]
    problems += _contradictions(spec)
    if problems:
        raise ConfigurationError(*problems)
    taken = {name for _, name in spec.named}
    columns, warnings = {column: header.index(name) for column, name in spec.outputs.items()}, []
    for place, name in enumerate(header):
        if name in taken:
            continue
        if (clean := clean_name(name.strip())) is None:
            warnings.append(
                f"column {place + 1} has no usable name (an index that was saved along?): it is left out"
            )
            continue
        if columns.setdefault(Column(Role.FEATURE, clean), place) != place:
            raise ConfigurationError(f"the column {clean!r} is there twice")
    if not columns:
        raise ConfigurationError("no column is left to count: every one is excluded, an id or the time")
    return ColumnChoice(columns, None if spec.time is None else header.index(spec.time), tuple(warnings))


def _repeated(names: Sequence[str]) -> set[str]:
    return (
        {name for name in names if name and names.count(name) > 1} if len(set(names)) < len(names) else set()
    )


def _contradictions(spec: ReferenceSpec) -> list[str]:
    uses: dict[str, list[str]] = {}
    for role, name in spec.named:
        uses.setdefault(name, []).append(role)
    return [
        f"the column {name!r} is named as {' and as '.join(dict.fromkeys(roles))}: it can be one of them only"
        for name, roles in uses.items()
        if len(set(roles)) > 1
    ]


def missing_column(role: str, name: str, header: Sequence[str]) -> str:
    """The sentence for a column that is named but not there."""
    near = get_close_matches(name, header, 1)
    guess = f" (did you mean {near[0]!r}?)" if near else ""
    names = ", ".join(header[:_MOST_NAMES]) + (
        f" and {len(header) - _MOST_NAMES} more" if len(header) > _MOST_NAMES else ""
    )
    return f"there is no column {name!r} for {role}{guess}; the columns are {names}"
