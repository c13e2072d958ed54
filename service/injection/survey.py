"""The first pass over a log: whose events it holds, from when to when, and what its columns are like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.errors import ConfigurationError
from service.injection.column import ColumnFacts, facts_of
from service.injection.event import INFERENCES, Event
from service.injection.log import NO_TIME_MS, Log, Record
from service.parsers import any_of, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = 8_192
"""So many events of a model are looked into, evenly over the log; all others are only counted."""
_MOST_NAMED = 12


@dataclass
class EvenSample:
    """Keeps at most `KEPT` of what it is given, evenly spaced: when it is full, every second one goes."""

    count: int = 0
    kept: list[Record] = field(default_factory=list)
    _every: int = 1

    def take(self, record: Record) -> None:
        """Count it, and keep it when it is its turn."""
        if self.count % self._every == 0:
            self.kept.append(record)
            if len(self.kept) > KEPT:
                self.kept = self.kept[::2]
                self._every *= 2
        self.count += 1


@dataclass(frozen=True)
class Survey:
    """What is known of one model's events. `features`, `tags`, `answers` and `labels` are of the sampled ones.

    `truths` are the different labels as they were sent.
    """

    model: str
    inferences: int
    labels_count: int
    times: Sequence[int]
    features: Mapping[str, ColumnFacts]
    tags: Mapping[str, ColumnFacts]
    answers: Mapping[str, ColumnFacts]
    labels: ColumnFacts
    truths: Sequence[Any]
    sample: Sequence[Event]
    has_ids: bool

    def at(self, share: float) -> int:
        """The event time when so much of the inferences has passed."""
        place = min(len(self.times) - 1, int(share * len(self.times)))
        return self.times[place]

    @property
    def last_ms(self) -> int:
        """The event time of nearly the last inference; what stands in the far future is not it."""
        return self.at(0.999)

    def feature(self, name: str) -> ColumnFacts:
        """What is known of a feature. Raises ConfigurationError when there is none of this name."""
        if name not in self.features:
            raise ConfigurationError(f"there is no feature {name!r}; {_meant(name, self.features)}")
        return self.features[name]

    def numbers(self, name: str, kind: str) -> ColumnFacts:
        """Of a feature that holds numbers. Raises ConfigurationError when it does not."""
        facts = self.feature(name)
        if not facts.is_numeric:
            others = [one for one, other in self.features.items() if other.is_numeric]
            raise ConfigurationError(
                f"feature {name!r} holds no numbers, which {kind} needs; {_such_as(others)}"
            )
        return facts

    def texts(self, name: str, kind: str) -> ColumnFacts:
        """Of a feature that holds texts. Raises ConfigurationError when it does not."""
        facts = self.feature(name)
        if facts.is_numeric or not facts.texts:
            others = [one for one, other in self.features.items() if other.texts and not other.is_numeric]
            raise ConfigurationError(
                f"feature {name!r} holds no texts, which {kind} needs; {_such_as(others)}"
            )
        return facts

    def segment(self, name: str, value: str) -> None:
        """Check that there are events of this segment, as far as was looked. Raises ConfigurationError."""
        facts = self.features.get(name) or self.tags.get(name)
        if facts is None:
            raise ConfigurationError(
                f"there is no feature or tag {name!r}; {_meant(name, [*self.features, *self.tags])}"
            )
        if value not in facts.values and len(self.sample) == self.inferences:
            raise ConfigurationError(f"{name} is never {value!r}; {_meant(value, list(facts.values))}")


def _meant(wrong: str, known: Collection[str]) -> str:
    near = nearest(wrong, known)
    if near:
        return f"did you mean {near!r}?"
    return _such_as(list(known))


def _such_as(names: Sequence[str]) -> str:
    shown = [*map(repr, names[:_MOST_NAMED])]
    return f"take {any_of(shown)}" if shown else "the log has no feature that would do"


def survey(log: Log, model: str | None = None, progress: Callable[[int], None] = lambda _: None) -> Survey:
    """Read the log once. Without a model's name it must hold only one. Raises ConfigurationError."""
    inferences: dict[str, EvenSample] = {}
    labels: dict[str, EvenSample] = {}
    for record in counted(log(), progress):
        head = record.head
        if head.model and record.ts_ms != NO_TIME_MS:
            side = inferences if head.type in INFERENCES else labels
            side.setdefault(head.model, EvenSample()).take(record)
    chosen = _chosen(model, inferences)
    return _surveyed(chosen, inferences[chosen], labels.get(chosen, EvenSample()))


def counted(
    records: Iterable[Record], progress: Callable[[int], None], every: int = 5_000
) -> Iterator[Record]:
    """The records themselves, told of now and then."""
    passed = 0
    for passed, record in enumerate(records, 1):
        if passed % every == 0:
            progress(every)
        yield record
    progress(passed % every)


def _chosen(model: str | None, found: Mapping[str, EvenSample]) -> str:
    if not found:
        raise ConfigurationError("the log holds no predictions or features that could be faulted")
    if model is None:
        if len(found) > 1:
            raise ConfigurationError(
                f"the log holds events of {len(found)} models; say --model {any_of(sorted(found))}"
            )
        return next(iter(found))
    if model not in found:
        raise ConfigurationError(
            f"the log holds no events of model {model!r}; {_meant(model, sorted(found))}"
        )
    return model


def _surveyed(model: str, inferences: EvenSample, labels: EvenSample) -> Survey:
    events = [record.event() for record in inferences.kept]
    truths = [record.event().field("label") for record in labels.kept]
    return Survey(
        model, inferences.count, labels.count, sorted(event.ts_ms for event in events),
        _columns([event.features() for event in events]), _columns([event.tags() for event in events]),
        _columns([answers_of(event) for event in events]), facts_of("label", truths), _different(truths),
        events, sum(bool(event.id) for event in events) * 2 > len(events),
    )  # fmt: skip


def _different(truths: Sequence[Any]) -> Sequence[Any]:
    return [*dict.fromkeys(one for one in truths if isinstance(one, str | int | float))]


def answers_of(event: Event) -> Mapping[str, Any]:
    """A prediction's parts by the name of its fields; a bare one is a label if it is a text, else a value."""
    answer = event.field("prediction")
    if isinstance(answer, dict):
        return {name: part for name, part in answer.items() if not isinstance(part, dict)}
    if isinstance(answer, str):
        return {"label": answer}
    return {"value": answer} if isinstance(answer, int | float) else {}


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, ColumnFacts]:
    names = Counter(name for row in rows for name in row)
    return {name: facts_of(name, [row[name] for row in rows if name in row]) for name in names}
