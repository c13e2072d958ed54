"""References: build one from a table, learn one from live panes, show it; `acceptance` has the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from service import learning
from service.cli.acceptance import accept, history
from service.cli.monitors import read_profile
from service.cli.progress import progress
from service.cli.times import time_of
from service.errors import ConfigurationError
from service.opening import ready_engine
from service.reference.builder import build_reference
from service.reference.describe import as_document, describe
from service.reference.profile import ReferenceProfile, profile_from_bytes, profile_to_bytes
from service.reference.specification import ReferenceSpec
from service.settings import load_from_environment
from service.store.configuration import load_reference, store_reference
from service.store.profiles import to_be_stored

if TYPE_CHECKING:
    from sqlalchemy import Engine


@click.group()
def reference() -> None:
    """What a model was trained or accepted on: profiles of counts, never raw rows."""


reference.add_command(accept)
reference.add_command(history)


@reference.command()
@click.option("--model", required=True, help="The model's name, as in its events.")
@click.option(
    "--data", "path", required=True, type=click.Path(path_type=Path), help="CSV (.gz, .zst) or Parquet."
)
@click.option("--name", help="The reference's name (default: the model's name).")
@click.option("--label", help="The column with the true answer.")
@click.option("--prediction", help="The column with the model's answer.")
@click.option("--score", help="The column with the probability of the positive class.")
@click.option(
    "--time",
    "time_column",
    help="The column with the event time; the reference is then cut into blocks in its order.",
)
@click.option("--id", "id_column", help="The column with the inference id.")
@click.option("--exclude", multiple=True, help="A column to leave out (may be given again).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write a file; without it the reference goes into the store.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def build(  # noqa: PLR0913, PLR0917 - click hands over every option
    model: str, path: Path, name: str | None, label: str | None, prediction: str | None, score: str | None,
    time_column: str | None, id_column: str | None, exclude: tuple[str, ...], out: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Count a training table into a profile, in one pass.

    \b
    driftbell reference build --model churn --data train.csv --label churned --score p --time ts --out churn.profile
    driftbell reference build --model churn --data train.parquet --label churned --exclude customer_id
    """  # noqa: D301
    if out is not None and out.is_dir():
        raise ConfigurationError(f"cannot write {out}: Is a directory")
    engine = None if out else _store("say --out FILE to write the reference into a file")
    spec = ReferenceSpec(
        model,
        name or (out.stem if out else model),
        label,
        prediction,
        score,
        time_column,
        id_column,
        exclude=exclude,
    )
    made = _with_progress(path, spec, quiet=quiet)
    for warning in made.warnings:
        click.secho(f"driftbell: {warning}", fg="yellow", err=True)
    if out is not None:
        _write(out, profile_to_bytes(made))
    elif engine is not None:
        store_reference(engine, to_be_stored(made))
    counted = f"{made.rows:,} rows, {len(made.columns)} columns, task {made.task.value}"
    click.echo(f"reference {made.name!r}: {counted}, in {out or 'the store'}")


def _store(otherwise: str) -> Engine:
    settings = load_from_environment()
    if settings.database.url is None:
        raise ConfigurationError(f"{otherwise}, or set DRIFTBELL_DATABASE_URL to use the store")
    return ready_engine(settings)


def _with_progress(path: Path, spec: ReferenceSpec, *, quiet: bool) -> ReferenceProfile:
    with progress(quiet=quiet) as bar:
        task = bar.add_task(f"reading {path.name}", total=None)
        return build_reference(path, spec, lambda done, total: bar.update(task, completed=done, total=total))


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as why:
        raise ConfigurationError(f"cannot write {path}: {why.strerror}") from why


@reference.command()
@click.option("--model", required=True, help="The model whose live panes to learn from.")
@click.option("--from", "since", required=True, help="Event time, ISO 8601.")
@click.option("--to", "until", required=True, help="Event time, ISO 8601.")
@click.option("--name", help="The reference's name (default: MODEL-learned).")
def learn(model: str, since: str, until: str, name: str | None) -> None:
    """Make a reference of what was seen live, when there is no training table.

    \b
    driftbell reference learn --model churn --from 2026-11-01T00:00Z --to 2026-11-08T00:00Z
    """  # noqa: D301
    start_ms, end_ms = time_of(since, "--from"), time_of(until, "--to")
    if start_ms >= end_ms:
        raise ConfigurationError(f"--from {since} is not before --to {until}")
    engine = ready_engine(load_from_environment())
    made = learning.learn(engine, model, name or f"{model}-learned", start_ms, end_ms)
    store_reference(engine, to_be_stored(made))
    counted = f"{made.rows:,} events, {len(made.columns)} columns"
    click.echo(f"reference {made.name!r}: {counted}; name it in the monitor and apply that")


def _stored(name: str) -> ReferenceProfile:
    data = load_reference(_store(f"there is no file {name!r}: name one"), name)
    if data is None:
        raise ConfigurationError(f"there is neither a file nor a stored reference {name!r}")
    return profile_from_bytes(data)


@reference.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(name: str, as_json: bool) -> None:
    """Print a reference, from a file or by its name in the store.

    \b
    driftbell reference show churn.profile
    """  # noqa: D301
    path = Path(name)
    made = read_profile(path) if path.exists() else _stored(name)
    if as_json:
        click.echo(json.dumps(as_document(made), indent=2, allow_nan=False))
        return
    console = Console(width=None if Console().is_terminal else 100)
    console.print(describe(made))
