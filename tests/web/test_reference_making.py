"""References over the API: tables of bounded size, counted as they come, and the present made normal."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine

from service.monitor import DAY_MS
from service.reference.builder import build_reference
from service.reference.profile import ReferenceProfile, profile_from_bytes
from service.store.configuration import apply_monitors, load_configuration, load_reference, store_reference
from service.store.engine import transaction
from service.store.keys import Scope
from service.store.partitions import ensure_partitions
from service.store.profiles import to_be_stored
from service.web import limits
from service.web.api import reference_making, uploads
from service.web.limits import Turns
from tests.cli.test_acceptance_command import END_MS, MINUTES, put_traffic
from tests.replaying import MINUTE, MONITOR, START_MS, reference_of
from tests.web.conftest import Add
from tests.web.seeding import HOSTILE_NAMES, add_alert, add_partition, add_window
from tests.web.serving import Site, site_of
from tests.web.visitors import bearer, guarded, new_key
from tests.web.wire import head, said, status_of

pytestmark = pytest.mark.postgres

ROWS = "amount,country,churned\n" + "".join(f"{n}.5,{'DE' if n % 2 else 'FR'},{n % 2}\n" for n in range(300))


def upload(site: Site, body: bytes | Iterator[bytes], headers: Any = None, **query: Any) -> httpx.Response:
    kind = {"content-type": "text/csv"} | (headers or {})
    asked = {"model": "churn"} | query
    return site.client.post("/api/v1/references", params=asked, content=body, headers=kind)


def parquet_of(columns: dict[str, Any], tmp_path: Path) -> bytes:
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    return (tmp_path / "t.parquet").read_bytes()


# ---------------------------------------------------------------- tables
def test_a_csv_becomes_a_reference_that_monitors_can_name(site: Site, engine: Engine) -> None:
    made = upload(site, ROWS.encode(), label="churned", name="spring").json()
    assert (made["name"], made["rows"], made["task"]) == ("spring", 300, "binary")
    assert sorted(made["features"]) == ["amount", "country"]
    stored = profile_from_bytes(load_reference(engine, "spring") or b"")
    assert (stored.model, stored.rows) == ("churn", 300)
    answer = site.client.post("/api/v1/monitors", json={"yaml": "models: {churn: {reference: spring}}"})
    assert answer.status_code == 200, answer.text


def test_a_parquet_file_does_too(site: Site, tmp_path: Path) -> None:
    body = parquet_of({"amount": [1.0, 2.0] * 100, "country": ["DE", "FR"] * 100}, tmp_path)
    made = upload(site, body, {"content-type": "application/vnd.apache.parquet"}).json()
    assert (made["name"], made["rows"], made["task"]) == ("churn", 200, "none")


def test_more_than_a_megabyte_may_come_and_its_bytes_are_counted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"amount\n" + b"1.5\n" * 400_000
    assert len(body) > limits.MOST_BODY_BYTES
    assert upload(site, body).json()["rows"] == 400_000
    monkeypatch.setattr(uploads, "MOST_TABLE_BYTES", len(body) - 1)
    answer = upload(site, iter([body[:1_000_000], body[1_000_000:]]), replace=True)
    assert (answer.status_code, answer.json()["detail"]) == (413, f"a table may have {len(body) - 1} bytes")


def test_what_says_that_it_is_too_large_is_not_read(site: Site) -> None:
    for path, most in (
        ("references?model=churn", limits.MOST_TABLE_BYTES),
        ("monitors", limits.MOST_BODY_BYTES),
    ):
        headers = {"Host": "127.0.0.1", "Content-Length": str(most + 1)}
        assert status_of(said(site, head(f"/api/v1/{path}", headers, "POST"))) == 413


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no table was sent"),
        (b"amount\n", "has a header but no rows"),
        (b"\xff\xfe\x00\x01", "the table"),
        (b"PAR1nonsense", "not Parquet, or it is cut or damaged"),
        (gzip.compress(b"amount\n" + b"0\n" * 10_000_000), "compressed"),
        (b"a,a\n1,2\n", "there twice"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence_that_names_no_path(
    site: Site, engine: Engine, body: bytes, sentence: str
) -> None:
    answer = upload(site, body)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert "/tmp" not in answer.text
    assert load_reference(engine, "churn") is None


def test_a_parquet_file_that_is_huge_inside_is_refused_unread(site: Site, tmp_path: Path) -> None:
    body = parquet_of(
        {"amount": pa.array([1.0]).dictionary_encode().take(pa.array([0] * 5_000_001))}, tmp_path
    )
    assert len(body) < limits.MOST_TABLE_BYTES
    answer = upload(site, body)
    assert answer.status_code == 422
    assert "5,000,001 rows" in answer.json()["detail"]


def test_a_column_that_is_not_there_is_named(site: Site) -> None:
    answer = upload(site, ROWS.encode(), label="churnt")
    assert answer.status_code == 422
    assert "did you mean 'churned'?" in answer.json()["detail"]


def test_a_reference_is_not_replaced_unless_that_is_said(site: Site) -> None:
    assert upload(site, ROWS.encode()).status_code == 200
    answer = upload(site, b"amount\n1\n2\n")
    assert (answer.status_code, "already" in answer.json()["detail"]) == (409, True)
    assert upload(site, b"amount\n1\n2\n", replace=True).json()["rows"] == 2


def test_another_model_s_reference_is_never_replaced(site: Site, engine: Engine) -> None:
    assert upload(site, ROWS.encode(), name="spring").status_code == 200
    before = load_reference(engine, "spring")
    answer = upload(site, b"amount\n1\n2\n", model="fraud", name="spring", replace=True)
    assert (answer.status_code, "is of another model, 'churn'" in answer.json()["detail"]) == (409, True)
    assert load_reference(engine, "spring") == before


def test_a_name_that_is_taken_during_the_work_is_refused(
    site: Site, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*asked: Any) -> ReferenceProfile:
        made = build_reference(*asked)
        store_reference(engine, replace(to_be_stored(made), profile=b"somebody else's"))
        return made

    monkeypatch.setattr(reference_making, "build_reference", build)
    assert upload(site, ROWS.encode()).status_code == 409
    assert load_reference(engine, "churn") == b"somebody else's"


class OneTurn(Turns):
    """A single turn that says when somebody has it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.taken = Event()

    @contextmanager
    def one(self) -> Iterator[None]:
        with super().one():
            self.taken.set()
            yield


