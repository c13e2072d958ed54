"""What the log or the database no longer holds is said, and is no fault; what is left is held to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from service.checkpoints import Claimant
from service.errors import ConfigurationError
from service.intake.decoder import Decoder
from service.messages import Partition, UnknownModels
from service.monitor import Monitor
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from service.store.checkpoint import PostgresCheckpoints
from service.store.engine import transaction
from service.verification.discrepancies import Kind
from service.verification.report import DIFFERENT, IDENTICAL, NOT_VERIFIED, Report
from service.verification.verifier import Asked
from tests.fakes.collecting import Bench, Running
from tests.fakes.events import T0_MS, stream
from tests.fakes.log_reader import FakeLogReader
from tests.verification.runs import Run, verified

pytestmark = pytest.mark.postgres

HALF, ALL = 400, 800


@pytest.fixture
def bench(engine: Engine) -> Bench:
    """A monitor and a log of two partitions, half of it read."""
    made = Bench(engine)
    made.log.partitions = 2
    made.apply()
    append(made, 0, HALF)
    collect(made)
    return made


def append(bench: Bench, start: int, end: int) -> None:
    """These records of a stream, in both partitions."""
    for partition in range(2):
        records = stream(end, seed=7 + partition)
        bench.log.append(records.values[start:], records.ts_ms[start:], partition)


def collect(bench: Bench, **options: Any) -> Running:
    """One collector's life to the log's end."""
    running = bench.collector(assigned=(0, 1), **options)
    running.read_all()
    running.collector.drain()
    return running


def evaluate(bench: Bench) -> None:
    """All windows that are due."""
    Run(bench.engine, Path(), now_ms=T0_MS).evaluate()


def verify(bench: Bench, **terms: Any) -> Report:
    return verified(bench.engine, FakeLogReader(bench.log), **{"now_ms": T0_MS, **terms})


def change(engine: Engine, statement: str) -> int:
    """Rows changed behind everybody's back."""
    with transaction(engine) as connection:
        return connection.execute(text(statement)).rowcount


def sentences(report: Report) -> list[str]:
    return [one.sentence for one in report.wrong]


def test_records_that_were_lost_before_they_were_read_are_passed_over(bench: Bench) -> None:
    append(bench, HALF, ALL)
    bench.log.expire(HALF + 100)
    collect(bench)
    evaluate(bench)
    bench.log.starts.clear()  # an archive has what the broker has not
    report = verify(bench)
    assert sentences(report) == []
    assert report.exit_code == IDENTICAL
    assert "100 records were lost" in report.partitions[0].notes[0]
    assert report.partitions[1].notes == ()
    assert report.models[0].windows > 20
    assert change(bench.engine, "UPDATE window_result SET incomplete = false WHERE incomplete") > 0
    assert set(verify(bench).counted) == {Kind.WINDOW}

    assert change(bench.engine, "UPDATE gap SET records = records - 1") == 1
    assert Kind.GAP in verify(bench).counted


def test_what_retention_took_after_it_was_counted_cannot_be_verified_and_the_rest_is(bench: Bench) -> None:
    append(bench, HALF, 4 * HALF)
    collect(bench)
    evaluate(bench)
    whole = verify(bench).partitions[0].panes.compared
    bench.log.expire(HALF)
    report = verify(bench)
    cut = report.partitions[0]
    assert sentences(report) == []
    assert report.exit_code == IDENTICAL
    assert "retention took offsets 0 to 399" in cut.notes[0]
    assert whole > cut.panes.compared > 20
    assert cut.panes.unverifiable > 20
    assert report.models[0].windows > 10
    assert report.models[0].unverifiable > 10
    assert "does not reach back" in report.models[0].notes[0]

    newest = "(SELECT max(start_ms) FROM pane WHERE partition = 0)"
    assert change(bench.engine, f"DELETE FROM pane WHERE partition = 0 AND start_ms = {newest}") > 0
    assert Kind.PANE_MISSING in verify(bench).counted


def test_what_the_log_took_back_cannot_be_verified(bench: Bench) -> None:
    """Other records stand at those offsets now; the equation still holds."""
    bench.log.truncate(HALF - 50)
    bench.collector(assigned=(0, 1)).turn(3)
    bench.log.append(stream(HALF, seed=99).values, stream(HALF).ts_ms)
    collect(bench)
    report = verify(bench)
    assert sentences(report) == []
    assert "took 50 counted records back" in report.partitions[0].notes[0]
    assert report.partitions[0].panes.compared > 20
    assert change(bench.engine, "UPDATE source_partition SET truncated = 49 WHERE partition = 0") == 1
    assert Kind.EQUATION in verify(bench).counted


