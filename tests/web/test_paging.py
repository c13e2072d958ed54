from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_dead_letter,
    add_finding,
    add_model,
    add_partition,
    add_reference,
    add_window,
)
from tests.web.serving import Site

pytestmark = pytest.mark.postgres

Seed = Callable[[Add, int], None]

# How each listing gets its n-th row, and what names a row. Many are equal in the order's first column.
LISTINGS: dict[str, tuple[Seed, tuple[str, ...]]] = {
    "models": (lambda add, n: add(add_model, f"m{n:03}"), ("model",)),
    "monitors": (lambda add, n: add(add_model, f"m{n:03}"), ("model",)),
    "references": (lambda add, n: add(add_reference, f"r{n:03}"), ("name",)),
    "windows": (
        lambda add, n: add(add_window, f"m{n % 3}", NOW_MS - n // 3 * WINDOW_MS),
        ("model", "end_ms"),
    ),
    "findings": (
        lambda add, n: add(add_finding, "churn", NOW_MS - n // 5 * WINDOW_MS, feature=f"f{n}"),
        ("feature",),
    ),
    "alerts": (lambda add, n: add(add_alert, f"a{n}", "churn", since_ms=NOW_MS - n // 4), ("id",)),
    "incidents": (
        lambda add, n: add(add_alert, f"a{n}", "churn", incident=f"i{n}", since_ms=NOW_MS - n // 4),
        ("id",),
    ),
    "partitions": (lambda add, n: add(add_partition, f"t{n % 2}", n), ("topic", "partition")),
    "dead-letters": (lambda add, n: add(add_dead_letter, n), ("offset",)),
}


def pages(site: Site, listing: str, limit: int) -> Iterator[list[dict[str, Any]]]:
    cursor: dict[str, str] = {}
    while True:
        answer = site.get(f"/api/v1/{listing}", limit=limit, **cursor).json()
        yield answer["items"]
        if answer["next"] is None:
            return
        cursor = {"cursor": answer["next"]}


@pytest.mark.parametrize("listing", LISTINGS)
def test_paging_gives_every_row_exactly_once_while_others_come_in(site: Site, add: Add, listing: str) -> None:
    seed, key = LISTINGS[listing]
    early, late = range(0, 40, 2), range(1, 40, 2)
    for n in early:
        seed(add, n)
    coming = iter(late)
    expected = {tuple(item[part] for part in key) for item in site.items(listing)}
    found = []
    for page in pages(site, listing, limit=3):
        found += [tuple(item[part] for part in key) for item in page]
        for _, n in zip(range(2), coming, strict=False):
            seed(add, n)
    assert len(found) == len(set(found))
    assert expected <= set(found)


def test_the_last_page_says_so_even_when_it_is_full(site: Site, add: Add) -> None:
    for n in range(4):
        add(add_alert, f"a{n}", "churn")
    assert [len(page) for page in pages(site, "alerts", limit=2)] == [2, 2]


def test_a_cursor_carries_names_of_any_script(site: Site, add: Add) -> None:
    for name in HOSTILE_NAMES:
        add(add_model, name)
    found = [item["model"] for page in pages(site, "models", limit=1) for item in page]
    assert sorted(found) == sorted(HOSTILE_NAMES)


def test_filters_hold_on_every_page(site: Site, add: Add) -> None:
    for n in range(6):
        add(add_alert, f"a{n}", "churn" if n % 2 else "fraud")
    first = site.get("/api/v1/alerts", model="churn", limit=2).json()
    second = site.get("/api/v1/alerts", model="churn", limit=2, cursor=first["next"]).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ["a5", "a3", "a1"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!",
        "W10",
        "WzFd",
        "bnVsbA",
        "WyJhIiwiYiJd",
        "W3RydWUsICJhIl0",
        "WzEuNSwgImEiXQ",
        "é",
        "W" * 999,
    ],
)
def test_a_foreign_cursor_is_a_mistake_of_the_caller(site: Site, cursor: str) -> None:
    answer = site.get("/api/v1/alerts", cursor=cursor)
    assert answer.status_code == 422
    assert answer.json()["mistakes"][0]["parameter"] == "cursor"


def test_a_cursor_of_another_listing_is_refused(site: Site, add: Add) -> None:
    for n in range(2):
        add(add_partition, "events", n)
    cursor = site.get("/api/v1/partitions", limit=1).json()["next"]
    assert site.get("/api/v1/alerts", cursor=cursor).status_code == 422
