"""The typed client against the API that is served: a method for every operation, and every answer as it is typed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from service import client as client_module
from service.client import Client, Problem
from service.store.keys import Scope
from service.web.app import described_api
from tests.ci_scripts import ci_script
from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    add_dead_letter,
    add_finding,
    add_judged,
    add_model,
    add_partition,
    add_performance,
)
from tests.web.serving import Site
from tests.web.visitors import guarded, new_key

ROOT = Path(__file__).parent.parent.parent


WRITER = ci_script("client")
DOCUMENT = described_api()


def test_the_methods_are_those_of_the_openapi_document() -> None:
    """Run `make api` where this fails."""
    written = (ROOT / "service" / "client.py").read_text(encoding="utf-8").partition(WRITER.LINE)[2]
    wanted = WRITER.generated(DOCUMENT)
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(wanted))


def test_every_operation_has_a_method() -> None:
    operations = sum(len(methods) for path, methods in DOCUMENT["paths"].items() if path.startswith("/api/"))
    streams = sum(WRITER.STREAM in str(methods) for methods in DOCUMENT["paths"].values())
    names = [one.name for one in WRITER.named(DOCUMENT)]
    assert len(names) == operations - streams > 25
    assert [name for name in names if not callable(getattr(Client, name, None))] == []


# ---------------------------------------------------------------- answers as they are typed
def misfits(value: Any, hint: Any, where: str = "") -> Iterator[str]:
    """Where a value is not of its type; fields that are missing or that no type names among it."""
    if is_typeddict(hint):
        yield from _misfits_of_fields(value, get_type_hints(hint), where)
    elif get_origin(hint) in {list, dict}:
        yield from _misfits_of_items(value, hint, where)
    elif not _fits(value, hint):
        yield f"{where}: {value!r:.200} is no {hint}"


def _misfits_of_fields(value: Any, hints: dict[str, Any], where: str) -> Iterator[str]:
    if not isinstance(value, dict) or value.keys() != hints.keys():
        yield f"{where}: {value!r:.200} has not the fields {sorted(hints)}"
        return
    for name, one in hints.items():
        yield from misfits(value[name], one, f"{where}.{name}")


def _misfits_of_items(value: Any, hint: Any, where: str) -> Iterator[str]:
    if not isinstance(value, get_origin(hint)):
        yield f"{where}: {value!r:.200} is no {hint}"
        return
    for one in value if isinstance(value, list) else value.values():
        yield from misfits(one, get_args(hint)[-1], f"{where}[]")


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) in {Union, UnionType}:
        return any(not list(misfits(value, one)) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    return hint is Any or isinstance(value, (int, float) if hint is float else hint)


class Order(client_module.TypedDict):
    """A type to try the check on."""

    name: str
    state: Literal["open", "closed"]
    amounts: list[float | None]


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"name": "a", "state": "open", "amounts": [1, 2.5, None]}, True),
        ({"name": "a", "state": "ajar", "amounts": []}, False),
        ({"name": "a", "state": "open"}, False),
        ({"name": "a", "state": "open", "amounts": [], "more": 1}, False),
        ({"name": "a", "state": "open", "amounts": ["1"]}, False),
        ({"name": None, "state": "open", "amounts": []}, False),
    ],
)
def test_the_check_itself_finds_what_does_not_fit(value: Any, fits: bool) -> None:
    assert (list(misfits(value, Order)) == []) is fits


def seed(add: Add) -> None:
    """Something for every listing, and names that are hard to write into an address."""
    shop_window.fill(add)
    add(add_finding, "well-model", NOW_MS, reason="because")
    add(add_performance, "well-model", NOW_MS)
    add(add_judged, "well-model", NOW_MS)
    add(add_dead_letter, 1, topic=HOSTILE_NAMES[5], key=b"k", value=b"\xff")
    add(add_partition, "events", 0, owner="host-1", lag=5)
    add(add_model, HOSTILE_NAMES[5])


KNOWN: dict[str, Any] = {
    "model": "well-model", "name": "well-ref", "incident_id": "incident-1", "alert_id": "a1", "by": "reason",
    "topic": HOSTILE_NAMES[5], "partition": 0, "offset": 1, "feature": "amount", "window": "5m",
}  # fmt: skip
"""What is seeded, by the name of the parameter that asks for it."""
REFUSED = {404, 409, 422}
"""Not all can be answered of seeded rows: there are no two versions, and their sketches are none."""


def asked(one: Any) -> tuple[list[Any], dict[str, Any]]:
    """What stands in the path, and what must be asked, of any operation."""
    must = [p["name"] for p in one.query if p.get("required")]
    return [KNOWN.get(p["name"], "none") for p in one.in_path], {
        name: KNOWN.get(name, "none") for name in must
    }


def returned(name: str) -> Any:
    """The type that a method says it returns; of an iterator, that of its items."""
    hint = get_type_hints(getattr(Client, name), vars(client_module))["return"]
    return get_args(hint)[0] if get_origin(hint) is not list and get_args(hint) else hint


@pytest.mark.postgres
def test_every_answer_is_as_it_is_typed(engine: Engine, add: Add) -> None:
    seed(add)
    wrong, answered, refused = [], [], []
    with guarded(engine) as site:
        client = Client(site.url, new_key(engine, Scope.WRITE), retries=0)
        client.silence_incident("incident-1", widely=True, why="known", **{"for": "1h"})
        for one in (one for one in WRITER.named(DOCUMENT) if one.verb == "get"):
            places, more = asked(one)
            try:
                found = getattr(client, one.name)(*places, **more)
                rows = list(found) if hasattr(found, "__next__") else [found]
            except Problem as problem:
                refused.append(problem.status)
                continue
            wrong += [f"{one.name}{misfit}" for row in rows for misfit in misfits(row, returned(one.name))]
            answered += [one.name] if rows else []
    assert wrong == []
    assert set(refused) <= REFUSED
    assert len(answered) >= 20
    assert {
        "pipeline",
        "models",
        "findings",
        "alerts",
        "dead_letters",
        "incident",
        "monitor",
        "silences",
    } <= set(answered)


@pytest.mark.postgres
def test_all_pages_are_read_and_nothing_comes_twice(site: Site, add: Add) -> None:
    shop_window.fill(add)
    names = [one["model"] for one in Client(site.url).models(limit=2)]
    assert names == [one["model"] for one in site.items("models")]
    assert len(names) == 9


@pytest.mark.postgres
def test_an_incident_is_marked(engine: Engine, add: Add) -> None:
    shop_window.fill(add)
    with guarded(engine) as site:
        client = Client(site.url, new_key(engine, Scope.WRITE))
        made = client.mark_incident("incident-1", verdict="false_alarm", why="a planned change")
        assert list(misfits(made, client_module.Mark)) == []
        assert client.incident("incident-1")["marks"][0]["why"] == "a planned change"


TABLE = "amount,country,note,churned\n" + "".join(
    f"{n}.5,{'DE' if n % 2 else 'FR'},n{n},{n % 2}\n" for n in range(300)
)


@pytest.mark.postgres
@pytest.mark.parametrize("body", [TABLE, TABLE.encode()])
def test_a_table_is_sent_without_the_columns_that_are_left_out(site: Site, body: str | bytes) -> None:
    made = Client(site.url).upload_reference(
        body, model="churn", label="churned", exclude=["note", "country"]
    )
    assert (made["features"], made["rows"]) == (["amount"], 300)


@pytest.mark.postgres
def test_a_table_may_be_parquet(site: Site, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"amount": [1.0, 2.0] * 100}), tmp_path / "t.parquet")
    body = (tmp_path / "t.parquet").read_bytes()
    made = Client(site.url).upload_reference(
        body, "application/vnd.apache.parquet", model="churn", exclude=[]
    )
    assert (made["features"], made["rows"]) == (["amount"], 200)


@pytest.mark.postgres
def test_what_is_refused_is_told_in_the_words_of_the_api(engine: Engine, add: Add) -> None:
    add(add_model, "churn")
    with guarded(engine) as site:
        with pytest.raises(Problem, match="did you mean churn") as missing:
            Client(site.url, new_key(engine)).model("chrun")
        with pytest.raises(Problem, match="needs a key with the scope write") as forbidden:
            Client(site.url, new_key(engine)).replay_dead_letters()
        with pytest.raises(Problem, match="send a key") as unknown:
            Client(site.url).model("churn")
    assert [one.value.status for one in (missing, forbidden, unknown)] == [404, 403, 401]


@pytest.mark.postgres
def test_an_unchanged_answer_costs_no_body(site: Site, add: Add) -> None:
    shop_window.fill(add)
    client = Client(site.url)
    before = list(client.alerts())
    asked: list[int] = []
    ask = client.wire._ask

    def counting(request: Any) -> Any:
        answer = ask(request)
        asked.append(answer.status)
        return answer

    client.wire._ask = counting  # type: ignore[method-assign]
    assert list(client.alerts()) == before
    assert asked == [304]


@pytest.mark.postgres
def test_any_answer_can_be_had_as_text(site: Site, add: Add) -> None:
    add(add_model, "churn")
    assert Client(site.url).text("/api/v1/monitors/churn", accept="application/yaml").startswith("models:")
