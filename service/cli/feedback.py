"""What a person should label, at a terminal: the id of each prediction, why it was chosen, and what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.dead_letter_filters import reading
from service.cli.json_lines import echo_json
from service.cli.times import ago_or_time
from service.cli.whole_numbers import WholeNumber
from service.dead_letters.readable import visible
from service.labelling.feedback import FeedbackKind
from service.opening import now_ms
from service.reports.phrases import minute
from service.store.feedback import FeedbackFilter, list_feedback, list_retraining
from service.store.paging import Paging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.store.feedback import FeedbackRow, RetrainingRow

_COLUMNS = (
    *tables.whole("window ends (UTC)", "kind"), *tables.numbers("value"), *tables.whole("inference id"),
    *tables.texts("version", "answer", "why"),
)  # fmt: skip


@click.command()
@click.argument("model")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in FeedbackKind]),
    help="Only those that were chosen for this reason.",
)
@click.option("--since", help="Only of windows that ended after this: 2d (ago), or ISO 8601.")
@click.option(
    "--retraining", is_flag=True, help="Instead the advice to train again, and the data that are good for it."
)
@click.option("--limit", default=100, show_default=True, type=WholeNumber(1, 10_000), help="The most lines.")
@click.option(
    "--json", "as_json", is_flag=True, help="For programs: a JSON object a line, with the features."
)
def feedback(
    model: str, kind: str | None, since: str | None, limit: int, *, retraining: bool, as_json: bool
) -> None:
    """List the predictions of a model that a person should label; the newest first.

    \b
    driftbell feedback churn --since 1d --json
    driftbell feedback churn --kind uncertain
    driftbell feedback churn --retraining
    """  # noqa: D301 - click reads \b
    if retraining:
        _tell_retraining(model, limit, as_json=as_json)
        return
    since_ms = None if since is None else ago_or_time(since, "--since", now_ms())
    with reading() as connection:
        wanted = FeedbackFilter(model=model, kind=kind, since_ms=since_ms)
        found = list_feedback(connection, wanted, Paging(limit)).rows
    if as_json:
        _tell_programs(found)
    elif not found:
        click.echo(
            "nothing is chosen: either the monitor has no `feedback:`, or no window with predictions has ended since "
            "(docs/feedback.md)"
        )
    else:
        tables.show(tables.table_of(_COLUMNS, map(_cells, found)))


def _tell_programs(rows: Sequence[FeedbackRow] | Sequence[RetrainingRow]) -> None:
    for one in rows:
        echo_json(one)


def _tell_retraining(model: str, limit: int, *, as_json: bool) -> None:
    with reading() as connection:
        found = list_retraining(connection, model, Paging(limit)).rows
    if as_json:
        _tell_programs(found)
        return
    if not found:
        click.echo("no alert has asked to train this model again (docs/feedback.md)")
    for one in found:
        click.echo(f"{minute(one.at_ms)}  {visible(one.incident)}  {visible(one.summary)}")
        for span in one.spans:
            labels = f"{span['labels']:,} labelled predictions"
            click.echo(f"    {minute(span['from_ms'])} to {minute(span['until_ms'])}: {labels}")


def _cells(one: FeedbackRow) -> tuple[str, ...]:
    answer = ", ".join(f"{name} {value}" for name, value in sorted(one.answer.items()))
    return (
        minute(one.end_ms), one.kind, "" if one.value is None else f"{one.value:.3g}", one.inference_id, one.version,
        answer, one.why,
    )  # fmt: skip
