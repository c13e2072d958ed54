"""Two versions of a model are held side by side from what is stored: the same hours, the same panes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, delete, update
from sqlalchemy.pool import QueuePool

from service.comparison.losses import Loss
from service.comparison.report import AnswersOfPanes, Measured
from service.comparison.verdict import MOST_SEGMENTS, Standing
from service.embedded import EmbeddedPostgres
from service.monitor import DAY_MS, HOUR_MS
from service.store.configuration import load_configuration
from service.store.engine import transaction
from service.store.tables import outcome, pane
from service.store.versions import (
    MOST_PANES,
    MOST_SKETCHES,
    OutcomesOfVersions,
    courses_between,
    evenly,
    sketches_at,
    to_be_read,
    versions_seen,
)
from service.store.versions_beside import Question, TooLongError, UnknownVersionError, read_versions
from tests.store.two_versions import MODEL, T, add_labels, add_pane, configure, name_slices, side_by_side
from tests.web.databases import empty, migrated
from tests.web.seeding import add_performance

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def only_engine(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    with migrated(postgres_server, "versions") as engine:
        yield engine


@pytest.fixture
def engine(only_engine: Engine) -> Engine:
    empty(only_engine)
    with transaction(only_engine) as connection:
        connection.exec_driver_sql("DELETE FROM grid")
    return only_engine


def at(hour: int) -> int:
    return T + hour * HOUR_MS


def test_versions_are_told_with_their_time_and_rows_the_most_recent_traffic_first(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_pane(connection, "7", 0, 20)
        add_pane(connection, "7", 0, 10, partition=1)
        add_pane(connection, "7", 1, 20)
        add_pane(connection, "8", 2, 40)
        seen = versions_seen(connection, MODEL)
        assert [(one.version, one.first_ms, one.last_ms, one.rows) for one in seen] == [
            ("8", at(2), at(3) - 1, 40),
            ("7", at(0), at(2) - 1, 50),
        ]
        assert [one.version for one in versions_seen(connection, MODEL, at(0), at(2))] == ["7"]
        assert versions_seen(connection, MODEL, segment="country=DE")[0].rows == 20
        assert versions_seen(connection, "nobody") == ()


def test_the_two_with_the_most_recent_traffic_are_compared_in_the_hours_that_both_have(
    engine: Engine,
) -> None:
    # hour      0   1   2   3   4   5
    # 7         |---------------|         wrong in 10 %, and in all of hour 0, which 8 has not seen
    # 8             |---------------|     wrong in 20 %, and in all of hour 4, which 7 has no labels of
    configure(engine)
    with transaction(engine) as connection:
        numbers = name_slices(connection, "7", "8")
        for hour in range(5):
            add_pane(connection, "7", hour, 60)
            if hour < 4:
                add_labels(connection, numbers["7", "country=DE"], hour, 1_000 if hour == 0 else 100, 1_000)
        for hour in range(1, 6):
            add_pane(connection, "8", hour, 20, yes=0.75, latency_ms=30.0)
            add_labels(connection, numbers["8", "country=DE"], hour, 500 if hour == 4 else 100, 500)
    found = read_versions(engine, Question(MODEL))
    assert (found.version, found.against, found.hours) == ("8", "7", 3)
    assert (found.since_ms, found.until_ms) == (at(1), at(5))
    compared = found.comparison
    assert (compared.standing, compared.loss) == (Standing.WORSE, Loss.ERROR_RATE)
    assert (compared.mean, compared.other_mean) == (pytest.approx(0.2), pytest.approx(0.1))
    assert (compared.rows, compared.other_rows) == (1_500, 3_000)
    assert found.verdict.startswith("8 is worse than 7: its error rate is 20.00% against 10.00%")
    accuracy = next(one for one in found.metrics if one.metric == "accuracy")
    assert (accuracy.version.value, accuracy.version.n) == (pytest.approx(0.8), 1_500)
    assert (accuracy.against.value, accuracy.against.n) == (pytest.approx(0.9), 3_000)
    assert [(one.version, one.rows, one.share) for one in found.traffic] == [
        ("8", 80, 0.25),
        ("7", 240, 0.75),
    ]


def test_what_both_answer_and_how_fast_is_told_of_the_panes_that_both_were_live_in(engine: Engine) -> None:
    configure(engine)
    with transaction(engine) as connection:
        for hour in range(4):
            add_pane(connection, "7", hour, 200)
        add_pane(connection, "8", 1, 200, yes=0.75, latency_ms=30.0)
        add_pane(connection, "8", 2, 200, yes=0.75, latency_ms=30.0)
        add_pane(connection, "8", 2, 20, yes=0.75, latency_ms=30.0, partition=1)
    found = read_versions(engine, Question(MODEL, "8", "7")).answers
    assert (found.panes, found.shared) == (2, 2)
    prediction, score, latency = found.columns
    assert (prediction.version.rows, prediction.against.rows) == (420, 400)
    assert prediction.version.classes == {"yes": pytest.approx(0.75), "no": pytest.approx(0.25)}
    assert prediction.against.classes == {"yes": 0.5, "no": 0.5}
    assert (prediction.method, prediction.distance) == ("tv", pytest.approx(0.25))
    assert score.version.quantiles["0.5"] == pytest.approx(0.75, abs=0.02)
    assert score.against.quantiles["0.5"] == pytest.approx(0.5, abs=0.02)
    assert (score.method, score.distance) == ("wasserstein", pytest.approx(2.5, abs=0.3))
    assert latency.version.quantiles["0.99"] == 30.0
    assert latency.against.quantiles == {"0.5": 10.0, "0.95": 10.0, "0.99": 10.0}


def test_a_segment_is_compared_alone_and_all_segments_beside_the_whole(engine: Engine) -> None:
    numbers = side_by_side(engine, {"7": 50, "8": 50})
    with transaction(engine) as connection:
        for hour in range(10):
            add_labels(connection, numbers["8", "country=DE"], hour, 300, 500)
    found = read_versions(engine, Question(MODEL, "8", "7"))
    standings = {one.segment: one.comparison.standing for one in found.segments}
    assert standings == {"country=DE": Standing.WORSE, "country=FR": Standing.UNKNOWN}
    assert {one.comparison.alpha for one in found.segments} == {0.05 / MOST_SEGMENTS}
    germany = read_versions(engine, Question(MODEL, "8", "7", segment="country=DE"))
    assert germany.segments == ()
    assert germany.comparison.mean == pytest.approx(0.35)
    assert [one.rows for one in germany.traffic] == [200, 200]
    accuracy = next(one for one in germany.metrics if one.metric == "accuracy")
    assert accuracy.version.value == pytest.approx(0.65)


def test_equal_versions_are_alike_within_a_margin_that_is_wide_enough(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50})
    unsure = read_versions(engine, Question(MODEL, "8", "7"))
    assert unsure.comparison.standing is Standing.UNKNOWN
    assert unsure.comparison.labels_needed
    alike = read_versions(engine, Question(MODEL, "8", "7", margin=0.03))
    assert alike.comparison.standing is Standing.ALIKE
    assert alike.verdict.startswith("no difference larger than 3 points between 8 and 7")


def test_scores_without_decisions_are_compared_by_their_squared_error(engine: Engine) -> None:
    configure(engine)
    with transaction(engine) as connection:
        numbers = name_slices(connection, "7", "8")
        for version, wrong in (("7", 250), ("8", 400)):
            add_pane(connection, version, 0, 20)
            add_labels(connection, numbers[version, "country=DE"], 0, wrong, 1_000, decided=False)
    found = read_versions(engine, Question(MODEL, "8", "7")).comparison
    assert (found.loss, found.standing) == (Loss.BRIER, Standing.WORSE)
    assert found.other_mean == pytest.approx(0.75 * 0.0625 + 0.25 * 0.5625)
    assert found.margin == pytest.approx(0.02 * found.other_mean)


def test_since_limits_labels_traffic_and_panes(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50})
    found = read_versions(engine, Question(MODEL, "8", "7", since_ms=at(8)))
    assert (found.hours, found.comparison.rows, found.answers.shared) == (2, 2_000, 2)
    assert [one.rows for one in found.traffic] == [80, 80]
    later = read_versions(engine, Question(MODEL, "8", "7", since_ms=at(100)))
    assert (later.hours, later.traffic, later.answers.columns) == (0, (), ())
    assert later.verdict.startswith("not known yet: no hour has labels of both versions")


def test_the_start_does_not_move_when_panes_are_deleted_and_outcomes_are_not(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50})
    before = read_versions(engine, Question(MODEL, "8", "7"))
    with transaction(engine) as connection:
        connection.execute(delete(pane).where(pane.c.start_ms < at(6)))
    after = read_versions(engine, Question(MODEL, "8", "7"))
    assert (before.since_ms, after.since_ms) == (at(0), at(0))
    assert (after.comparison, after.hours) == (before.comparison, 10)
    assert (before.answers.shared, after.answers.shared) == (10, 4)


def test_a_version_counts_from_the_whole_hour_of_its_first_pane(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50})
    with transaction(engine) as connection:
        for table in (pane, outcome):
            connection.execute(delete(table).where(table.c.start_ms < at(1)))
            connection.execute(
                update(table).where(table.c.start_ms == at(1)).values(start_ms=table.c.start_ms + 60_000)
            )
    assert read_versions(engine, Question(MODEL, "8", "7")).since_ms == at(1)


@pytest.mark.parametrize(
    ("forgotten_hour", "since", "moves"),
    [
        (0, None, True),
        (-23, None, True),
        (-24, None, False),
        (-23, 1, False),
        (None, None, False),
        (5, -100, True),
    ],
)
def test_a_start_at_the_border_of_what_is_kept_is_remarked(
    engine: Engine, forgotten_hour: int | None, since: int | None, *, moves: bool
) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=3, rows=20)
    border = None if forgotten_hour is None else at(forgotten_hour)
    asked = Question(MODEL, "8", "7", None if since is None else at(since), forgotten_ms=border)
    remark = read_versions(engine, asked).remark
    assert (remark is not None) == moves
    assert remark is None or "DRIFTBELL_RETENTION_RESULTS" in remark


def test_a_time_long_before_anything_is_as_the_whole_time(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=30, rows=20)
    found = read_versions(engine, Question(MODEL, "8", "7", since_ms=-(2**45)))
    assert (found.hours, found.comparison.rows) == (30, 1_200)


def test_estimates_of_the_newest_window_of_both_stand_beside(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=3, rows=20)
    with transaction(engine) as connection:
        for version, hour, value in (
            ("7", 1, 0.9),
            ("8", 1, 0.8),
            ("7", 2, 0.91),
            ("8", 2, 0.82),
            ("8", 3, 0.1),
        ):
            add_performance(
                connection,
                MODEL,
                at(hour),
                version=version,
                start_ms=at(hour - 1),
                value=value,
                basis="estimated",
            )
    found = read_versions(engine, Question(MODEL, "8", "7"))
    (estimate,) = (one for one in found.metrics if one.basis == "estimated")
    assert (estimate.metric, estimate.end_ms) == ("accuracy", at(2))
    assert estimate.version == Measured(0.82, 0.8, 0.95, 60, None)
    assert estimate.against.value == 0.91


def test_what_is_not_there_is_said_with_what_is(engine: Engine) -> None:
    with pytest.raises(UnknownVersionError, match="two versions to compare, and has it of: none"):
        read_versions(engine, Question("nobody"))
    with transaction(engine) as connection:
        add_pane(connection, "7", 0, 20)
    with pytest.raises(UnknownVersionError, match="two versions to compare, and has it of: '7'"):
        read_versions(engine, Question(MODEL))
    with pytest.raises(UnknownVersionError, match=r"no stored traffic of version '9' \(of: '7'\)"):
        read_versions(engine, Question(MODEL, "9", "7"))
    with pytest.raises(UnknownVersionError, match="only be compared with another one"):
        read_versions(engine, Question(MODEL, "7", "7"))


def test_outcomes_are_read_over_days_and_only_of_the_versions_that_are_asked_for(engine: Engine) -> None:
    configure(engine)
    with transaction(engine) as connection:
        numbers = name_slices(connection, "6", "7", "8")
        for version, hour in (("6", 0), ("7", 0), ("7", 30), ("8", 71), ("8", 72)):
            add_labels(connection, numbers[version, "country=DE"], hour, 1, 10)
        stored = OutcomesOfVersions(connection, load_configuration(engine), MODEL, ["7", "8"])
        courses = courses_between(connection, stored, T, T + 3 * DAY_MS)
    assert {key: sorted(course) for key, course in courses.items()} == {
        ("7", ""): [at(0), at(30)], ("7", "country=DE"): [at(0), at(30)],
        ("8", ""): [at(71)], ("8", "country=DE"): [at(71)],
    }  # fmt: skip


def test_more_outcomes_than_one_answer_may_read_are_refused_with_what_to_do(engine: Engine) -> None:
    side_by_side(engine, {"7": 5, "8": 5}, hours=3, rows=20)
    question = Question(MODEL, "8", "7")
    with pytest.raises(
        TooLongError, match="12 rows of outcomes since 2026-11-22T00:00:00Z are more than the 11"
    ):
        read_versions(engine, question, most_outcomes=11)
    assert read_versions(engine, question, most_outcomes=12).hours == 3


def test_of_many_panes_some_are_read_from_the_first_to_the_last() -> None:
    chosen = evenly(range(1_000), 7)
    assert (len(set(chosen)), chosen[0], chosen[-1]) == (7, 0, 999)
    assert evenly([3, 4], 7) == [3, 4]
    assert evenly([3, 4], 1) == [4]


def test_of_many_partitions_fewer_panes_are_read() -> None:
    assert len(to_be_read(dict.fromkeys(range(1_000), 2))) == MOST_PANES
    assert len(to_be_read(dict.fromkeys(range(1_000), 32))) == MOST_SKETCHES // 32
    assert to_be_read(dict.fromkeys(range(10), 1_000)) == [9]
    assert to_be_read({}) == []


def test_one_connection_is_enough(engine: Engine) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=2)
    single = create_engine(engine.url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.5)
    assert read_versions(single, Question(MODEL, "8", "7")).answers.panes == 2
    single.dispose()


def test_panes_that_retention_takes_meanwhile_are_no_failure(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    side_by_side(engine, {"7": 50, "8": 50}, hours=2)
    monkeypatch.setattr(
        "service.store.versions_beside.sketches_at",
        lambda *of: ((name, sketch) for name, sketch in sketches_at(*of) if name != "7"),
    )
    assert read_versions(engine, Question(MODEL, "8", "7")).answers == AnswersOfPanes((), 0, 2)