def test_only_so_many_tables_lie_on_the_disk_at_once(site: Site) -> None:
    turns, end = OneTurn(), Event()
    with site_of(site.engine, uploads=turns) as one, ThreadPoolExecutor(1) as pool:

        def slow() -> Iterator[bytes]:
            yield ROWS.encode()
            assert end.wait(20)

        def sent() -> int:
            url = f"{one.url}/api/v1/references?model=slow"
            return httpx.post(url, content=slow(), timeout=30).status_code

        first = pool.submit(sent)
        assert turns.taken.wait(20)
        try:
            assert upload(one, ROWS.encode(), replace=True).status_code == 503
        finally:
            end.set()
        assert first.result(30) == 200


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "x" * 201, ""])
def test_a_hostile_name_is_kept_as_it_is_or_refused(site: Site, name: str) -> None:
    answer = upload(site, ROWS.encode(), name=name)
    assert answer.status_code in {200, 422}
    assert (answer.status_code == 200) is (name.isprintable() and 0 < len(name) <= 200)


def test_a_table_of_who_may_not_send_it_is_not_read(engine: Engine) -> None:
    read = []

    def body() -> Iterator[bytes]:
        for part in range(64):
            read.append(part)
            yield b"0" * 2**20

    with guarded(engine) as site:
        key = bearer(new_key(engine, Scope.READ))
        answer = None
        try:
            answer = upload(site, body(), key)
        except httpx.TransportError:  # the connection is closed under what is still to come
            assert len(read) < 64
        if answer is not None:
            assert answer.status_code in {403, 413}
        assert upload(site, ROWS.encode(), bearer(new_key(engine, Scope.WRITE))).status_code == 200


# ---------------------------------------------------------------- live panes
@pytest.fixture
def live(engine: Engine, tmp_path: Path) -> None:
    """A model without a reference, and ten minutes of its traffic."""
    profile = reference_of(tmp_path)
    store_reference(engine, to_be_stored(profile))
    ensure_partitions(engine, START_MS - DAY_MS, END_MS + DAY_MS)
    apply_monitors(engine, [replace(MONITOR, reference=None)], [], 0)
    put_traffic(engine, profile, range(MINUTES))
    with transaction(engine) as connection:
        add_partition(connection, "events", 0, highest_ms=END_MS)


def accept(site: Site, **more: Any) -> httpx.Response:
    return site.client.post(
        "/api/v1/references/accept", json={"model": "churn", "why": "first traffic"} | more
    )


def test_the_first_traffic_becomes_the_reference(site: Site, engine: Engine, live: None) -> None:
    made = accept(site, name="first", who="anna").json()
    assert (made["name"], made["rows"], made["from_ms"], made["to_ms"]) == ("first", 300, START_MS, END_MS)
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert (latest.reference_name, latest.since_ms) == ("first", made["since_ms"])
    assert site.client.get("/api/v1/models/churn").json()["reference_name"] == "first"


def test_what_is_not_normal_is_refused(site: Site, engine: Engine, add: Add, live: None) -> None:
    add(add_alert, "a1", "churn", incident="i-1", summary="\x1b[31mamount")
    answer = accept(site)
    assert answer.status_code == 409
    assert "incident i-1 is open and pages" in answer.json()["detail"]
    assert "say even_so" in answer.json()["detail"]
    assert "\x1b" not in answer.json()["detail"]
    add(add_window, "churn", END_MS, incomplete=True)
    assert "records are missing" in accept(site, even_so=True).json()["detail"]
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert latest.reference_name is None


@pytest.mark.parametrize(
    ("order", "status", "sentence"),
    [
        ({"model": "none"}, 404, "save one first"),
        ({"until": str(END_MS + MINUTE)}, 409, "the end of that time lies ahead"),
        ({"last": "1m", "until": str(START_MS)}, 409, "needs at least 100"),
        ({"name": "churn-1"}, 409, "already"),
        ({"why": " "}, 422, "says nothing"),
        ({"last": "soon"}, 422, "write a duration"),
    ],
)
def test_what_cannot_be_accepted_is_said(
    site: Site, live: None, order: dict[str, Any], status: int, sentence: str
) -> None:
    answer = accept(site, **order)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.text


def test_a_time_is_learned_without_being_made_the_model_s(site: Site, engine: Engine, live: None) -> None:
    order = {"model": "churn", "since": str(START_MS), "until": str(END_MS)}
    made = site.client.post("/api/v1/references/learn", json=order).json()
    assert (made["name"], made["rows"]) == ("churn-learned", 300)
    latest = load_configuration(engine).latest("churn")
    assert latest is not None
    assert latest.reference_name is None
    again = site.client.post("/api/v1/references/learn", json=order)
    assert again.status_code == 409
