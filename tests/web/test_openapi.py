"""The OpenAPI document explains every operation and parameter, and says how problems look."""

from __future__ import annotations

from typing import Any

import pytest

from service.web.api.openapi import GLOSSARY, operations
from service.web.problems import MEDIA_TYPE
from tests.web.serving import Site
from tests.web.visitors import unserved_app

DOCUMENT = unserved_app().openapi()
OPERATIONS = {f"{method.upper()} {path}": operation for method, path, operation in operations(DOCUMENT)}


def test_there_are_operations_to_look_at() -> None:
    assert len(OPERATIONS) > 25


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_a_summary_and_says_what_it_does(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"].endswith((".", "?", ")"))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_described(name: str) -> None:
    """One that has a single meaning everywhere is described once, in GLOSSARY."""
    parameters: list[dict[str, Any]] = OPERATIONS[name].get("parameters", [])
    assert [one["name"] for one in parameters if not one.get("description")] == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_problems_are_declared(name: str) -> None:
    problem = OPERATIONS[name]["responses"]["default"]["content"][MEDIA_TYPE]["schema"]
    assert {"type", "title", "status", "detail", "mistakes"} <= set(problem["properties"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_has_a_schema(name: str) -> None:
    success = [one for status, one in OPERATIONS[name]["responses"].items() if status.startswith("2")]
    assert len(success) >= 1
    for answer in success:
        for media_type, content in answer.get("content", {}).items():
            assert content.get("schema"), (name, media_type)


def test_the_glossary_holds_no_word_that_no_parameter_has() -> None:
    used = {one["name"] for operation in OPERATIONS.values() for one in operation.get("parameters", [])}
    assert set(GLOSSARY) - used == set()


@pytest.mark.postgres
def test_the_document_is_served_and_linked(site: Site) -> None:
    assert site.get("/openapi.json").json() == DOCUMENT
    assert 'href="openapi.json"' in site.get("/").text
