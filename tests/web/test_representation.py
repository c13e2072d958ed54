"""Answers as CSV, and answers that are not sent again."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from service.web.api.csv_rows import CsvTable, cell_of, csv_of
from tests.web import shop_window
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_finding,
    add_model,
    add_scored,
    add_window,
)
from tests.web.serving import Site

LISTINGS = ("models", "monitors", "references", "windows", "findings", "performance", "performance-findings",
            "feedback", "retraining", "alerts", "incidents", "partitions", "dead-letters", "dead-letters/by-reason",
            "overview")  # fmt: skip


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# ---------------------------------------------------------------- cells
@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@sum", "'@sum"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("a=b", "a=b"), ("", ""), (None, ""), (True, "true"), (-1, -1), (0.5, 0.5), ([1, "a"], '[1,"a"]'), ({}, "{}"),
    ],
)  # fmt: skip
def test_no_text_begins_a_formula_and_numbers_stay_numbers(value: object, cell: object) -> None:
    assert cell_of(value) == cell


def test_quotes_commas_and_line_breaks_are_written_as_the_rfc_says() -> None:
    made = csv_of(CsvTable(["a", "=b"], [['say "x"', "1,2"], ["line\r\nbreak", None]]))
    assert made == b'a,\'=b\r\n"say ""x""","1,2"\r\n"line\r\nbreak",\r\n'


# ---------------------------------------------------------------- over the wire
@pytest.mark.postgres
@pytest.mark.parametrize("listing", LISTINGS)
def test_every_listing_has_its_header_even_without_rows(site: Site, listing: str) -> None:
    answer = site.get(f"/api/v1/{listing}", format="csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == f'attachment; filename="{listing.rpartition("/")[2]}.csv"'
    (header,) = answer.text.splitlines()
    assert len(header.split(",")) >= 2


@pytest.mark.postgres
@pytest.mark.parametrize("listing", ["models", "windows", "alerts", "overview"])
def test_csv_has_what_json_has(site: Site, add: Add, listing: str) -> None:
    shop_window.fill(add)
    items = site.items(listing)
    found = rows(site.get(f"/api/v1/{listing}", format="csv").text)
    assert len(found) == len(items) > 1
    for item, row in zip(items, found, strict=True):
        for name, value in item.items():
            if isinstance(value, dict) and name != "evidence":
                assert {
                    f"{name}.{part}": str(cell_of(one)) for part, one in value.items()
                }.items() <= row.items()
            elif value is not None:
                assert row[name] == str(cell_of(value))


@pytest.mark.postgres
def test_what_there_is_none_of_is_nothing_in_all_its_cells(site: Site, add: Add) -> None:
    add(add_model, "churn")
    (row,) = rows(site.get("/api/v1/overview", format="csv").text)
    assert (row["model"], row["events_a_minute"], row["budget.promised"]) == ("churn", "", "1.0")


@pytest.mark.postgres
def test_who_accepts_csv_rather_than_json_gets_it(site: Site) -> None:
    for accept, kind in {
        "text/csv": "text/csv; charset=utf-8", "text/csv;q=0.5, application/json": "application/json",
        "*/*": "application/json", "text/csv;q=x": "application/json",
        "application/json;q=0.2, TEXT/CSV": "text/csv; charset=utf-8",
    }.items():  # fmt: skip
        answer = site.client.get("/api/v1/models", headers={"Accept": accept})
        assert answer.headers["content-type"] == kind, accept
        assert "Accept" in answer.headers["vary"].split(", ")


@pytest.mark.postgres
def test_a_page_of_csv_names_the_next_one(site: Site, add: Add) -> None:
    for number in range(3):
        add(add_window, "churn", NOW_MS - number * WINDOW_MS)
    answer = site.get("/api/v1/windows", model="churn", limit=2, format="csv")
    link = answer.headers["link"]
    assert link.endswith('>; rel="next"')
    rest = site.get(f"/api/v1/windows{link[1 : link.index('>')]}")
    ends = [int(row["end_ms"]) for row in rows(answer.text) + rows(rest.text)]
    assert ends == [NOW_MS - number * WINDOW_MS for number in range(3)]
    assert "link" not in rest.headers


@pytest.mark.postgres
@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "=cmd|' /C calc'!A0", "@x", "-2+3"])
def test_hostile_names_are_cells(site: Site, add: Add, name: str) -> None:
    add(add_model, name)
    add(add_scored, name, NOW_MS, {name: 0.5}, version=name)
    add(add_alert, "a", name, summary=name)
    for listing in ("models", "overview", "windows", "findings", "alerts"):
        (row,) = rows(site.get(f"/api/v1/{listing}", format="csv").text)
        assert row["model"] == cell_of(name)
    (row,) = rows(site.get("/api/v1/heat", model=name, format="csv").text)
    assert row[f"feature:{name}"] == "50"


