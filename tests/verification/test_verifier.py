"""A faultless run is identical however it came about, and each kind of wrong is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.monitor import WindowSpec
from service.verification.report import DIFFERENT, IDENTICAL, Report
from tests.replaying import MINUTE
from tests.verification.conftest import SEGMENTED
from tests.verification.runs import Run
from tests.verification.spoiling import PANE, WRONGS, Wrong

pytestmark = pytest.mark.postgres


def assert_identical(report: Report) -> None:
    """Nothing is wrong, and something was compared."""
    assert [one.sentence for one in report.wrong] == []
    assert report.exit_code == IDENTICAL
    assert len(report.models) == 2
    for model in report.models:
        assert model.windows > 5
        assert model.unverifiable == 0
    for one in report.partitions:
        assert one.stored == one.expected
        assert min(one.stored.accepted, one.stored.duplicate, one.stored.late, one.stored.dead) > 0
        assert (one.panes.lost, one.panes.duplicated, one.skipped, one.panes.unverifiable) == (0, 0, 0, 0)
        assert one.panes.compared > 100
        assert one.letters == one.stored.dead


def test_a_run_in_one_go_is_identical(copied: Run) -> None:
    report = copied.verify(revisions=True)
    assert_identical(report)
    assert report.models[0].findings > 100
    assert copied.value("SELECT count(*) FROM alert WHERE state = 'firing'") > 0


def test_a_run_with_restarts_small_batches_and_restated_windows_is_identical(run: Run) -> None:
    """Evaluators look between, so that late rows restate windows; only how often may differ."""
    for batch in (7, 50, 200, 33, 90):
        run.collect(batch=batch, turns=6)
        run.evaluate()
    run.collect(batch=500)
    run.evaluate()
    assert run.value("SELECT max(revision) FROM window_result") > 0
    assert_identical(run.verify())


def test_a_run_that_is_still_under_way_is_identical_so_far(run: Run) -> None:
    """What is stored is compared, up to where it is stored."""
    run.collect(batch=100, turns=5)
    report = run.verify(windows=False)
    assert report.counted == {}
    assert 0 < report.partitions[0].next_offset < 500


def test_a_monitor_that_changed_under_way_is_followed(run: Run) -> None:
    """Each pane and window is verified by the version of its time."""
    run.collect(batch=60, turns=7)
    run.apply([replace(SEGMENTED, segments=(), pane_ms=30_000, allowed_lateness_ms=5 * MINUTE)])
    run.collect()
    run.evaluate()
    assert_identical(run.verify())
    assert run.value("SELECT count(DISTINCT end_ms - start_ms) FROM pane WHERE model = 'churn'") == 2


def test_windows_of_before_a_change_of_their_kinds_are_left_out(run: Run) -> None:
    run.collect(batch=60, turns=7)
    run.evaluate()
    run.apply([replace(SEGMENTED, windows=(WindowSpec.tumbling(3 * MINUTE),))])
    run.collect()
    run.evaluate()
    report = run.verify()
    churn = report.models[0]
    assert [one.sentence for one in report.wrong] == []
    assert churn.notes == (
        "its kinds of windows were changed: volumes, alerts and windows of before are left out",
    )
    assert churn.windows > 5
    assert churn.unverifiable > 5


def test_what_is_committed_while_we_read_is_not_seen(run: Run) -> None:
    """The database is read as of one moment."""
    run.collect(batch=100, turns=5)
    run.evaluate()
    before = run.value("SELECT sum(next_offset)::bigint FROM source_partition")

    def go_on(_: int, __: int) -> None:
        if run.value("SELECT sum(next_offset)::bigint FROM source_partition") == before:
            run.collect()
            run.evaluate()

    report = run.verify(progress=go_on)
    assert [one.sentence for one in report.wrong] == []
    assert sum(one.next_offset for one in report.partitions) == before
    assert run.value("SELECT sum(next_offset)::bigint FROM source_partition") > before


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS.keys())
def test_what_is_wrong_is_named(copied: Run, wrong: Wrong) -> None:
    copied.spoil(wrong.statement)
    report = copied.verify()
    assert report.exit_code == DIFFERENT
    assert any(wrong.words in one.sentence for one in report.wrong if one.kind is wrong.kind), report.wrong


def test_lost_and_duplicated_rows_are_counted(copied: Run) -> None:
    copied.spoil(f"DELETE FROM pane WHERE {PANE}")
    copied.spoil(f"UPDATE pane SET labels = labels + 7 WHERE {PANE}")
    panes = copied.verify(windows=False).partitions[1].panes
    assert panes.lost > 0
    assert panes.duplicated == 7
