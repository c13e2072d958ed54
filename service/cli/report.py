"""Reports for whoever was woken, and for the ticket: an incident, a window or a day on one page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from service.cli.dead_letter_filters import database
from service.cli.known_names import known_version
from service.cli.report_output import Shown, shown_as_asked
from service.cli.times import time_of
from service.cli.windows import spec_named
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.moments import time_at
from service.monitor import DAY_MS
from service.opening import now_ms
from service.reports.incident import incident_report
from service.reports.span import span_report
from service.settings import load_from_environment
from service.store.report_cases import incident_case, newest_end_ms, span_case
from service.store.report_seen import Stretch

if TYPE_CHECKING:
    from service.monitor import Monitor, WindowSpec

_WINDOWS_BEFORE = 24
_MOST_A_DAY = 96


@click.group()
def report() -> None:
    """Tell an incident, a window or a day of a model on one page, for a ticket or a browser."""


@report.command(name="incident")
@click.argument("incident")
@shown_as_asked
def incident_(incident: str, shown: Shown) -> None:
    """Report an incident: cause, time, evidence, offsets, effect, and what usually helps.

    \b
    driftbell report incident i-3f9a1c0b7d42e815
    driftbell report incident i-3f9a1c0b7d42e815 --format html --out incident.html
    """  # noqa: D301 - click reads \b
    with database(load_from_environment()) as engine:
        case = incident_case(engine, incident, now_ms())
    if case is None:
        raise ConfigurationError(
            f"there is no incident {visible(incident)!r}; `driftbell incidents list` shows those there are"
        )
    shown.show(incident_report(case))


@report.command()
@click.argument("model")
@click.option("--end", help="Where the window ends, ISO 8601; else the newest one that counts predictions.")
@click.option("--window", help="Its kind, such as 1h; the monitor's shortest if none is named.")
@click.option(
    "--segment", default="", help="Of this segment, such as country=DE, instead of the whole model."
)
@shown_as_asked
def window(model: str, end: str | None, window: str | None, segment: str, shown: Shown) -> None:
    """Report a window of a model: its worst scores, volume, missing values, performance and histograms.

    \b
    driftbell report window churn
    driftbell report window churn --end 2026-11-21T10:00:00Z --window 1h --segment country=DE
    """  # noqa: D301
    now = now_ms()
    with database(load_from_environment()) as engine:
        spec = _spec_of(known_version(engine, model).monitor, window)
        until_ms = now if end is None else time_of(end, "--end")
        end_ms = newest_end_ms(engine, model, spec.name, until_ms, busy=end is None)
        if end_ms is None or (end is not None and end_ms != until_ms):
            raise ConfigurationError(_no_window(model, spec.name, end, end_ms))
        start_ms = end_ms - spec.length_ms
        before_ms = start_ms - _WINDOWS_BEFORE * spec.length_ms
        case = span_case(
            engine, Stretch(model, "", segment, spec.name, before_ms, start_ms, end_ms, spec.every_ms), now
        )
    shown.show(span_report(case, "window"))


@report.command()
@click.argument("model")
@click.option("--day", help="The day in UTC, such as 2026-11-21; else today so far.")
@click.option("--window", help="Told by windows of this kind, such as 1h.")
@click.option(
    "--segment", default="", help="Of this segment, such as country=DE, instead of the whole model."
)
@shown_as_asked
def day(model: str, day: str | None, window: str | None, segment: str, shown: Shown) -> None:
    """Report a day of a model beside the day before, by the shortest windows of which a picture holds a day.

    \b
    driftbell report day churn
    driftbell report day churn --day 2026-11-21 --format html --out churn.html
    """  # noqa: D301
    now = now_ms()
    start_ms = now // DAY_MS * DAY_MS if day is None else _day_of(day)
    with database(load_from_environment()) as engine:
        monitor = known_version(engine, model).monitor
        spec = _spec_of(monitor, window) if window else _of_a_day(monitor)
        stretch = Stretch(
            model, "", segment, spec.name, start_ms - DAY_MS, start_ms, start_ms + DAY_MS, spec.every_ms
        )
        case = span_case(engine, stretch, now)
    shown.show(span_report(case, "day"))


def _spec_of(monitor: Monitor, name: str | None) -> WindowSpec:
    if name is None:
        return min(monitor.windows, key=lambda spec: spec.length_ms)
    return spec_named(monitor, name)


def _of_a_day(monitor: Monitor) -> WindowSpec:
    """The shortest of which a day has not too many, else the one that it has fewest of."""
    few = [spec for spec in monitor.windows if DAY_MS // spec.every_ms <= _MOST_A_DAY]
    if few:
        return min(few, key=lambda spec: spec.length_ms)
    return max(monitor.windows, key=lambda spec: spec.every_ms)


def _day_of(text: str) -> int:
    try:
        at = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ConfigurationError(f"--day {visible(text)!r} is no day; write one such as 2026-11-21") from None
    return int(at.timestamp()) * 1_000


def _no_window(model: str, window: str, end: str | None, before_ms: int | None) -> str:
    if before_ms is None:
        return f"no window of {window} of model {visible(model)} is stored" + (f" up to {end}" if end else "")
    last = time_at(before_ms).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"no window of {window} of model {visible(model)} ends at {end}; the last one before ends at {last}"
    )
