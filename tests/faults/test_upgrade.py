"""From the schema of the version before to this one's in the middle of the work, with migrations that die."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from service.store.engine import connect
from service.store.migrate import downgrade
from tests.faults.conftest import Ground
from tests.faults.crash_points import Point
from tests.faults.crew import Crew, at_work
from tests.faults.sizes import by_size

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.apache_kafka]

BEFORE, NOW = "0005", "0007"
STATEMENTS = 7
"""So many of the migrations between create or alter a table."""
KILLS = by_size(3, 10)
SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY 1, 2
"""


def test_an_upgrade_in_the_middle_of_the_work_changes_nothing(
    ground: Ground, database: str, tmp_path: Path
) -> None:
    with at_work(ground.crew(database, tmp_path, KAFKA_SESSION_TIMEOUT="1500ms")) as crew:
        read_half(crew, ground)
        go_back(database)
        for role in ("collect", "evaluate", "serve"):
            said = crew.refused(role)
            assert f"is at migration {BEFORE}, this version needs {NOW}; run `driftbell migrate`\n" in said
        die_while_migrating(crew)
        both = [crew.start("migrate") for _ in range(2)]
        assert [one.await_exit() for one in both] == [0, 0]
        assert all(one.said() == "the database is current\n" for one in both)
        crew.start("collect")
        crew.start("evaluate")
        ground.check(crew)
        assert crew.troubles() == []


def test_migrating_a_current_database_disturbs_nobody_at_work(
    ground: Ground, database: str, tmp_path: Path
) -> None:
    with at_work(ground.crew(database, tmp_path)) as crew:
        crew.start("evaluate")
        worker = crew.start("collect", options=("--pace", str(ground.log.records // 4)))
        crew.wait_until(crew.consumed, "there is work")
        for _ in range(3):
            assert crew.start("migrate").await_exit() == 0
        assert worker.is_running()
        crew.replace_collectors()
        ground.check(crew)
        assert crew.troubles() == []


def test_a_schema_of_a_later_version_is_refused_clearly(
    ground: Ground, database: str, tmp_path: Path
) -> None:
    with at_work(ground.crew(database, tmp_path)) as crew:
        worker = crew.start("collect", options=("--pace", str(ground.log.records // 4)))
        crew.wait_until(crew.consumed, "there is work")
        crew.stack.rows("UPDATE alembic_version SET version_num = '9999' RETURNING 1")
        for command in ("collect", "migrate"):
            said = crew.refused(command)
            assert "is at migration 9999, which is of a later version: upgrade driftbell here\n" in said
        before = crew.consumed()
        crew.wait_until(lambda: crew.consumed() > before, "who was at work already goes on")
        assert worker.terminate()[0] == 0
        assert crew.troubles() == []


def read_half(crew: Crew, ground: Ground) -> None:
    """Collectors of the version before have come to the middle of the log."""
    worker = crew.start("collect", options=("--pace", str(ground.log.records // 4)))
    crew.wait_until(lambda: crew.consumed() > ground.log.records / 3, "a part is read")
    assert worker.terminate()[0] == 0
    assert crew.consumed() < ground.log.records


def go_back(database: str) -> None:
    engine = connect(database)
    downgrade(engine, BEFORE)
    engine.dispose()


def die_while_migrating(crew: Crew) -> None:
    """A migration is there as a whole or not at all."""
    before, random = crew.stack.rows(SCHEMA), Random(11)
    for _ in range(KILLS):
        nth = str(random.randint(1, STATEMENTS))
        killed = crew.start("migrate", options=("--at", Point.IN_MIGRATION, "--nth", nth))
        killed.await_exit()
        assert killed.was_killed(), killed.said()
        assert f"struck at {Point.IN_MIGRATION}\n" in killed.said()
        assert crew.stack.rows(SCHEMA) == before
