"""The API keeps to its own OpenAPI document, whatever is sent: Schemathesis, in process, on a real database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from sqlalchemy import Engine

from service.settings import Auth
from service.store.keys import Scope
from service.web.api.topics import Topics
from service.web.app import create_app
from tests.fakes.appending import AppendedLog
from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.serving import Site
from tests.web.visitors import new_key, unserved_app

pytestmark = pytest.mark.postgres

SEED = 20_261_122
ACCEPTANCE = os.environ.get("DRIFTBELL_FAULTS_SIZE") == "acceptance"
EXAMPLES, FEWEST_CASES = (1_000, 10_000) if ACCEPTANCE else (80, 2_000)


def configured(key: str) -> SchemathesisConfig:
    """All phases, and the same cases each time."""
    return SchemathesisConfig.from_dict({
        "seed": SEED,
        "auth": {"openapi": {"key": {"bearer": key}}},
        # Not all that is a string is a cursor or a time: a schema cannot say which are.
        "checks": {"positive_data_acceptance": {"enabled": False}},
        "generation": {"deterministic": True, "max-examples": EXAMPLES, "database": "none"},
    })  # fmt: skip


def mistakes_of(event: events.EngineEvent) -> Iterator[str]:
    if isinstance(event, events.NonFatalError | events.FatalError):
        yield str(event)
    if isinstance(event, events.ScenarioFinished):
        for checks in event.recorder.checks.values():
            for check in checks:
                if check.status is Status.FAILURE and check.failure_info is not None:
                    said = f"{check.failure_info.failure}\n{check.failure_info.code_sample}"
                    yield f"{event.label}: {check.name}: {said[:2_000]}"


def ran(app: FastAPI, key: str) -> tuple[int, list[str]]:
    """How many cases were sent, and what was wrong with them."""
    schema = schemathesis.openapi.from_dict(app.openapi(), config=configured(key))
    schema.app = app
    cases, wrong = 0, []
    for event in from_schema(schema).execute():
        wrong += mistakes_of(event)
        cases += len(event.recorder.interactions) if isinstance(event, events.ScenarioFinished) else 0
    return cases, wrong


@pytest.mark.slow
def test_every_answer_is_as_documented(engine: Engine, add: Add) -> None:
    """No 5xx, no answer without its schema, no wrong data accepted, nothing answered without a key."""
    shop_window.fill(add)
    app = create_app(
        Site(engine).dependencies(auth=Auth.KEYS, topics=Topics(("events",), AppendedLog().open))
    )
    cases, wrong = ran(app, new_key(engine, Scope.ADMIN))
    assert wrong == []
    assert cases >= FEWEST_CASES


# ---------------------------------------------------------------- SQL
ENDINGS = ("", "--", "#", "/*", ";--")
SQL = [
    *(f"' OR '1'='1{ending}" for ending in ENDINGS),
    *(f"x' OR 1=1{ending}" for ending in ENDINGS),
    *(f"1) OR (1=1{ending}" for ending in ENDINGS),
    *(f"'; DROP TABLE alert{ending}" for ending in ENDINGS),
    *(f"' UNION SELECT secret_hash FROM api_key{ending}" for ending in ENDINGS),
    *(f"'||(SELECT pg_sleep(5))||'{ending}" for ending in ENDINGS),
    *(f'" OR ""="{ending}' for ending in ENDINGS),
    "%", "_", "%%", "\\", "\\'", "''", "$$", "$1", ":name", "%(name)s", "{0}", "E'\\x41'", "\u02bc OR 1=1", "\ufb05",
    "1; SELECT 1", "NULL", "0x41", "(SELECT 1)", "*/", "\x1a",
]  # fmt: skip


def listings() -> Iterator[tuple[str, str]]:
    """Each listing with each of its query parameters, as documented."""
    for path, methods in unserved_app().openapi()["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                yield path.replace("{by}", "reason"), parameter["name"]


def answered(site: Site, path: str) -> str:
    """What is answered, without what only says how late it is."""
    return re.sub(r'"(now_ms|silent_ms|watermark_age_ms)":-?[0-9]+', "", site.get(path).text)


def test_sql_in_any_parameter_is_a_name_that_nothing_has(site: Site, add: Add) -> None:
    assert len(SQL) >= 50
    shop_window.fill(add)
    before = {path: answered(site, path) for path, _ in listings()}
    wrong = []
    for path, name in listings():
        for payload in SQL:
            answer = site.get(path, **{name: payload})
            rows = answer.json()
            found = rows["items"] if isinstance(rows, dict) and "items" in rows else rows
            # 404: an answer about one model, of which there is none of that name
            if not (answer.status_code in {404, 422} or (answer.status_code == 200 and found == [])):
                wrong.append((path, name, payload, answer.status_code))
    assert wrong == []
    assert {path: answered(site, path) for path, _ in listings()} == before
