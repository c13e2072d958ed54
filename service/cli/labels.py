"""Labels for a person at a terminal: how long they take, and which windows have theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.dead_letter_filters import reading
from service.cli.json_lines import echo_json
from service.cli.known_names import no_model
from service.cli.whole_numbers import WholeNumber
from service.cli.windows import require_known
from service.monitor import format_duration
from service.opening import now_ms
from service.reports.phrases import minute
from service.store.maturity import labels_of

if TYPE_CHECKING:
    from service.performance.maturity import Coverage, Maturity

_COLUMNS = (
    *tables.whole("window ends (UTC)"), *tables.texts("version"),
    *tables.numbers("predictions", "labels", "coverage", "usual by now"), *tables.texts(""),
)  # fmt: skip
_SECOND_MS = 1_000


@click.command()
@click.argument("model")
@click.option("--window", help="Windows of this kind, such as 1h; the monitor's shortest if none is named.")
@click.option(
    "--segment", default="", help="Of this segment, such as country=DE, instead of the whole model."
)
@click.option("--limit", default=20, show_default=True, type=WholeNumber(1, 10_000), help="The most windows.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def labels(model: str, window: str | None, segment: str, limit: int, *, as_json: bool) -> None:
    """Show how long a model's labels take, and which of its newest windows have theirs.

    A window is ripe, and its performance judged, when nine in ten of the labels that ever come would have come.

    \b
    driftbell labels churn
    driftbell labels churn --window 1h --segment country=DE
    """  # noqa: D301 - click reads \b
    with reading() as connection:
        found = labels_of(connection, model, window, segment, limit, now_ms())
        if found is None:
            raise no_model(connection, model)
        if not found.windows:
            require_known(connection, model, window)
    if as_json:
        echo_json(found)
        return
    for line in _told(found):
        click.echo(line)
    if found.windows:
        tables.show(tables.table_of(_COLUMNS, map(_cells, found.windows)))


def _told(found: Maturity) -> list[str]:
    if not found.labels:
        return ["no label of this model has found its prediction yet (docs/labels.md)"]
    half, most, nearly_all = (_duration(seconds) for seconds in found.quantiles.values())
    came = f"of the newest {found.labels:,} labels half came within {half}, nine in ten within {most}"
    told = [f"{came}, 99 in 100 within {nearly_all}"]
    if found.ripe_after_ms is None:
        told.append("too few to say how long labels take: no window is judged yet")
    else:
        judged = (
            "none is judged yet"
            if found.judged_until_ms is None
            else f"all until {minute(found.judged_until_ms)} are judged"
        )
        told.append(f"a window is ripe {_duration(found.ripe_after_ms / _SECOND_MS)} after its end; {judged}")
    return told


def _duration(seconds: float | None) -> str:
    """Two units at most."""
    if seconds is None:
        return "?"
    whole = max(1, round(seconds))
    step = next((step for step in (3_600, 60) if whole >= 24 * step), 1)
    return format_duration(max(1, round(whole / step)) * step * _SECOND_MS)


def _cells(one: Coverage) -> tuple[str, ...]:
    return (
        minute(one.end_ms), one.version, f"{one.predictions:,}", f"{one.labelled:,}", _share(one.coverage),
        _share(one.usual_share), "ripe" if one.is_ripe else "waits for labels",
    )  # fmt: skip


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