def test_a_record_that_kills_is_not_touched(bench: Bench) -> None:
    """Its dead letter says so; were it read, it would be accepted."""
    place, checkpoints = Partition("events", 0), PostgresCheckpoints(bench.engine)
    bench.log.append([stream(HALF + 1).values[HALF]], [T0_MS + HALF * 400])
    configuration = checkpoints.configuration()
    claim = checkpoints.claim(place, Claimant("one", 10**9), None, 0)
    panes = PartitionPanes(claim.highest_ms or 0)
    pipeline = PartitionPipeline(place, Decoder(configuration), panes, claim.next_offset)
    pipeline.skip_killer()
    checkpoints.commit(claim, pipeline.checkpoint(), configuration.revision)
    report = verify(bench)
    assert sentences(report) == []
    assert report.partitions[0].stored.dead == report.partitions[0].letters > 0

    assert change(bench.engine, "DELETE FROM dead_letter WHERE reason = 'kills_process'") == 1
    assert verify(bench).exit_code == DIFFERENT


def test_records_of_a_model_that_had_no_monitor_yet_are_taken_as_stored(engine: Engine) -> None:
    made = Bench(engine)
    made.log.partitions = 2
    append(made, 0, HALF)
    collect(made)
    made.apply()
    append(made, HALF, ALL)
    collect(made)
    report = verify(made)
    assert sentences(report) == []
    assert "refused before their model had a monitor" in report.partitions[0].notes[0]
    assert report.partitions[0].panes.compared > 20


def test_panes_that_retention_may_have_deleted_are_no_fault(bench: Bench) -> None:
    gone = change(bench.engine, f"DELETE FROM pane WHERE end_ms < {T0_MS + 60_000}")
    assert gone > 0
    kept = verify(bench, now_ms=T0_MS + 10**9, panes_kept_ms=60_000)
    assert sentences(kept) == []
    assert sum(one.panes.unverifiable for one in kept.partitions) == gone
    assert verify(bench).counted[Kind.PANE_MISSING] == gone


def test_dead_letters_that_retention_may_have_deleted_are_no_fault(bench: Bench) -> None:
    """It takes the oldest first: one that is missing behind one that is there was dropped by somebody else."""
    oldest = '(SELECT min("offset") FROM dead_letter WHERE partition = 0)'
    assert change(bench.engine, f'DELETE FROM dead_letter WHERE partition = 0 AND "offset" = {oldest}') == 1
    assert sentences(verify(bench, now_ms=T0_MS + 10**9, letters_kept_ms=1_000)) == []
    assert sentences(verify(bench, letters_kept=1)) == []
    assert verify(bench).counted == {Kind.LETTER_MISSING: 1}
    second = f'(SELECT min("offset") FROM dead_letter WHERE partition = 0 AND "offset" > {oldest})'
    assert change(bench.engine, f'DELETE FROM dead_letter WHERE partition = 0 AND "offset" = {second}') == 1
    assert verify(bench, letters_kept=1).counted == {Kind.LETTER_MISSING: 1}


def test_windows_of_panes_that_were_not_verified_are_said_to_be_so(bench: Bench) -> None:
    change(bench.engine, "UPDATE pane SET topic = 'another' WHERE partition = 1")
    report = verify(bench)
    assert report.models[0].blocked == (
        "the windows of churn cannot be verified: it has panes of partition 1 of another, which was not verified"
    )
    change(bench.engine, "DELETE FROM source_partition WHERE partition = 1")
    assert verify(bench).exit_code == NOT_VERIFIED
    assert verified(bench.engine, FakeLogReader(bench.log), Asked(windows=False)).exit_code == IDENTICAL


def test_a_topic_that_nobody_read_is_said_so(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="no partition of nowhere"):
        verified(bench.engine, FakeLogReader(bench.log), Asked(topics=("nowhere",)))
    bench.log.partitions = 1
    with pytest.raises(ConfigurationError, match="no partition 1, which the database has read"):
        verify(bench)


def test_models_that_are_learned_meanwhile_are_verified_too(engine: Engine) -> None:
    made = Bench(engine)
    made.log.partitions = 2
    made.apply(Monitor("other"))
    append(made, 0, HALF)
    collect(made, unknown_models=UnknownModels.LEARN)
    report = verify(made, unknown_models=UnknownModels.LEARN)
    assert sentences(report) == []
    assert [m.model for m in report.models] == ["churn", "other"]
    assert report.partitions[0].panes.compared > 0
