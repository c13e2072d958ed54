"""`driftbell dead-letters`: what a person sees of hostile records, and how they are counted after a fix."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.messages import Partition
from service.monitor import HOUR_MS, MINUTE_MS, Monitor
from service.settings import load_settings
from service.store.configuration import apply_monitors
from service.store.engine import connect, transaction
from service.wiring import make_log_reader
from tests.flow.stack import Stack, running
from tests.web.seeding import add_dead_letter

pytestmark = pytest.mark.postgres

Run = Callable[..., Result]


def command(environment: dict[str, str]) -> Run:
    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner(env=environment).invoke(main, ["dead-letters", *arguments], input=stdin)

    return run


# ---------------------------------------------------------------- looking, without a broker
@pytest.fixture
def run(engine: Engine) -> Run:
    return command({"DRIFTBELL_DATABASE_URL": engine.url.render_as_string(hide_password=False)})


@pytest.fixture
def put(engine: Engine) -> Callable[..., None]:
    def put(offset: int, **changes: Any) -> None:
        with transaction(engine) as connection:
            add_dead_letter(connection, offset, **changes)

    return put


HOSTILE = b'\x1b[2J\x1b]0;owned\x07{"a":"\xe2\x80\xae<b>"}\r\n\x00\xff\xed\xa0\x80 [red]x[/red] :bell:'
SHOWN = r'\x1b[2J\x1b]0;owned\x07{"a":"\u202e<b>"}\r\n\x00\xff\xed\xa0\x80 [red]x[/red] :bell:'


def test_a_list_shows_place_reason_and_start_the_latest_first(run: Run, put: Callable[..., None]) -> None:
    put(1, value=b'{"type":', detail="ends too early")
    put(2, topic="other", partition=3, reason="too_large", value=b"x" * 500, detail="500 bytes")
    lines = run("list").output.splitlines()
    assert lines[0].split() == ["seen", "(UTC)", "place", "reason", "detail", "value"]
    assert [line.split("  ")[1].strip() for line in lines[1:]] == ["other 3 2", "events 0 1"]
    assert '{"type":' in lines[2]
    assert "ends too early" in lines[2]
    assert lines[1].rstrip().endswith("…")
    assert len(lines) == 3


def test_a_list_goes_on_where_it_ended(run: Run, put: Callable[..., None]) -> None:
    for offset in range(5):
        put(offset)
    first = run("list", "--limit", "3", "--json")
    ids = [json.loads(line)["id"] for line in first.stdout.splitlines()]
    second = run("list", "--before", str(ids[-1]), "--json")
    offsets = [json.loads(line)["offset"] for one in (first, second) for line in one.stdout.splitlines()]
    assert offsets == [4, 3, 2, 1, 0]
    assert f"there are older ones: add --before {ids[-1]}" in run("list", "--limit", "3").stderr


def test_filters_choose_what_is_listed(run: Run, put: Callable[..., None]) -> None:
    put(1, topic="a", partition=1, reason="bad_name")
    put(2, topic="a", partition=2)
    put(3, topic="b", partition=1)

    def listed(*options: str) -> list[int]:
        return [json.loads(line)["offset"] for line in run("list", "--json", *options).stdout.splitlines()]

    assert listed("--topic", "a") == [2, 1]
    assert listed("--partition", "1") == [3, 1]
    assert listed("--reason", "bad_name") == [1]
    assert listed("--since", "1h") == [3, 2, 1]
    assert listed("--until", "1h") == []
    assert listed("--since", "2099-01-01T00:00:00Z") == []


@pytest.mark.parametrize("subcommand", [["list"], ["count"], ["replay", "--dry-run"], ["export"]])
def test_that_there_are_none_is_said_and_no_mistake(run: Run, subcommand: list[str]) -> None:
    told = run(*subcommand)
    assert told.exit_code == 0, told.output
    assert told.output == ("" if subcommand == ["export"] else "no dead letters\n")


def test_hostile_bytes_are_text_wherever_they_stand(run: Run, put: Callable[..., None]) -> None:
    text = HOSTILE.replace(b"\x00", b"").decode(errors="replace")
    put(1, topic=text, key=HOSTILE, value=HOSTILE, size=len(HOSTILE), detail=text)
    outputs = [run("list"), run("list", "--json"), run("show", text, "0", "1"), run("count", "--by", "topic")]
    outputs += [run("export"), run("replay", "--dry-run")]
    for one in outputs:
        assert one.exit_code == 0, one.output
        assert [c for c in one.output if not c.isprintable() and c != "\n"] == []
    assert SHOWN[:40] in outputs[0].output
    assert SHOWN.split(r"\n")[1] in outputs[2].output


def test_one_is_shown_in_full_as_text_and_as_bytes(run: Run, put: Callable[..., None]) -> None:
    put(7, partition=3, key=b"customer-1", value=HOSTILE, size=len(HOSTILE), detail="ends too early")
    lines = run("show", "events", "3", "7").output.splitlines()
    assert lines[0] == "offset 7 of events 3"
    assert "  record time  2026-11-22T00:00:00Z" in lines
    assert "  reason       bad_json: ends too early" in lines
    assert "  key          customer-1" in lines
    assert f"  size         {len(HOSTILE)} bytes" in lines
    assert "  replayed     no" in lines
    assert '  00000000  1b 5b 32 4a 1b 5d 30 3b  6f 77 6e 65 64 07 7b 22  |.[2J.]0;owned.{"|' in lines
    assert lines[-1] == f"  {len(HOSTILE):08x}"
    told = json.loads(run("show", "events", "3", "7", "--json").stdout)
    assert (told["offset"], told["partition"], told["reason"]) == (7, 3, "bad_json")


def test_a_large_one_says_how_much_of_it_is_kept(run: Run, put: Callable[..., None]) -> None:
    put(7, value=b"v" * 4_096, size=123_456, key=b"k" * 1_024)
    shown = run("show", "events", "0", "7").output
    assert "123,456 bytes; the first 4,096 are kept, the log has the rest until retention takes it" in shown
    assert "k (the first 1,024 bytes)" in shown


def test_one_that_is_not_there_is_a_sentence(run: Run) -> None:
    failed = run("show", "events", "0", "7")
    assert failed.exit_code == 2
    assert failed.stderr.startswith("driftbell: there is no dead letter at offset 7 of 'events' 0;")


def test_counts_have_bars(run: Run, put: Callable[..., None]) -> None:
    for offset in range(5):
        put(offset, reason="bad_name" if offset == 4 else "bad_json")
    first, second = run("count").output.splitlines()
    assert first.split()[:3] == ["bad_json", "4", "█" * 40]
    assert second.split()[:3] == ["bad_name", "1", "█" * 10]
    told = [json.loads(line) for line in run("count", "--by", "topic", "--json").output.splitlines()]
    assert [(one["topic"], one["count"]) for one in told] == [("events", 5)]


def test_an_export_has_every_byte_that_is_kept(run: Run, put: Callable[..., None]) -> None:
    for offset in range(3):
        put(offset, value=HOSTILE, key=b"\xff", size=len(HOSTILE))
    told = [json.loads(line) for line in run("export").output.splitlines()]
    assert [one["offset"] for one in told] == [0, 1, 2]
    assert {b64decode(one["value_base64"]) for one in told} == {HOSTILE}
    assert {b64decode(one["key_base64"]) for one in told} == {b"\xff"}


@pytest.mark.parametrize("text", ["yesterday", "1", "-1h", "2026-13-01"])
def test_a_time_that_is_none_is_a_sentence(run: Run, text: str) -> None:
    failed = run("list", f"--since={text}")
    assert failed.exit_code == 2
    assert failed.stderr.startswith(f"driftbell: --since {text!r} is no time; write 2h for two hours ago"), (
        failed.stderr
    )


def test_a_replay_without_kafka_says_so_before_it_asks(run: Run, put: Callable[..., None]) -> None:
    put(1)
    failed = run("replay")
    assert failed.exit_code == 2
    assert "Kafka's bootstrap servers are empty" in failed.stderr


@pytest.mark.parametrize("name", ["list", "show", "count", "export", "replay"])
def test_the_help_of_each_teaches_by_example(name: str) -> None:
    assert (
        f"driftbell dead-letters {name}" in CliRunner().invoke(main, ["dead-letters", name, "--help"]).output
    )


# ---------------------------------------------------------------- the whole way, with a broker
PATIENT = 60.0


def event(model: str, name: str, **more: Any) -> bytes:
    body = {"type": "features", "model": model, "id": name, "features": {"amount": 1}} | more
    return json.dumps(body).encode()


@pytest.mark.kafka
@pytest.mark.slow
def test_what_was_poison_is_counted_exactly_once_after_the_fix(
    database: str, embedded_broker: Any, tmp_path: Path
) -> None:
    topic = embedded_broker.new_topic(2)
    now = time.time_ns() // 1_000_000 // 1_000 * 1_000
    here = Partition(topic, 1)
    good = [event("churn", f"c{n}", ts=now - 1_000 + n) for n in range(200)]
    poison = [
        event("fraud", "f1", ts=now),
        event("fraud", "f2", ts=now, tags={"note": "x" * 10_000}),  # more than the table keeps
        event("fraud", "f3"),  # its time is its record's
        event("fraud", "f4", ts=now - 2 * HOUR_MS),  # its windows are closed
        b'{"type":"features","model":"fraud",\x1b[2J',
    ]
    embedded_broker.topics.produce(topic, good, partition=1, timestamps_ms=[now] * len(good))
    embedded_broker.topics.produce(
        topic, poison, partition=1, keys=[b"k1", b"k2", None, b"k4", b"k5"],
        timestamps_ms=[now, now, now - 3 * MINUTE_MS, now, now],
    )  # fmt: skip
    with running(Stack(database, embedded_broker.bootstrap_servers, topic, tmp_path)) as stack:
        run = command(stack.environment())
        stack.prepare([Monitor("churn")])
        stack.start("collect")
        stack.start("serve")
        stack.wait_until(lambda: stack.consumed()["dead"] == 5, "the poison is found", PATIENT)
        listed = run("list", "--topic", topic, "--partition", "1").output
        assert [listed.count(word) for word in ("unknown_model", "bad_json", "\x1b")] == [4, 1, 0]

        engine = connect(database)
        apply_monitors(engine, [Monitor("fraud", pane_ms=MINUTE_MS)], [], 0)  # the fix
        engine.dispose()
        sentence = "5 dead letters: 3 would be accepted, 1 would be late (its window is closed), 1 is still bad_json\n"
        assert run("replay", "--topic", topic, "--dry-run").output == sentence
        assert over_the_api(stack) == {"accepted": 3, "late": 1, "dead": 1}
        refused = run("replay", "--topic", topic, stdin="n\n")
        assert refused.exit_code == 1
        assert "Write 4 of them to the log again?" in refused.output
        assert end_of(stack, here) == 205

        replayed = run("replay", "--topic", topic, "--yes")
        assert replayed.exit_code == 0, replayed.output
        assert "4 written to the log again" in replayed.output
        stack.wait_until(lambda: sum(stack.consumed().values()) == 209, "they are counted", PATIENT)
        assert stack.consumed() == {
            "accepted": 203, "duplicate": 0, "late": 1, "dead": 5, "tombstone": 0, "lost": 0,
        }  # fmt: skip
        panes = stack.rows(
            "SELECT start_ms, sum(inferences)::int FROM pane WHERE model = 'fraud' AND segment = '' "
            "GROUP BY 1 ORDER BY 1"
        )
        minute = now // MINUTE_MS * MINUTE_MS
        assert panes == [((now - 3 * MINUTE_MS) // MINUTE_MS * MINUTE_MS, 1), (minute, 2)]

        again = run("replay", "--topic", topic, "--yes")
        assert again.output == "1 dead letter: 1 is still bad_json\n"
        assert end_of(stack, here) == 209
        marked = "SELECT reason, count(*)::int FROM dead_letter WHERE replayed_at IS NOT NULL GROUP BY 1"
        assert stack.rows(marked) == [("unknown_model", 4)]
        assert "3 are duplicates, 1 would be late" in run("replay", "--again", "--dry-run").output
        check_copies(stack, here, poison)


def over_the_api(stack: Stack) -> dict[str, int]:
    """What the serving process says would become of them."""
    url = f"http://127.0.0.1:{stack.port}"
    stack.wait_until(lambda: stack.series("driftbell_build_info"), "the site answers", PATIENT)
    answer = httpx.post(f"{url}/api/v1/dead-letters/replay", json={"topic": stack.topic}, timeout=60)
    assert answer.status_code == 200, answer.text
    outcomes: dict[str, int] = answer.json()["outcomes"]
    return outcomes


def end_of(stack: Stack, partition: Partition) -> int:
    """One more than the offset of the last record."""
    return max(int(offset) for offset, *_ in records(stack, partition)) + 1


def records(stack: Stack, partition: Partition) -> list[tuple[int, int, bytes | None, bytes | None]]:
    settings = {name: text for name, text in stack.environment().items() if name.startswith("DRIFTBELL_")}
    reader = make_log_reader(load_settings(settings))
    try:
        return [
            row
            for found in reader.read(partition, 0, 10_000)
            for row in zip(
                found.offsets.tolist(), found.timestamps_ms.tolist(), found.keys, found.values, strict=True
            )
        ]
    finally:
        reader.close()


def check_copies(stack: Stack, partition: Partition, poison: list[bytes]) -> None:
    """What was written is the same record: key, bytes and time."""
    found = records(stack, partition)
    assert [row[1:] for row in found[205:]] == [row[1:] for row in found[200:204]]
    assert [row[3] for row in found[205:]] == poison[:4]
