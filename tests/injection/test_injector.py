"""One pass: what is hit, what is left as it was; and a battery over all kinds."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields

import pytest

from service.injection.catalogue import KINDS
from service.injection.fault import Fault
from service.injection.gaps import Missing
from service.injection.injector import Injector, Scope
from tests.injection.logs import (
    FOREVER_MS,
    START_MS,
    Event,
    faulted,
    feature,
    in_time,
    label,
    lines,
    log_of,
    of_all,
    row,
    rows,
    surveyed,
)

NEEDED = {"feature": "amount", "other": "fee"}
OF_TEXTS = {"category-case", "whitespace", "encoding", "new-category", "category-mix"}
HARMLESS = {"duplicates", "late", "out-of-order", "far-future"}
LABELED: list[Event | bytes] = [
    *in_time([*rows(200, fee=2.5), *(label(n, "yes" if n % 2 else "no") for n in range(200))]),
    b"no json",
    {**row(250), "model": "other"},
    b"",
]


def made_of(kind: str) -> Fault:
    """A fault with what it must have."""
    made = KINDS[kind]
    needed = {f.name: NEEDED[f.name] for f in fields(made) if f.default is MISSING}
    needed |= {"feature": "country"} if kind in OF_TEXTS else {}
    return made(**needed, **({"unit": "kg:lb"} if kind == "unit" else {}))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(kind: str) -> None:
    one, two = (faulted(made_of(kind), LABELED, minute=50, share=0.5, seed=3) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("kind", KINDS)
def test_something_changes_and_nothing_before_the_faults_begin(kind: str) -> None:
    before = [line for line in lines(LABELED) if _minute(line) < 100]
    made = faulted(made_of(kind), LABELED, minute=100)
    assert made[: len(before)] == before
    assert made != lines(LABELED)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_event_or_another_models_passes_byte_for_byte(kind: str) -> None:
    foreign = lines(LABELED)[-3:]
    made = faulted(made_of(kind), LABELED)
    assert [line for line in made if line in foreign] == foreign


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_is_lost_but_to_silence(kind: str) -> None:
    count = len(faulted(made_of(kind), LABELED, minute=100))
    assert (count < len(LABELED)) == (kind in {"silence", "label-silence"})
    assert (count > len(LABELED)) == (kind == "duplicates")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_happens_and_what_should_ring(kind: str) -> None:
    fault = made_of(kind)
    assert fault.name == kind
    assert re.fullmatch(r"[A-Z][^\n]+\.", KINDS[kind].__doc__ or "")
    assert all(len(one.metadata["help"]) > 5 for one in fields(fault))
    assert fault.expects().is_quiet == (kind in HARMLESS)


def _minute(line: bytes) -> float:
    try:
        return (json.loads(line)["ts"] - START_MS) / 60_000
    except ValueError:
        return 1e9


def test_rows_that_are_not_hit_keep_their_bytes() -> None:
    events = rows(1_000)
    made = faulted(Missing("amount"), events, share=0.3)
    same = sum(a == b for a, b in zip(made, lines(events), strict=True))
    gone = feature(made, "amount").count(None)
    assert same + gone == 1_000
    assert 240 < gone < 360


def test_the_share_is_drawn_apart_for_each_seed() -> None:
    one, two = (feature(faulted(Missing("amount"), rows(200), share=0.5, seed=s), "amount") for s in (1, 2))
    assert one != two


def test_a_fault_ends_at_its_end() -> None:
    assert feature(faulted(Missing("amount"), rows(5), minute=1, until=3), "amount") == [
        0.0,
        None,
        None,
        3.0,
        4.0,
    ]


def test_it_counts_what_it_hit_and_what_it_could_not_read() -> None:
    log = log_of(LABELED)
    injector = Injector(Missing("amount"), Scope(START_MS, FOREVER_MS), surveyed(LABELED))
    assert len(list(injector.run(log()))) == len(LABELED)
    assert (injector.hit, injector.unreadable) == (200, 2)


def test_keys_and_the_logs_own_times_stay() -> None:
    log = [r._replace(key=b"k", stamp_ms=7) for r in log_of(rows(3))()]
    made = Injector(Missing("amount"), Scope(START_MS, FOREVER_MS), surveyed(rows(3))).run(log)
    assert {(w.key, w.stamp_ms) for w in made} == {(b"k", 7)}


def test_labels_are_left_alone_by_faults_of_inferences() -> None:
    assert of_all(faulted(Missing("amount"), LABELED[:-3]), "label") == ["no", "yes"] * 100
