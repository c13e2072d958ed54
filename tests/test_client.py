"""The client's wire: what is refused is told, what is busy is asked again, and the key goes nowhere else."""

from __future__ import annotations

import ast
import json
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.client import Client, Problem, ServerEvent, Unreachable, WireOptions, parsed_events
from tests.fakes.scripted_server import Reply, Scripted, scripted

SOURCE = Path(__file__).parent.parent / "service" / "client.py"
PROBLEM = {"title": "Not Found", "status": 404, "detail": "there is no model of this name"}


def problem(status: int, **headers: str) -> Reply:
    """A refusal as the API sends it."""
    return Reply(json.dumps(PROBLEM | {"status": status}).encode(), status, headers)


def client_of(server: Scripted, **options: object) -> tuple[Client, list[float]]:
    """A client that notes how long it would wait, and does not."""
    waited: list[float] = []
    told: WireOptions = {"sleep": waited.append, "timeout_seconds": 5.0}
    return Client(server.url, "db_1_secret", **told | options), waited  # type: ignore[typeddict-item]


def test_the_file_needs_nothing_but_python() -> None:
    nodes = list(ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert len(imported) > 5
    assert {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names} == set()


# ---------------------------------------------------------------- the key
@pytest.mark.parametrize(
    "url", ["http://driftbell.example.com", "http://10.0.0.1:8765", "http://127.0.0.1.evil.net"]
)
def test_the_key_does_not_leave_this_machine_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="in the clear"):
        Client(url, "db_1_secret")
    Client(url)
    Client(url, "db_1_secret", cleartext=True)
    Client(url.replace("http:", "https:"), "db_1_secret")


@pytest.mark.parametrize(
    "url", ["", "driftbell.example.com", "file:///etc/passwd", "ftp://x", "https://", "https://x?a=b"]
)
def test_what_is_no_address_is_told_what_to_give(url: str) -> None:
    with pytest.raises(ValueError, match="such as https"):
        Client(url)


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with scripted(Reply()) as other, scripted(Reply(b"", 302, {"Location": f"{other.url}/api"})) as server:
        client, _ = client_of(server)
        with pytest.raises(Problem) as refused:
            client.model("churn")
    assert (refused.value.status, other.heard) == (302, [])


def test_the_key_is_sent_and_not_shown() -> None:
    with scripted(Reply()) as server:
        client, _ = client_of(server)
        client.model("churn")
    assert server.heard[0].headers["authorization"] == "Bearer db_1_secret"
    assert "secret" not in repr(client.wire)


# ---------------------------------------------------------------- asking
def test_names_of_any_kind_are_one_part_of_the_path() -> None:
    with scripted(Reply()) as server:
        client_of(server)[0].model("a/b?c#d%2F é")
    assert server.heard[0].path == "/api/v1/models/a%2Fb%3Fc%23d%252F%20%C3%A9"


def test_parameters_are_written_as_the_api_reads_them() -> None:
    at = datetime(2026, 11, 22, 1, tzinfo=UTC)
    with scripted(Reply(b'{"items": [], "next": null}')) as server:
        list(client_of(server)[0].incidents(open=True, since=at, until=7, model="a b"))
    assert (
        server.heard[0].path
        == "/api/v1/incidents?open=true&since=2026-11-22T01%3A00%3A00%2B00%3A00&until=7&model=a+b"
    )


def test_a_time_without_a_zone_is_not_guessed_at() -> None:
    with scripted(Reply()) as server, pytest.raises(ValueError, match="time zone"):
        list(client_of(server)[0].incidents(since=datetime(2026, 11, 22)))  # noqa: DTZ001 - which is the point


def test_a_listing_goes_over_all_pages_and_asks_for_one_when_it_is_needed() -> None:
    pages = [Reply(json.dumps({"items": [n], "next": f"c{n}" if n < 2 else None}).encode()) for n in range(3)]
    with scripted(*pages) as server:
        found = client_of(server)[0].models(limit=1)
        assert server.heard == []
        assert (next(found), len(server.heard)) == (0, 1)
        assert list(found) == [1, 2]
    assert [one.path.partition("&")[2] for one in server.heard] == ["", "cursor=c0", "cursor=c1"]


def test_an_answer_that_holds_still_is_not_sent_again() -> None:
    with scripted(Reply(b'{"a": 1}', headers={"ETag": '"t"'}), Reply(b"", 304, {"ETag": '"t"'})) as server:
        client, _ = client_of(server)
        assert client.model("churn") == client.model("churn") == {"a": 1}
    assert [one.headers.get("if-none-match") for one in server.heard] == [None, '"t"']


# ---------------------------------------------------------------- refusals
def test_a_problem_is_raised_with_its_sentence_and_mistakes() -> None:
    told = {"detail": "limit: too many", "mistakes": [{"parameter": "limit", "sentence": "too many"}]}
    with (
        scripted(Reply(json.dumps(told).encode(), 422)) as server,
        pytest.raises(Problem, match="too many") as refused,
    ):
        list(client_of(server)[0].models())
    assert (refused.value.status, refused.value.sentence) == (422, "limit: too many")
    assert refused.value.mistakes == {"limit": "too many"}
    assert len(server.heard) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": 1, "mistakes": 7}', b"\xff"])
