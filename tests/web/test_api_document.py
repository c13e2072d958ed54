"""docs/api.md and docs/client.md against the API that is served: no endpoint is missing, and every example runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from service.client import Problem
from service.sketches.codec import grid_to_bytes
from service.sketches.grids import Grid
from service.store.keys import Scope
from service.store.tables import grid
from service.web.app import described_api
from tests.ci_scripts import ci_script
from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.seeding import NOW_MS, add_alert, add_dead_letter, add_finding, add_model, add_partition
from tests.web.serving import Site
from tests.web.visitors import guarded, new_key

ROOT = Path(__file__).parent.parent.parent
API, CLIENT = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("api.md", "client.md"))


WRITER = ci_script("api_table")
CALLS = sorted(set(re.findall(r"`((?:get|send) .*?)` \|$|^((?:get) '.*?')", API, re.MULTILINE)))


def test_the_table_is_that_of_the_openapi_document() -> None:
    """Run `make api` where this fails."""
    written = API.partition(WRITER.BEGINS)[2].partition(WRITER.ENDS)[0]
    assert written == WRITER.table(described_api())


def test_every_endpoint_stands_there() -> None:
    named = set(re.findall(r"^\| `([A-Z]+ /api/v1/[^`]*)` \|", API, re.MULTILINE))
    paths = described_api()["paths"].items()
    assert named == {f"{method.upper()} {path}" for path, methods in paths for method in methods}
    assert len(named) > 25


def seed(add: Add) -> None:
    """What the examples name, on a grid that can be read."""
    add(lambda connection: connection.execute(update(grid).values(definition=grid_to_bytes(Grid()))))
    add(add_model, "churn", reference_name="churn-2026-10")
    add(add_alert, "a-1", "churn", incident="i-5c0e8f1a2b3c4d5e", at_ms=NOW_MS)
    add(add_finding, "churn", NOW_MS)
    add(add_partition, "inference-log", 0)
    add(add_dead_letter, 1041, topic="inference-log", reason="unknown_model")


@pytest.mark.postgres
def test_every_call_is_understood(site: Site, add: Add) -> None:
    """Not all can be answered of what is seeded; no question is wrong, and none leads nowhere."""
    seed(add)
    answers = {call: made(site, call) for call in ("".join(pair) for pair in CALLS)}
    wrong = {
        call: answer.text for call, answer in answers.items() if not is_understood(call, answer.status_code)
    }
    assert list(wrong.items())[:3] == []
    assert [call for call, answer in answers.items() if "nothing at this address" in answer.text] == []


def is_understood(call: str, status: int) -> bool:
    """What is sent has dots where a person writes something, and may be wrong for it; this server knows no Kafka."""
    return status in {200, 201, 202, 204, 404, 409} or (status in {422, 503} and call.startswith("send"))


def made(site: Site, call: str) -> httpx.Response:
    """A call of the document, as its words make it."""
    word, *words = shlex.split(call)
    if word == "get":
        return site.client.get(f"/api/v1/{words[0]}")
    body = b"models: {}" if words[2:3] == ["@monitors.yaml"] else "".join(words[2:3]).encode()
    kind = words[3] if len(words) > 3 else "application/json"
    return site.client.request(words[0], f"/api/v1/{words[1]}", content=body, headers={"Content-Type": kind})


def test_there_are_calls_to_try() -> None:
    assert len(CALLS) > 30


# ---------------------------------------------------------------- the client's document
@pytest.mark.postgres
def test_the_examples_of_the_client_run(engine: Engine, add: Add, capsys: pytest.CaptureFixture[str]) -> None:
    shop_window.fill(add)
    seed(add)
    blocks = re.findall(r"```python\n(.*?)```", CLIENT, re.DOTALL)
    with guarded(engine, look_seconds=0.05) as site, changing(add):
        known: dict[str, Any] = {"URL": site.url, "KEY": new_key(engine, Scope.WRITE)}
        for block in blocks:
            run(block, known)
    said = capsys.readouterr().out
    assert len(blocks) >= 6
    assert "404 there is no model of this name; did you mean churn?" in said
    assert "amount js_distance 0.1 0.4 ok" in said
    assert re.search("^(models|incidents) {", said, re.MULTILINE)
    assert known["csv"].startswith("model,version,segment")
    assert known["yaml"].startswith("models:")


@contextmanager
def changing(add: Add) -> Iterator[None]:
    """Within it something of a model is new every now and then."""
    over = Event()

    def change() -> None:
        for number in count():
            if over.wait(0.3):
                return
            add(add_alert, f"new-{number}", "churn", incident=f"new-{number}")

    thread = Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run(block: str, known: dict[str, Any]) -> None:
    """Run an example; this server knows no log to replay into."""
    if "replay" not in block:
        exec(block, known)
        return
    with pytest.raises(Problem, match="knows no Kafka"):
        exec(block, known)
