from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterable, Mapping

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sqlalchemy import Engine, insert, text

from service import __version__
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS, Budget, LabelPolicy, Monitor, Task, WindowSpec
from service.store import gauge_queries
from service.store.engine import transaction
from service.store.marks import AlarmVerdict, add_mark
from service.store.statements import Statement
from service.store.tables import join_inbox, join_share, label_delay
from tests.servers.requirements import require_or_skip
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    WINDOW_MS,
    add_alert,
    add_finding,
    add_judged,
    add_model,
    add_pane,
    add_partition,
    add_performance,
    add_window,
)
from tests.web.serving import Site, site_of

pytestmark = pytest.mark.postgres

STALE_MS = 3 * WINDOW_MS + Monitor("churn").allowed_lateness_ms
Labels = Mapping[str, str]


def families(site: Site) -> dict[str, Metric]:
    answer = site.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def values(site: Site, name: str) -> dict[tuple[str, ...], float]:
    """The series of one metric by the values of their labels, in the labels' alphabetical order."""
    family = families(site).get(name)
    samples = family.samples if family else []
    found = {tuple(v for _, v in sorted(s.labels.items())): s.value for s in samples}
    assert len(found) == len(samples), "a series comes twice"
    return found


def labels_of(site: Site, name: str) -> list[Labels]:
    return [sample.labels for sample in families(site)[name].samples]


def add_scored(add: Add, model: str, end_ms: int, **changes: object) -> None:
    add(add_window, model, end_ms)
    add(add_finding, model, end_ms, **changes)