def test_a_refusal_of_something_else_is_a_problem_too(body: bytes) -> None:
    with scripted(Reply(body, 403)) as server, pytest.raises(Problem) as refused:
        client_of(server)[0].model("churn")
    assert refused.value.status == 403


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_is_busy_is_asked_again_after_the_time_that_is_said(status: int) -> None:
    busy = problem(status, **{"Retry-After": "7"})
    with scripted(busy, busy, Reply(b'{"a": 1}')) as server:
        client, waited = client_of(server)
        assert client.model("churn") == {"a": 1}
    assert waited == [7.0, 7.0]


def test_patience_has_an_end_and_no_wait_is_longer_than_a_minute() -> None:
    with scripted(problem(503, **{"Retry-After": "86400"})) as server:
        client, waited = client_of(server, retries=2)
        with pytest.raises(Problem) as refused:
            client.model("churn")
    assert (len(server.heard), waited, refused.value.retry_after) == (3, [60.0, 60.0], 86_400.0)


def test_without_a_word_of_the_server_each_wait_is_longer() -> None:
    with scripted(problem(503)) as server:
        client, waited = client_of(server, retries=5)
        with pytest.raises(Problem):
            client.model("churn")
    assert all(2.0**n / 2 <= wait <= 2.0**n for n, wait in enumerate(waited))
    assert len(waited) == 5


def test_what_changes_something_is_sent_once() -> None:
    with scripted(problem(503, **{"Retry-After": "1"})) as server:
        client, waited = client_of(server)
        with pytest.raises(Problem):
            client.mark_incident("i-1", verdict="false_alarm", why="a planned price change")
    (sent,) = server.heard
    assert (sent.method, sent.path, waited) == ("POST", "/api/v1/incidents/i-1/mark", [])
    assert json.loads(sent.body) == {"verdict": "false_alarm", "why": "a planned price change"}
    assert sent.headers["content-type"] == "application/json"


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    with scripted(Reply(b'{"a"', broken=True), Reply(b'{"a": 1}')) as server:
        client, waited = client_of(server)
        assert client.model("churn") == {"a": 1}
    assert len(waited) == 1


def test_where_nobody_listens_is_said_to_be_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = Client(address, retries=1, sleep=lambda _: None)
        with pytest.raises(Unreachable, match="does not answer"):
            client.model("churn")


# ---------------------------------------------------------------- events
STREAM = {"Content-Type": "text/event-stream"}


def test_a_stream_is_parsed_as_the_standard_says() -> None:
    lines = [
        "retry: 3000",
        "id: 0",
        "",
        ": heartbeat",
        "",
        "id: 1",
        "event: models",
        'data: {"a":',
        "data: 1}",
        "",
    ]
    lines += ["data:text", "", "data: lost"]
    assert list(parsed_events(iter(lines))) == [
        ServerEvent("beat", None, "0"),
        ServerEvent("models", {"a": 1}, "1"),
        ServerEvent("message", "text", "1"),
    ]


def test_heartbeats_are_heard_and_not_told() -> None:
    beats = b"id: 4\n\n: still here\nevent: beat\ndata: {}\n\n"
    news = Reply(beats + b"id: 5\nevent: models\ndata: {}\n\n", headers=STREAM)
    with scripted(Reply(beats, headers=STREAM), Reply(beats, headers=STREAM), news) as server:
        client, _ = client_of(server, retries=1)
        assert next(client.events()) == ServerEvent("models", {}, "5")
    assert [one.headers.get("last-event-id") for one in server.heard] == [None, "4", "4"]


def test_a_stream_that_breaks_goes_on_after_the_last_event() -> None:
    first = Reply(b"id: 1\nevent: models\ndata: {}\n\n", headers=STREAM)
    second = Reply(b"id: 2\nevent: incidents\ndata: {}\n\n", headers=STREAM, broken=True)
    third = Reply(b"id: 3\nevent: models\ndata: {}\n\n", headers=STREAM)
    with scripted(first, problem(503, **{"Retry-After": "3"}), second, third) as server:
        client, waited = client_of(server)
        events = client.events()
        assert [next(events).name for _ in range(3)] == ["models", "incidents", "models"]
    assert [one.headers.get("last-event-id") for one in server.heard[:4]] == [None, "1", "1", "2"]
    assert 3.0 in waited


def test_a_stream_that_only_ever_ends_is_given_up() -> None:
    with scripted(Reply(b": heartbeat\n\n", headers=STREAM)) as server:
        client, _ = client_of(server, retries=2)
        with pytest.raises(Unreachable, match="ended the stream"):
            next(client.events())
    assert len(server.heard) == 3


def test_a_stream_that_is_refused_is_not_asked_for_again() -> None:
    with scripted(problem(403)) as server, pytest.raises(Problem):
        next(client_of(server)[0].events())
    assert len(server.heard) == 1