@pytest.mark.postgres
def test_a_heat_map_is_a_row_for_each_place_and_scores_are_a_row_each(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS - WINDOW_MS, {"age": 0.25}, incomplete=True)
    add(add_scored, "churn", NOW_MS, {"amount": 3.0})
    add(add_finding, "churn", NOW_MS, role="", feature="", method="volume")
    first, second = rows(site.get("/api/v1/heat", model="churn", format="csv").text)
    assert (first["feature:amount"], first["feature:age"], first["incomplete"]) == ("", "25", "true")
    assert (second["feature:amount"], second["inferences"], second["reference"]) == (
        "300",
        "100",
        "churn-ref",
    )
    (score,) = rows(site.get("/api/v1/scores", model="churn", feature="amount", format="csv").text)
    told = ("method", "value", "limit", "verdict", "end_ms", "n")
    assert [score[name] for name in told] == ["psi", "0.6000000000000001", "0.2", "drift", str(NOW_MS), "100"]


@pytest.mark.postgres
def test_a_form_that_there_is_not_is_refused(site: Site) -> None:
    answer = site.get("/api/v1/models", format="xml")
    assert (answer.status_code, answer.json()["detail"]) == (422, "format: write csv or json")
    assert site.get("/api/v1/models", format="json").json() == {"items": [], "next": None}
    assert site.get("/api/v1/windows", format="csv", limit=0).json()["status"] == 422


@pytest.mark.postgres
def test_every_answer_that_has_rows_says_so_in_the_openapi_document(site: Site) -> None:
    document: dict[str, Any] = site.get("/openapi.json").json()
    paths, known = document["paths"], document["components"]["schemas"]
    told = {
        path.removeprefix("/api/v1/")
        for path, methods in paths.items()
        if "text/csv"
        in methods.get("get", {"responses": {"200": {"content": {}}}})["responses"]["200"]["content"]
    }
    assert told >= {*LISTINGS, "heat", "scores"} - {"dead-letters/by-reason"} | {"dead-letters/by-{by}"}
    for path, methods in paths.items():
        schema = (
            methods.get("get", {})
            .get("responses", {})
            .get("200", {})
            .get("content", {})
            .get("application/json", {})
        )
        answer = known.get(schema.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
        if "items" in answer.get("properties", {}):
            assert path.removeprefix("/api/v1/") in told
    for path in told:
        parameters = paths[f"/api/v1/{path}"]["get"]["parameters"]
        assert [one["name"] for one in parameters].count("format") == 1


# ---------------------------------------------------------------- entity tags
@pytest.mark.postgres
def test_who_has_an_answer_already_is_not_sent_it_again(site: Site, add: Add) -> None:
    shop_window.fill(add)
    for path in (
        "/api/v1/overview",
        "/api/v1/models/well-model",
        "/api/v1/alerts?format=csv",
        "/api/v1/dead-letters",
    ):
        first = site.get(path)
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        assert first.headers["cache-control"] == "private, no-cache"
        for sent in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
            again = site.client.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b"")
            assert (again.headers["etag"], again.headers["cache-control"]) == (tag, "private, no-cache")
        other = site.client.get(path, headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.postgres
def test_what_has_changed_is_sent_with_another_tag(site: Site, add: Add) -> None:
    add(add_model, "churn")
    before = site.get("/api/v1/overview").headers["etag"]
    add(add_alert, "a", "churn")
    after = site.client.get("/api/v1/overview", headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["etag"] != before


@pytest.mark.postgres
def test_time_that_passes_alone_changes_no_overview_and_no_heat_map(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_scored, "churn", NOW_MS, {"amount": 0.5})
    for path in ("/api/v1/overview", "/api/v1/heat?model=churn"):
        site.now_ms = NOW_MS
        tag = site.get(path).headers["etag"]
        site.now_ms += 59_000
        assert site.client.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.postgres
def test_problems_are_kept_by_nobody_and_have_no_tag(site: Site) -> None:
    answer = site.get("/api/v1/models/none")
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
