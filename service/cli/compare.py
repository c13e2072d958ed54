"""Two versions of a model side by side, for a person at a terminal: the verdict first, then what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli import tables
from service.cli.comparison_tables import tables_of
from service.cli.dead_letter_filters import database
from service.cli.json_lines import echo_json
from service.cli.times import ago_or_time
from service.comparison.verdict import MOST_MARGIN
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.opening import now_ms
from service.settings import load_from_environment
from service.store.versions_beside import Question, UnknownVersionError, read_versions

if TYPE_CHECKING:
    from service.comparison.report import VersionsBeside


def _finite(_context: click.Context, _option: click.Parameter, margin: float | None) -> float | None:
    if margin is not None and not margin <= MOST_MARGIN:
        raise click.BadParameter(f"{margin:g} is no margin; write a number above 0, at most {MOST_MARGIN:g}")
    return margin


@click.command()
@click.argument("model")
@click.argument("versions", nargs=-1, metavar="[VERSION VERSION]")
@click.option("--since", help="From this time on: 2d (ago), or ISO 8601. Else since both versions were seen.")
@click.option(
    "--segment", default="", help="Of this segment, such as country=DE, instead of the whole model."
)
@click.option(
    "--margin", type=click.FloatRange(min=0, min_open=True), callback=_finite,
    help="A smaller difference means nothing; 0.01 of error rates, else 2 % of the other version's loss.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def compare(
    model: str,
    versions: tuple[str, ...],
    since: str | None,
    *,
    as_json: bool,
    segment: str,
    margin: float | None,
) -> None:
    """Say whether a version of a model is better or worse than another, as often as you like.

    Without versions, the two with the most recent traffic; the one that came later is held against the other.
    With one, that one against the most recent other.

    \b
    driftbell compare churn
    driftbell compare churn 8 7 --since 7d
    driftbell compare churn 8 7 --segment country=DE --margin 0.02
    """  # noqa: D301 - click reads \b
    if len(versions) > 2:
        raise ConfigurationError(f"two versions are compared, not {len(versions)}")
    version, against = (*versions, None, None)[:2]
    since_ms = None if since is None else ago_or_time(since, "--since", now_ms())
    settings = load_from_environment()
    question = Question(
        model, version, against, since_ms, segment, margin,
        forgotten_ms=now_ms() - settings.retention.results_ms,
    )  # fmt: skip
    with database(settings) as engine:
        try:
            found = read_versions(engine, question)
        except UnknownVersionError as error:
            raise ConfigurationError(str(error)) from None
    if as_json:
        echo_json(found)
    else:
        _show(found)


def _show(found: VersionsBeside) -> None:
    click.echo(visible(found.verdict))
    if found.remark is not None:
        click.echo(found.remark)
    click.echo()
    tables.show(*tables_of(found))
