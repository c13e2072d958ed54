"""`driftbell inject`: a copy of a log with one fault in it, and one sentence for each mistake."""

# ruff: noqa: E501 - the sentences stand as they are said

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.injection.catalogue import KINDS
from tests.injection.logs import Event, label, lines, row, rows
from tests.replaying import write_log
from tests.servers.fixtures import Broker


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log of forty rows, of which two are labeled, and a line that is no event."""
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "log.jsonl", [*rows(40), label(1, "yes"), label(2, "no")])
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write("no json\n")
    return tmp_path


def inject(*arguments: str, events: str = "log.jsonl", out: str = "out.jsonl") -> Result:
    """The command, without a progress bar."""
    return CliRunner().invoke(main, ["inject", *arguments, "--events", events, "--out", out, "--quiet"])


def written(path: Path) -> list[bytes]:
    """A file's lines."""
    return path.read_bytes().splitlines()


def test_it_writes_a_copy_with_the_fault_in_its_second_half(folder: Path) -> None:
    done = inject("missing", "--feature", "amount")
    assert done.exit_code == 0, done.output
    assert done.stdout == "missing: 20 events hit from 2026-01-01T00:20:00Z on; 43 written to out.jsonl\n"
    before, after = written(folder / "log.jsonl"), written(folder / "out.jsonl")
    assert [a == b for a, b in zip(before, after, strict=True)] == [True] * 20 + [False] * 20 + [True] * 3
    assert done.stderr == "driftbell: 1 line is no event and was left as found\n"


def test_time_share_segment_and_seed_say_which_events(folder: Path) -> None:
    done = inject(
        "unit", "--feature", "amount", "--factor", "100", "--from", "2026-01-01T00:10Z", "--to", "2026-01-01T00:30Z",
        "--where", "country=FR", "--share", "0.5", "--seed", "4",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    events = [json.loads(line) for line in written(folder / "out.jsonl")[:40]]
    changed = [n for n, e in enumerate(events) if e["features"]["amount"] != n]
    assert changed
    assert len(changed) < 7
    assert all(10 <= n < 30 and n % 3 == 0 for n in changed)


def test_the_copy_is_packed_by_its_ending_and_folders_are_logs(folder: Path) -> None:
    (folder / "logs").mkdir()
    for half in range(2):
        write_log(folder / "logs" / f"part-{half}.jsonl", rows(40)[half::2])
    assert inject("silence", "--at", "25%", events="logs", out="out.jsonl.gz").exit_code == 0
    assert gzip.decompress((folder / "out.jsonl.gz").read_bytes()).splitlines() == lines(rows(10))


def test_nothing_hit_is_said(folder: Path) -> None:
    done = inject("missing", "--feature", "amount", "--from", "2030-01-01T00:00Z")
    assert "no event was hit; look at --from, --to, --where and --share" in done.stderr
    assert written(folder / "out.jsonl") == written(folder / "log.jsonl")


@pytest.mark.parametrize("kind", KINDS)
def test_the_help_of_each_kind_has_two_examples_and_its_options(kind: str) -> None:
    shown = CliRunner().invoke(main, ["inject", kind, "--help"], terminal_width=200)
    assert shown.exit_code == 0, shown.exception
    assert shown.output.count(f"driftbell inject {kind} ") >= 2
    assert "--share" in shown.output


def test_the_help_names_every_kind() -> None:
    shown = CliRunner().invoke(main, ["inject", "--help"]).output
    assert [kind for kind in KINDS if f"  {kind} " not in shown] == []
    assert shown.count("  driftbell inject ") == 2


MISTAKES = [
    (["renam", "--feature", "amount"], {}, "there is no kind of fault 'renam'; did you mean 'rename'?"),
    (["missing", "--feature", "amuont"], {}, "there is no feature 'amuont'; did you mean 'amount'?"),
    (["unit", "--feature", "country", "--unit", "kg:lb"], {}, "feature 'country' holds no numbers, which unit needs; take 'amount'"),
    (["unit", "--feature", "amount", "--unit", "kg:lbs"], {}, "there is no pair of units 'kg:lbs'; did you mean 'kg:lb'?"),
    (["missing", "--feature", "amount", "--where", "country"], {}, "--where 'country' is no segment; write feature=value, such as country=DE"),
    (["missing", "--feature", "amount", "--where", "country=XX"], {}, "country is never 'XX'; take 'DE' or 'FR'"),
    (["missing", "--feature", "amount", "--at", "half"], {}, "--at 'half' is no share; write 50% or 0.5"),
    (["missing", "--feature", "amount", "--at", "10%", "--from", "2026-01-01T00:00Z"], {}, "say either --at or --from"),
    (["missing", "--feature", "amount", "--to", "2025-01-01T00:00Z"], {}, "--to 2025-01-01T00:00Z is not after the fault's begin, 2026-01-01T00:20:00Z"),
    (["missing", "--feature", "amount", "--from", "noon"], {}, "--from 'noon' is no time; write ISO 8601"),
    (["silence"], {"events": "none.jsonl"}, "there is no file or folder none.jsonl; --events names the log"),
    (["silence"], {"out": "log.jsonl"}, "--out log.jsonl would be written over the events or among them; name another place"),
    (["silence"], {"out": "none/out.jsonl"}, "cannot write none/out.jsonl: No such file or directory"),
    (["silence"], {"events": "topic:a", "out": "topic:a"}, "--out topic:a would be written over the events or among them"),
    (["silence", "--model", "chrun"], {}, "the log holds no events of model 'chrun'; did you mean 'churn'?"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "places", "sentence"), MISTAKES)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_one_sentence(arguments: list[str], places: dict[str, str], sentence: str) -> None:
    failed = inject(*arguments, **places)
    assert failed.exit_code == 2, failed.exception
    assert failed.stderr.startswith(f"driftbell: {sentence}")
    assert failed.stderr.count("\n") == 1


def test_a_mistake_leaves_the_log_and_no_half_copy(folder: Path) -> None:
    before = (folder / "log.jsonl").read_bytes()
    inject("silence", out="log.jsonl")
    inject("missing", "--feature", "amuont")
    assert (folder / "log.jsonl").read_bytes() == before
    assert [p.name for p in folder.iterdir()] == ["log.jsonl"]


@pytest.mark.kafka
def test_a_topic_is_read_to_its_present_end_and_copied_into_another(
    folder: Path, embedded_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event | bytes] = [row(n) for n in range(30)]
    source, target = embedded_broker.new_topic(), embedded_broker.new_topic()
    embedded_broker.topics.produce(source, lines(events))
    monkeypatch.setenv("DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS", embedded_broker.bootstrap_servers)
    copied = inject("missing", "--feature", "amount", events=f"topic:{source}", out=f"topic:{target}")
    assert copied.exit_code == 0, copied.output
    assert copied.stdout.startswith("missing: 15 events hit")
    back = inject("silence", "--from", "2030-01-01T00:00Z", events=f"topic:{target}", out="back.jsonl")
    assert back.exit_code == 0, back.output
    values = [json.loads(line)["features"]["amount"] for line in written(folder / "back.jsonl")]
    assert values == [*map(float, range(15)), *[None] * 15]
