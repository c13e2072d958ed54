"""What a contract promises of the rows that a model is fed: frozen values, each with the share that may break it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

ColumnType = Literal["number", "category"]

T = TypeVar("T")


class ByFeature(Mapping[str, T], Generic[T]):
    """Values by feature, unchangeable and hashable; equal to any mapping of the same items."""

    __slots__ = ("_by_feature",)

    def __init__(self, by_feature: Mapping[str, T]) -> None:
        self._by_feature = dict(by_feature)

    def __getitem__(self, feature: str) -> T:
        return self._by_feature[feature]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_feature)

    def __len__(self) -> int:
        return len(self._by_feature)

    def __hash__(self) -> int:
        return hash(frozenset(self._by_feature.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._by_feature!r})"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised of one feature; None and False promise nothing.

    All shares are of rows, in [0, 1]. `present` and `unique` are the least that must hold, all others the most that may
    be broken: of the six kinds of missing each its own, `outside` on either side of `low` to `high`, `fractional` where
    integers are promised, `other` beside the categories or the constant.
    """

    type: ColumnType | None = None
    present: float | None = None
    null: float | None = None
    absent: float | None = None
    nan: float | None = None
    infinite: float | None = None
    empty: float | None = None
    wrong_type: float | None = None
    low: float | None = None
    high: float | None = None
    outside: float = 0.0
    integer: bool = False
    fractional: float = 0.0
    categories: tuple[str, ...] | None = None
    constant: str | None = None
    other: float = 0.0
    unique: float | None = None

    @property
    def kind(self) -> ColumnType | None:
        """What the column must be, said or implied; None when nothing tells."""
        if self.type is not None:
            return self.type
        if self.low is not None or self.high is not None or self.integer:
            return "number"
        return "category" if self.categories is not None else None


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule that every row keeps by itself; `check` is an expression (`service.expressions`) of its fields."""

    name: str = ""
    check: str = ""
    at_most: float = 0.0


@dataclass(frozen=True, slots=True)
class Contract:
    """What is promised of a model's features, one by one and together.

    `unknown_features` is the share of rows that may bring a feature that nothing speaks of; None allows all.
    """

    features: Mapping[str, Promise] = field(default_factory=lambda: ByFeature({}))
    rules: tuple[RowRule, ...] = ()
    unknown_features: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", ByFeature(self.features))