def test_scores_come_with_their_limits_and_all_labels(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add_scored(add, "churn", NOW_MS, value=0.25, limit=0.5)
    place = {
        "model": "churn", "version": "1", "segment": "", "window": "5m", "feature": "amount",
        "method": "js_distance",
    }  # fmt: skip
    shown = families(site)
    for name, value in (("driftbell_score", 0.25), ("driftbell_limit", 0.5)):
        assert [(sample.labels, sample.value) for sample in shown[name].samples] == [(place, value)]


def test_a_column_that_is_no_feature_is_named_after_its_role(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    for role, feature in (
        ("prediction", "prediction"),
        ("latency_ms", "latency_ms"),
        ("", ""),
        ("feature", "age"),
    ):
        add(add_finding, "churn", NOW_MS, role=role, feature=feature)
    assert {labels["feature"] for labels in labels_of(site, "driftbell_score")} == {
        "prediction", "latency_ms", "", "age",
    }  # fmt: skip


def test_the_share_of_each_kind_of_missing_is_a_metric_and_a_score(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    kinds = ("null", "absent", "nan", "infinite", "empty", "wrong_type")
    for place, kind in enumerate(kinds):
        add(add_finding, "churn", NOW_MS, method=f"missing_{kind}", value=place / 10, limit=0.5)
    ratios = values(site, "driftbell_missing_ratio")
    expected = {("amount", kind, "churn", "", "1", "5m"): place / 10 for place, kind in enumerate(kinds)}
    assert ratios == expected
    assert len(values(site, "driftbell_score")) == len(values(site, "driftbell_limit")) == len(kinds)


def test_performance_is_that_of_the_newest_window_with_labels_and_its_coverage_beside_it(
    site: Site, add: Add
) -> None:
    add(add_model, "churn", monitor=Monitor("churn", task=Task.BINARY, labels=LabelPolicy(sample=0.8)))
    for back, value in ((2, 0.7), (1, 0.9)):
        add(add_window, "churn", NOW_MS - back * WINDOW_MS)
        add(add_performance, "churn", NOW_MS - back * WINDOW_MS, value=value)
        add(add_performance, "churn", NOW_MS - back * WINDOW_MS, metric="f1", value=None, reason="no_rows")
    add(add_window, "churn", NOW_MS)
    place = {"model": "churn", "version": "1", "segment": "", "window": "5m"}
    (shown,) = families(site)["driftbell_performance"].samples
    assert (shown.labels, shown.value) == (place | {"metric": "accuracy", "basis": "realized"}, 0.9)
    (coverage,) = families(site)["driftbell_label_coverage_ratio"].samples
    assert (coverage.labels, coverage.value) == (place, 60 / (100 * 0.8))


def test_partitions_are_counted_by_who_waits_for_whom_none_included(site: Site, add: Add) -> None:
    assert values(site, "driftbell_partitions") == {("halted",): 0.0, ("read",): 0.0, ("unread",): 0.0}
    add(add_partition, "t", 0, halted="its id differs", owner="a")
    add(add_partition, "t", 1, owner="a")
    add(add_partition, "t", 2, owner="b")
    add(add_partition, "t", 3)
    add(add_partition, "t", 4, next_offset=-1)
    assert values(site, "driftbell_partitions") == {("halted",): 1.0, ("read",): 2.0, ("unread",): 1.0}


def test_the_watermark_of_a_model_is_that_of_the_slowest_partition_less_its_disorder(
    site: Site, add: Add
) -> None:
    add(add_model, "churn", monitor=Monitor("churn", disorder_ms=5_000))
    add(add_model, "rent", monitor=Monitor("rent", disorder_ms=30_000))
    add(add_partition, "t", 0, owner="a", highest_ms=NOW_MS)
    add(add_partition, "t", 1, owner="a", highest_ms=NOW_MS - 60_000)
    add(add_partition, "t", 2, owner="a", highest_ms=NOW_MS - 900_000, halted="its id differs")
    assert values(site, "driftbell_watermark_timestamp_seconds") == {
        ("churn",): (NOW_MS - 65_000) / 1000,
        ("rent",): (NOW_MS - 90_000) / 1000,
    }
    add(add_partition, "t", 3, highest_ms=None)
    assert "driftbell_watermark_timestamp_seconds" not in families(site)


def test_how_far_the_join_of_a_model_is_behind_and_how_much_it_joins(site: Site, engine: Engine) -> None:
    left = {"topic": "t", "partition": 0, "place": 0, "columns": b"rows"}
    with transaction(engine) as connection:
        for offset, (model, rows) in enumerate((("churn", 7), ("churn", 5), ("fraud", 3))):
            connection.execute(
                insert(join_inbox).values(left | {"next_offset": offset, "model": model, "rows": rows})
            )
        connection.execute(insert(join_share).values(model="churn", halvings=2, waiting=40, forgotten_ms=0))
    assert values(site, "driftbell_join_inbox_rows") == {("churn",): 12, ("fraud",): 3}
    assert values(site, "driftbell_join_waiting_rows") == {("churn",): 40, ("fraud",): 0}
    assert values(site, "driftbell_join_share_ratio") == {("churn",): 0.25, ("fraud",): 1}


def test_performance_is_that_of_windows_that_nine_in_ten_labels_would_have_come_for(
    site: Site, add: Add, engine: Engine
) -> None:
    # delays   95 of 100 labels come within 8 minutes, the others within a day
    add(add_model, "churn", monitor=Monitor("churn", task=Task.BINARY))
    for back, value in ((0, 0.1), (1, 0.2), (2, 0.9), (3, 0.8)):
        add(add_performance, "churn", NOW_MS - back * WINDOW_MS, value=value)
    with transaction(engine) as connection:
        for place, n in ((8 * 8, 5), (8 * 9 - 9, 90), (8 * 16, 5)):
            connection.execute(insert(label_delay).values(model="churn", bin=place, n=n))
    delays = values(site, "driftbell_label_delay_seconds")
    assert delays["churn", "0.5"] == delays["churn", "0.9"] == pytest.approx(2**8 - 1)
    assert delays["churn", "0.99"] > 65_000
    (shown,) = families(site)["driftbell_performance"].samples
    assert shown.value == 0.2


def test_what_is_expected_of_the_newest_window_stands_beside_what_labels_showed_of_an_older_one(
    site: Site, add: Add
) -> None:
    add(add_model, "churn", monitor=Monitor("churn", task=Task.BINARY))
    add(add_window, "churn", NOW_MS)
    add(add_performance, "churn", NOW_MS, basis="estimated", value=0.8, n=100)
    add(add_performance, "churn", NOW_MS - WINDOW_MS, value=0.9)
    add(add_performance, "churn", NOW_MS - WINDOW_MS, basis="estimated", value=0.85, n=100)
    add(add_performance, "churn", NOW_MS - WINDOW_MS, basis="usual", value=0.6)
    shown = {s.labels["basis"]: s.value for s in families(site)["driftbell_performance"].samples}
    assert shown == {"realized": 0.9, "estimated": 0.8, "usual": 0.6}


def test_what_was_found_of_labelled_predictions_is_a_score_with_its_limit_until_it_is_stale(
    site: Site, add: Add
) -> None:
    add(add_model, "churn", monitor=Monitor("churn", task=Task.BINARY))
    for back in (1, 2):
        add(add_judged, "churn", NOW_MS - back * WINDOW_MS, value=float(back))
    add(add_judged, "churn", NOW_MS - STALE_MS, segment="country=DE", method="evidence_subgroup")
    (score,) = families(site)["driftbell_score"].samples
    assert (score.value, score.labels["method"]) == (1.0, "evidence_wrong")
    (limit,) = families(site)["driftbell_limit"].samples
    assert limit.value == 16.0


def test_performance_that_no_label_has_changed_for_a_day_vanishes(
    site: Site, add: Add, engine: Engine
) -> None:
    add(add_model, "churn", monitor=Monitor("churn", task=Task.BINARY))
    add(add_performance, "churn", NOW_MS)
    assert "driftbell_performance" in families(site)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE performance SET computed_at = now() - interval '25 hours'"))
    assert "driftbell_performance" not in families(site)


def test_only_the_newest_window_of_each_kind_counts(site: Site, add: Add) -> None:
    # 5m  |----|----|----|   value of the last one
    # 1h  |--------------|   beside it, on its own
    add(add_model, "churn")
    for back in range(3):
        add_scored(add, "churn", NOW_MS - back * WINDOW_MS, value=0.1 * back)
    hour = {"window": "1h", "start_ms": NOW_MS - HOUR_MS}
    add(add_window, "churn", NOW_MS, **hour, inferences=1_200)
    add(add_finding, "churn", NOW_MS, **hour, value=0.3)
    assert values(site, "driftbell_score") == {
        ("amount", "js_distance", "churn", "", "1", "5m"): 0.0,
        ("amount", "js_distance", "churn", "", "1", "1h"): 0.3,
    }
    assert values(site, "driftbell_window_events") == {
        ("churn", "", "1", "5m"): 100,
        ("churn", "", "1", "1h"): 1_200,
    }
    assert values(site, "driftbell_window_end_timestamp_seconds")["churn", "", "1", "5m"] == NOW_MS / 1000


def test_a_series_vanishes_after_three_windows_and_never_repeats_itself(site: Site, add: Add) -> None:
    #  end          + 3 windows     + lateness
    #   |----|----|----|--------------|
    #   scored .......................| gone
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS - 1_000)
    add_scored(add, "churn", NOW_MS)
    site.now_ms = NOW_MS + STALE_MS
    assert values(site, "driftbell_score")
    site.now_ms += 1
    shown = families(site)
    gone = {
        "driftbell_score", "driftbell_limit", "driftbell_window_events",
        "driftbell_window_end_timestamp_seconds",
    }  # fmt: skip
    assert not gone & set(shown)
    assert values(site, "driftbell_last_event_timestamp_seconds") == {("churn",): (NOW_MS - 1_000) / 1000}


def test_each_kind_of_window_goes_stale_after_its_own_length(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS - 2 * HOUR_MS)
    add(add_window, "churn", NOW_MS - 2 * HOUR_MS, window="1h", start_ms=NOW_MS - 3 * HOUR_MS)
    assert [labels["window"] for labels in labels_of(site, "driftbell_window_events")] == ["1h"]


def test_lateness_and_windows_are_those_of_the_monitor_in_force(site: Site, add: Add) -> None:
    patient = Monitor("churn", allowed_lateness_ms=DAY_MS, windows=(WindowSpec.tumbling(WINDOW_MS),))
    add(add_model, "churn")
    add(add_model, "churn", number=2, monitor=patient, since_ms=NOW_MS - MINUTE_MS)
    add(add_model, "churn", number=3, since_ms=NOW_MS + MINUTE_MS)
    add(add_window, "churn", NOW_MS - 12 * HOUR_MS)
    assert values(site, "driftbell_window_events")


def test_last_news_stay_however_old_they_are(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS - 30 * DAY_MS)
    add(add_pane, "churn", NOW_MS - 29 * DAY_MS, inferences=0, labels=4)
    add(add_model, "unheard")
    assert values(site, "driftbell_last_event_timestamp_seconds") == {
        ("churn",): (NOW_MS - 30 * DAY_MS) / 1000
    }
    assert values(site, "driftbell_last_label_timestamp_seconds") == {
        ("churn",): (NOW_MS - 29 * DAY_MS) / 1000
    }


def test_an_alert_is_1_while_it_fires_and_gone_afterwards(site: Site, add: Add, engine: Engine) -> None:
    add(add_alert, "a1", "churn", segment="country=DE")
    add(add_alert, "a2", "churn", segment="country=DE", window="1h", rule="other")
    add(add_alert, "a3", "churn", state="pending", cause="silence")
    add(add_alert, "a4", "churn", state="resolved", cause="rename")
    assert values(site, "driftbell_alert_firing") == {
        ("data_drift", "amount", "churn", "country=DE", "page", "1"): 1
    }
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alert SET state = 'resolved'"))
    assert values(site, "driftbell_alert_firing") == {}


def test_the_worst_are_kept_and_the_rest_is_counted(engine: Engine, add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    for place in range(20):
        add(add_finding, "churn", NOW_MS, feature=f"f{place:02}", value=place / 10, limit=1.0)
    add(add_finding, "churn", NOW_MS, feature="small limit", value=0.5, limit=0.01)
    add(add_finding, "churn", NOW_MS, feature="zero limit", value=1e-9, limit=0.0)
    add(add_finding, "churn", NOW_MS, feature="no limit", value=1e9, limit=None)
    with site_of(engine, max_series=15) as site:
        kept = [labels["feature"] for labels in labels_of(site, "driftbell_score")]
        assert kept == ["zero limit", "small limit", "f19", "f18"]
        assert [labels["feature"] for labels in labels_of(site, "driftbell_limit")] == kept
        # Three of partitions, two of the budget, two of the window, 22 pairs and a score alone, of which 15 are shown.
        assert values(site, "driftbell_series_dropped") == {(): 7 + 2 * 22 + 1 - 15}


def test_alerts_and_last_news_are_kept_before_scores(engine: Engine, add: Add) -> None:
    add(add_model, "churn")
    add(add_pane, "churn", NOW_MS)
    add(add_alert, "a1", "churn")
    add_scored(add, "churn", NOW_MS, value=1e300, limit=1e-300)
    with site_of(engine, max_series=2) as site:
        assert {"driftbell_alert_firing", "driftbell_last_event_timestamp_seconds"} <= set(families(site))
        assert "driftbell_score" not in families(site)
        assert values(site, "driftbell_series_dropped") == {(): 10}


def test_a_score_that_is_not_finite_counts_as_the_worst(engine: Engine, add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    add(add_finding, "churn", NOW_MS, feature="nan", value=float("nan"))
    add(add_finding, "churn", NOW_MS, feature="fine", value=0.3)
    add(add_finding, "churn", NOW_MS, feature="too little data", value=None, verdict="too_little_data")
    with site_of(engine, max_series=9) as site:
        assert [labels["feature"] for labels in labels_of(site, "driftbell_score")] == ["nan"]


def test_the_budget_says_what_was_promised_and_how_much_of_it_is_spent(
    site: Site, add: Add, engine: Engine
) -> None:
    add(add_model, "churn", monitor=Monitor("churn", budget=Budget(4.0, 7 * DAY_MS)))
    add(add_model, "calm")
    page = {"state": "resolved", "fired_ms": NOW_MS}
    for number in range(3):
        add(add_alert, f"a{number}", "churn", incident=f"i-{number}", **page)
    still = {"state": "firing", "fired_ms": NOW_MS - 8 * DAY_MS}
    add(add_alert, "old", "churn", incident="old", **still)
    for incident in ("i-0", "i-1", "old"):
        add_mark(engine, incident, AlarmVerdict.FALSE_ALARM, Statement("anna", "nothing there"))
    assert values(site, "driftbell_false_alarm_budget_ratio") == {("churn",): 0.5, ("calm",): 0.0}
    assert values(site, "driftbell_false_alarm_budget_pages") == {("churn",): 4.0, ("calm",): 1.0}
    assert values(site, "driftbell_incidents") == {
        ("churn", "page", "firing", "false_alarm"): 1,
        ("churn", "page", "resolved", "false_alarm"): 2,
        ("churn", "page", "resolved", "unmarked"): 1,
    }


def test_incidents_are_a_few_series_however_many_they_are(site: Site, add: Add) -> None:
    add(add_model, "churn")
    for number in range(40):
        severity, state = ("page", "ticket", "info")[number % 3], ("firing", "resolved")[number % 2]
        one = {"severity": severity, "state": state, "fired_ms": NOW_MS}
        add(add_alert, f"a{number}", "churn", incident=f"i{number}", feature=f"f{number}", **one)
    found = values(site, "driftbell_incidents")
    assert len(found) == 6
    assert sum(found.values()) == 40


def hostile_site(add: Add) -> None:
    for name in HOSTILE_NAMES:
        add(add_model, name)
        add(add_pane, name, NOW_MS)
        add(add_window, name, NOW_MS, version=name, segment=f"{name}={name}")
        add(
            add_finding,
            name,
            NOW_MS,
            version=name,
            segment=f"{name}={name}",
            feature=name,
            method="missing_null",
        )
        add(add_alert, f"alert {name}", name, feature=name, segment=f"{name}={name}")


def test_hostile_names_cannot_break_the_page(site: Site, add: Add) -> None:
    hostile_site(add)
    shown = [labels["feature"] for labels in labels_of(site, "driftbell_score")]
    assert sorted(shown) == sorted([
        'quote " and \\ backslash', "linebreak", "scriptalert(1)/script", "right to left", "bell 🔔 and 漢字",
        "a/b?c=d&e#f%2F", "{model='x'} 1# TYPE",
    ])  # fmt: skip
    assert len(labels_of(site, "driftbell_alert_firing")) == len(HOSTILE_NAMES)


def test_names_that_cleaning_makes_equal_are_one_series(site: Site, add: Add) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    for place, feature in enumerate(("amount", "<amount>", "am\u200bount")):
        add(add_finding, "churn", NOW_MS, feature=feature, value=place / 10)
    assert list(values(site, "driftbell_score").values()) == [0.2]
    assert values(site, "driftbell_series_dropped") == {(): 4}


def test_openmetrics_is_given_to_who_asks_for_it(site: Site, add: Add) -> None:
    hostile_site(add)
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = site.client.get("/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-encoding"] == "gzip"
    found = {family.name for family in parse_openmetrics(answer.text)}  # type: ignore[no-untyped-call]
    assert {"driftbell_score", "driftbell_collect_errors", "driftbell_build"} <= found
    assert answer.text.endswith("# EOF\n")


@pytest.mark.prometheus
def test_prometheus_itself_accepts_the_page(site: Site, add: Add) -> None:
    require_or_skip(shutil.which("promtool"), "promtool", "apt-get install prometheus")
    hostile_site(add)
    Counter("driftbell_commits_total", "Commits.", ["outcome"], registry=site.registry).labels("done").inc()
    page = site.get("/metrics").text
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_metrics_of_this_process_stand_on_the_same_page(site: Site) -> None:
    Gauge("driftbell_scrapes", "Scrapes.", registry=site.registry).set(7)
    assert values(site, "driftbell_scrapes") == {(): 7}
    assert labels_of(site, "driftbell_build_info") == [{"version": __version__}]


def test_a_name_that_the_process_has_too_comes_once(site: Site) -> None:
    Gauge("driftbell_build_info", "Build.", ["version"], registry=site.registry).labels("process").set(1)
    page = site.get("/metrics").text
    assert page.count("driftbell_build_info{") == 1


class Broken(Collector):
    def collect(self) -> Iterable[Metric]:
        raise RuntimeError


def test_a_part_that_fails_is_left_out_and_counted(
    site: Site, add: Add, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add(add_alert, "a1", "churn")
    monkeypatch.setattr(
        gauge_queries, "last_news", lambda connection: connection.execute(text("SELECT 1 / 0"))
    )
    site.registry.register(Broken())
    with caplog.at_level(logging.WARNING):
        assert len(labels_of(site, "driftbell_alert_firing")) == 1
    assert "a part of /metrics is missing" in caplog.text
    caplog.clear()
    assert values(site, "driftbell_collect_errors") == {(): 4}


def test_a_monitor_that_cannot_be_read_has_the_usual_windows(site: Site, add: Add, engine: Engine) -> None:
    add(add_model, "churn")
    add(add_window, "churn", NOW_MS)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE model_version SET monitor = 'models: ['"))
    assert values(site, "driftbell_window_events")


def test_a_page_without_anything_still_parses(site: Site) -> None:
    assert set(families(site)) == {
        "driftbell_partitions",
        "driftbell_series_dropped",
        "driftbell_collect_errors",
        "driftbell_build_info",
    }
    assert isinstance(site.registry, CollectorRegistry)
