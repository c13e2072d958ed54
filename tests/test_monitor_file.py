"""monitors.yaml gives all its monitors or all its mistakes, each with its line and what to write instead."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.errors import ConfigurationError
from service.monitor import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    AlertPolicy,
    Budget,
    FeatureKind,
    FeatureOverride,
    LabelPolicy,
    Monitor,
    Nonfinite,
    Severity,
    Task,
    TimestampUnit,
    WindowSpec,
)
from service.monitor_file import dump_monitors, parse_monitors
from service.names import clean_name


def monitor_of(body: str) -> Monitor:
    """The monitor of model `m` with this indented body."""
    (monitor,) = parse_monitors("models:\n  m:\n" + body, "monitors.yaml")
    return monitor


def mistakes_of(text: str) -> list[str]:
    """The sentences that refuse this file."""
    with pytest.raises(ConfigurationError) as caught:
        parse_monitors(dedent(text), "monitors.yaml")
    return list(caught.value.problems)


def mistake_in(line: str) -> str:
    """The only sentence about a monitor with this one line, without file and line."""
    (sentence,) = mistakes_of(f"models:\n  m:\n    {line}\n")
    assert sentence.startswith("monitors.yaml:3: ")
    return sentence.removeprefix("monitors.yaml:3: ")


# ---------------------------------------------------------------- what can be written
def test_the_example_of_the_design_is_read() -> None:
    text = """
    models:
      churn:
        task: binary                 # binary | multiclass | regression | none
        reference: churn-2026-10
        pane: 1m
        windows: [5m, 1h, {length: 1h, every: 5m}]
        allowed_lateness: 10m
        budget: {false_pages: 1, per: 30d}
        segments: [country]
    """
    assert parse_monitors(dedent(text), "monitors.yaml") == (
        Monitor(
            "churn",
            task=Task.BINARY,
            reference="churn-2026-10",
            windows=(
                WindowSpec.tumbling(5 * MINUTE_MS),
                WindowSpec.tumbling(HOUR_MS),
                WindowSpec(HOUR_MS, 5 * MINUTE_MS),
            ),
            segments=("country",),
        ),
    )


def test_everything_may_be_overridden() -> None:
    monitor = monitor_of("""
    disorder: 0s
    max_future_skew: 1h
    idle_after: 2m
    silence_after: 1h30m
    ts_unit: ms
    nonfinite: missing
    methods: [psi, ks]
    alerts: {for_windows: 2, clear_windows: 3, clear_ratio: 0.5}
    labels: {wait: 2d, sample: 0.25, most_waiting: 5000, positive: 'yes'}
    features:
      amount: {kind: numeric, methods: [psi], tolerance: 0.1, severity: ticket, importance: 2.5}
      id: {ignore: true}
      plain:
    """)
    assert monitor == Monitor(
        "m",
        disorder_ms=0,
        max_future_skew_ms=HOUR_MS,
        idle_after_ms=2 * MINUTE_MS,
        silence_after_ms=90 * MINUTE_MS,
        ts_unit="ms",
        nonfinite="missing",
        methods=("psi", "ks"),
        alerts=AlertPolicy(2, 3, 0.5),
        labels=LabelPolicy(2 * DAY_MS, 0.25, 5_000, "yes"),
        features={
            "amount": FeatureOverride("numeric", ("psi",), 0.1, severity="ticket", importance=2.5),
            "id": FeatureOverride(ignore=True),
            "plain": FeatureOverride(),
        },
    )


def test_a_model_may_have_nothing_but_a_name() -> None:
    assert parse_monitors("version: 1\nmodels: {a: , b: {}}", "f") == (Monitor("a"), Monitor("b"))


def test_json_is_read_and_so_are_panes_as_long_as_a_week_of_windows_needs() -> None:
    body = {"pane": "151200s", "windows": ["604800s"], "allowed_lateness": "2419200s", "segments": []}
    (monitor,) = parse_monitors(json.dumps({"models": {"bike": body}}, indent=1), "monitors.yaml")
    assert monitor.windows == (WindowSpec.tumbling(7 * DAY_MS),)
    assert monitor.pane_ms == 42 * HOUR_MS


def test_names_that_yaml_takes_for_truth_values_and_numbers_stay_names() -> None:
    (monitor,) = parse_monitors("models: {no: {segments: [on, 007, ~tilde]}}", "f")
    assert (monitor.model, monitor.segments) == ("no", ("on", "007", "~tilde"))


def test_names_are_cleaned() -> None:
    (monitor,) = parse_monitors('models: {"chu\\u202ern": {segments: ["cafe\\u0301"]}}', "f")
    assert (monitor.model, monitor.segments) == ("churn", ("caf\u00e9",))


# ---------------------------------------------------------------- what is wrong
def test_all_mistakes_come_at_once_in_the_order_of_their_lines() -> None:
    assert mistakes_of("""\
        version: 2
        models:
          churn:
            task: binry
            pane: 2m
            windows:
              - 4m
              - 5 min
              - {length: 1h, evry: 5m}
            windoes: [1h]
            segments: country
            task: binary
          fraud:
            budget: {false_pages: 0}
        """) == [
        "monitors.yaml:1: version is '2'; write 1",
        "monitors.yaml:4: task is 'binry'; did you mean 'binary'?",
        "monitors.yaml:8: windows[1] is '5 min'; write a duration such as 5m, 1h or 30s",
        "monitors.yaml:9: windows[2].evry is not a known key; did you mean 'every'?",
        "monitors.yaml:10: windoes is not a known key; did you mean 'windows'?",
        "monitors.yaml:11: segments is a single value; write a list such as [first, second]",
        "monitors.yaml:12: task is written twice, first on line 4; keep one",
        "monitors.yaml:14: budget.false_pages is '0'; write a number from 0.001 to 1000",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty; write 'models:' and below it at least one model"),
        ("just text", "the file is a single value; write a mapping of keys to values"),
        ("[churn]", "the file is a list; write a mapping of keys to values"),
        ("models:", "the file has no models; write 'models:' and below it at least one model"),
        ("version: 1", "the file has no models; write 'models:' and below it at least one model"),
        ("model: {churn: {}}", "model is not a known key; did you mean 'models'?"),
        ("models: [churn]", "models is a list; write a mapping of keys to values"),
        ("models: {churn: 5m}", "model 'churn' is a single value; write a mapping of keys to values"),
        ("models: {churn: {}, churn: {}}", "models.churn is written twice, first on line 1; keep one"),
        ("models: {'': {}}", "models.'' is ''; write a name of 1 to 200 visible characters"),
        ("models: {[a]: {}}", "models.a key is a list; write a single value"),
    ],
)
def test_a_file_without_usable_models_says_so(text: str, sentence: str) -> None:
    assert mistakes_of(text) == [f"monitors.yaml:1: {sentence}"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("windows: []", "windows has 0 items; write 1 to 8"),
        ("windows: 5m", "windows is a single value; write a list such as [5m, 1h]"),
        ("windows: [5m, 300s]", "windows[1] repeats 5m; write each window once"),
        (
            "windows: [90s]",
            "windows[0] is 1m30s, which is not made of whole panes; write multiples of the pane, 1m",
        ),
        (
            "windows: [{length: 1h, every: 90s}]",
            "windows[0] is 1h/1m30s, which is not made of whole panes; write multiples of the pane, 1m",
        ),
        (
            "windows: [{length: 5m, every: 1h}]",
            "windows[0] is 5m/1h, which would skip events; write an 'every' no longer than 'length'",
        ),
        ("windows: [{every: 5m}]", "windows[0] has no length; write one such as {length: 1h, every: 5m}"),
        ("windows: [{}]", "windows[0] has no length; write one such as {length: 1h, every: 5m}"),
        ("windows: [{length: 1 h}]", "windows[0].length is '1 h'; write a duration such as 5m, 1h or 30s"),
        ("windows: [0s]", "windows[0] is '0s'; write 1s to 31d"),
        ("windows: [32d]", "windows[0] is '32d'; write 1s to 31d"),
        ("windows: [1m, 2m, 3m, 4m, 5m, 6m, 7m, 8m, 9m]", "windows has 9 items; write 1 to 8"),
        ("pane: 500ms", "pane is '500ms'; write 1s to 7d"),
        ("pane: 8d", "pane is '8d'; write 1s to 7d"),
        ("pane: 60", "pane is '60'; write a duration such as 5m, 1h or 30s"),
        ("pane: ", "pane is empty; write a value or leave the key out"),
        ("pane: 2m", "pane is 2m, which does not divide the default 5m; write windows, too"),
        ("pane: 7m", "pane is 7m, which does not divide the default 5m and 1h; write windows, too"),
        ("allowed_lateness: -5m", "allowed_lateness is '-5m'; write a duration such as 5m, 1h or 30s"),
        ("lateness: 5m", "lateness is not a known key; did you mean 'allowed_lateness'?"),
        ("segments: [a, b, a]", "segments[2] repeats 'a'; write each name once"),
        (f"segments: {[f's{n}' for n in range(21)]}", "segments has 21 items; write 0 to 20"),
        ("segments: [[a]]", "segments[0] is a list; write a single value"),
        ("segments: [~]", "segments[0] is empty; write a value or leave the key out"),
        ("reference: {file: x}", "reference is a mapping; write a single value"),
        ("budget: {per: 1ms}", "budget.per is '1ms'; write 1h to 366d"),
        ("budget: 1", "budget is a single value; write a mapping of keys to values"),
        ("alerts: {clear_ratio: 1.5}", "alerts.clear_ratio is '1.5'; write a number from 0.01 to 1"),
        ("alerts: {for_windows: 0}", "alerts.for_windows is '0'; write a whole number from 1 to 1000"),
        ("ts_unit: minutes", "ts_unit is 'minutes'; write auto, s, ms, us or ns"),
        ("features: {a: {ignore: yes}}", "features.a.ignore is 'yes'; write true or false"),
        ("features: {a: {severty: page}}", "features.a.severty is not a known key; did you mean 'severity'?"),
        (
            "features: {a: {importance: -1}}",
            "features.a.importance is '-1'; write a number from 0 to 1000",
        ),
        ("contract: {features: [a]}", "contract.features is a list; write a mapping of keys to values"),
        ("labels: {wait: 1s}", "labels.wait is '1s'; write 1m to 366d"),
        ("labels: {sample: 0}", "labels.sample is '0'; write a number from 0.0001 to 1"),
        ("features: {a: {methods: []}}", "features.a.methods has 0 items; write 1 to 50"),
        ("features: {a: {tolerance: .nan}}", "features.a.tolerance is '.nan'; write a number from 0 to 1000"),
    ],
)
def test_each_mistake_says_what_to_write_instead(line: str, sentence: str) -> None:
    assert mistake_in(line) == sentence


def test_a_mistaken_pane_does_not_make_the_windows_look_mistaken() -> None:
    assert mistakes_of("models: {m: {pane: x, windows: [7m]}}") == [
        "monitors.yaml:1: pane is 'x'; write a duration such as 5m, 1h or 30s"
    ]


def test_a_key_that_nothing_resembles_is_told_all_keys() -> None:
    assert mistake_in("budget: {zzz: 1}") == "budget.zzz is not a known key; write false_pages or per"


# ---------------------------------------------------------------- round trip
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).map(clean_name)
clean_names = names.filter(lambda name: name is not None)
name_lists = st.lists(clean_names, unique=True, max_size=4).map(tuple)
some_names = st.lists(clean_names, unique=True, min_size=1, max_size=4).map(tuple)
words = st.sampled_from


@st.composite
def windows_on(draw: st.DrawFn, pane_ms: int) -> WindowSpec:
    """A window of whole panes."""
    length = draw(st.integers(1, 4))
    return WindowSpec(length * pane_ms, draw(st.integers(1, length)) * pane_ms)


def durations(shortest_ms: int, longest_ms: int) -> st.SearchStrategy[int]:
    """Milliseconds in a range."""
    return st.integers(shortest_ms, longest_ms)


overrides = st.builds(
    FeatureOverride,
    kind=st.none() | words(get_args(FeatureKind)),
    methods=st.none() | some_names,
    tolerance=st.none() | st.floats(0, 1_000),
    ignore=st.booleans(),
    severity=st.none() | words(get_args(Severity)),
    importance=st.none() | st.floats(0, 1_000),
)


@st.composite
def monitors(draw: st.DrawFn) -> Monitor:
    """Any monitor that can be written."""
    pane_ms = draw(durations(SECOND_MS, 7 * DAY_MS))
    return draw(
        st.builds(
            Monitor,
            model=clean_names,
            task=words(Task),
            reference=st.none() | clean_names,
            pane_ms=st.just(pane_ms),
            windows=st.lists(windows_on(pane_ms), min_size=1, max_size=8, unique=True).map(tuple),
            allowed_lateness_ms=durations(0, 31 * DAY_MS),
            disorder_ms=durations(0, DAY_MS),
            max_future_skew_ms=durations(0, 31 * DAY_MS),
            idle_after_ms=durations(SECOND_MS, DAY_MS),
            silence_after_ms=st.none() | durations(SECOND_MS, 366 * DAY_MS),
            budget=st.builds(Budget, st.floats(0.001, 1_000), durations(HOUR_MS, 366 * DAY_MS)),
            segments=name_lists,
            ts_unit=words(get_args(TimestampUnit)),
            nonfinite=words(get_args(Nonfinite)),
            methods=st.none() | some_names,
            features=st.dictionaries(clean_names, overrides, max_size=4),
            alerts=st.builds(AlertPolicy, st.integers(1, 1_000), st.integers(1, 1_000), st.floats(0.01, 1)),
        )
    )


@settings(deadline=None)
@given(st.lists(monitors(), min_size=1, max_size=3, unique_by=lambda monitor: monitor.model))
def test_what_is_dumped_parses_back_to_equal_values(written: list[Monitor]) -> None:
    text = dump_monitors(written)
    assert sorted(written, key=lambda monitor: monitor.model) == list(parse_monitors(text, "export"))
    assert dump_monitors(written[::-1]) == text


def test_a_dump_is_short_and_made_for_people() -> None:
    written = Monitor(
        "churn", task=Task.BINARY, windows=(WindowSpec(HOUR_MS, MINUTE_MS),), segments=("größe",)
    )
    assert dump_monitors([written, Monitor("alpha")]) == dedent("""\
        models:
          alpha: {}
          churn:
            task: binary
            windows:
            - length: 1h
              every: 1m
            segments:
            - größe
        """)
