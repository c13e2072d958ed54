"""`driftbell sniff`: what a log holds, as tables, as JSON and as a monitor; hostile text moves no cursor."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.monitor_file import parse_monitors
from tests.sniffing.records import label, prediction

Run = Callable[..., Result]
HOSTILE = "\x1b[31m[red]\u202e"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two models, one of them with hostile words, and records that are no events."""
    events = [
        prediction(
            n,
            {"label": "yes", "score": 0.2},
            amount=n + 0.5,
            country="DE" if n % 3 else "FR",
            session=f"s{n}",
        )
        for n in range(60)
    ]
    events += [label(n, "yes" if n % 2 else "no") for n in range(9)]
    other = [prediction(n, x=HOSTILE) | {"model": f"b{HOSTILE}"} for n in range(5)]
    lines = [json.dumps(one) for one in (*events, *other)] + [f"{HOSTILE}{{"]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(log: Path) -> Run:
    def call(*words: str, charset: str = "utf-8") -> Result:
        runner = CliRunner(charset, env={"DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": ""})
        return runner.invoke(main, ["sniff", *words])

    return lambda *words, **options: call(log.name, "--events", str(log), *words, **options)


def test_a_person_reads_what_the_log_holds(run: Run) -> None:
    said = run()
    assert said.exit_code == 0, said.output
    for words in (
        "75 records of 1 partition read", "model churn: 60 prediction, 9 label", "binary: predictions have a score",
        "9, 9 of predictions read here, 1m later; classes no, yes", "bad_json",
        "--draft --model churn > monitors.yaml",
    ):  # fmt: skip
        assert words in said.stdout
    rows = {line.split()[0]: line.split() for line in said.stdout.splitlines() if line}
    assert rows["session"][1] == "id"
    assert "likely" in rows["country"]


def test_names_are_whole_in_a_pipe(run: Run, log: Path) -> None:
    """A person types them into the monitor."""
    name = "customer_lifetime_value_in_the_last_quarter"
    log.write_text(json.dumps(prediction(0, **{name: 1.5, "country": "a category " * 20})) + "\n")
    assert name in run().stdout


def test_nothing_of_a_log_moves_the_cursor(run: Run) -> None:
    for words in ((), ("--json",), ("--draft", "--model", "churn")):
        said = run(*words)
        assert all(line.isprintable() for line in said.output.splitlines()), words
    assert r"\x1b[31m[red]\u202e" in run().stdout


def test_a_terminal_with_few_signs_shows_it_and_a_draft_is_whole(run: Run, log: Path) -> None:
    log.write_text(json.dumps(prediction(0, 価格=1.5) | {"model": "漢字"}) + "\n", encoding="utf-8")
    assert run(charset="latin-1").exit_code == 0
    drafted = run("--draft", charset="latin-1")
    assert drafted.exit_code == 0
    (monitor,) = parse_monitors(drafted.stdout_bytes.decode(), "draft")
    assert monitor.model == "漢字"


def test_a_program_reads_the_same(run: Run) -> None:
    found = json.loads(run("--json").stdout)
    assert [one["model"] for one in found["models"]] == ["churn", "b[31m[red]"]
    assert {one["name"]: one["kind"] for one in found["models"][0]["features"]} == {
        "amount": "number", "country": "category", "session": "id",
    }  # fmt: skip


def test_a_draft_is_a_monitor_and_nothing_else_on_standard_output(run: Run) -> None:
    said = run(
        "--draft", "--model", "churn", "--pane", "1s", "--window", "5s", "--window", "1m", "--reference", "r"
    )
    (monitor,) = parse_monitors(said.stdout, "draft")
    assert (monitor.model, monitor.pane_ms, monitor.reference) == ("churn", 1_000, "r")
    assert [one.name for one in monitor.windows] == ["5s", "1m"]
    assert monitor.features["session"].ignore
    assert "tell rows apart: session" in said.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--draft",), "the topic holds several models; say --model with one of churn, b"),
        (("--draft", "--model", "none"), "the last records hold no model 'none'"),
        (("--draft", "--model", "churn", "--window", "soon"), "write a duration such as 5m"),
        (("--records", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, words: tuple[str, ...], sentence: str) -> None:
    said = run(*words)
    assert said.exit_code == 2
    assert sentence in said.output


def test_without_kafka_it_says_what_to_set() -> None:
    said = CliRunner(env={"DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": ""}).invoke(main, ["sniff", "inference-log"])
    assert said.exit_code == 2
    assert "set DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS to host:port" in said.output
