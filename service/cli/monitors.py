"""Monitors as code: check, apply, export."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from detectors.catalogue import NUMERIC
from service.contract.names import unknown_names
from service.errors import ConfigurationError, FormatError
from service.messages import iso
from service.monitor import Monitor
from service.monitor_file import parse_monitors
from service.reference.profile import ReferenceProfile, profile_from_bytes
from service.settings import load_from_environment
from service.store.configuration import apply_monitors, export_monitors
from service.store.profiles import to_be_stored
from service.wiring import now_ms, ready_engine

_FILE = click.option(
    "-f",
    "--file",
    "path",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="The monitors' YAML; - is standard input.",
)


@dataclass(frozen=True)
class MonitorFile:
    """A file's monitors, each naming its reference by the reference's own name, and the references it brings along."""

    monitors: tuple[Monitor, ...]
    profiles: dict[str, ReferenceProfile]


def read_monitors(path: Path, profiles: Sequence[Path] = ()) -> MonitorFile:
    """The monitors of a file, with references that are files beside it. Raises ConfigurationError with all mistakes."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise ConfigurationError(f"cannot read {path}: {getattr(why, 'strerror', None) or why}") from why
    monitors = parse_monitors(text, path.name)
    given = {str(p): read_profile(p) for p in profiles}
    by_name = {p.name: p for p in given.values()} | {Path(n).name: p for n, p in given.items()} | given
    problems = [*_unknown_methods(monitors)]
    found: dict[str, ReferenceProfile] = {}
    named = []
    for monitor in monitors:
        profile = by_name.get(monitor.reference or "") or _beside(path, monitor.reference)
        if profile is not None:
            found[profile.name] = profile
            problems += _wrong_model(monitor, profile)
            if monitor.contract is not None:
                problems += [
                    f"{monitor.model}: {said}" for said in unknown_names(monitor.contract, profile.grid)
                ]
        named.append(monitor if profile is None else replace(monitor, reference=profile.name))
    if problems:
        raise ConfigurationError(*problems)
    return MonitorFile(tuple(named), found)


def _beside(path: Path, reference: str | None) -> ReferenceProfile | None:
    place = path.parent / reference if reference else None
    return read_profile(place) if place is not None and place.is_file() else None


def read_profile(path: Path) -> ReferenceProfile:
    """A profile from a file. Raises ConfigurationError."""
    try:
        return profile_from_bytes(path.read_bytes())
    except OSError as why:
        raise ConfigurationError(f"cannot read the reference {path}: {why.strerror}") from why
    except FormatError as why:
        raise ConfigurationError(
            f"{path} is no reference profile, or a damaged one; make it with `driftbell reference build` ({why})"
        ) from why


def _unknown_methods(monitors: Sequence[Monitor]) -> list[str]:
    known = ", ".join(sorted(NUMERIC))
    return [
        f"{m.model}: there is no method {method!r}; methods are {known}"
        for m in monitors
        for method in {*(m.methods or ()), *(x for f in m.features.values() for x in f.methods or ())}
        if method not in NUMERIC
    ]


def _wrong_model(monitor: Monitor, profile: ReferenceProfile) -> list[str]:
    if profile.model == monitor.model:
        return []
    return [f"{monitor.model}: the reference {profile.name!r} was built for model {profile.model!r}"]


@click.command()
@_FILE
def check(path: Path) -> None:
    """Say every mistake in a monitor file, each with its line and what to do. Needs no database.

    \b
    driftbell check -f monitors.yaml
    """  # noqa: D301
    read = read_monitors(path)
    count = len(read.monitors)
    click.echo(f"{path}: {count} {'monitor' if count == 1 else 'monitors'}, no mistakes")


@click.command()
@_FILE
def apply(path: Path) -> None:
    """Store all monitors of a file, or none. A change takes effect at a pane's border, half a minute ahead.

    \b
    driftbell apply -f monitors.yaml
    """  # noqa: D301
    read = read_monitors(path)
    engine = ready_engine(load_from_environment())
    references = [to_be_stored(profile) for profile in read.profiles.values()]
    for one in apply_monitors(engine, read.monitors, references, now_ms()):
        since = (
            "" if one.since_ms < 0 or one.action == "unchanged" else f", from event time {iso(one.since_ms)}"
        )
        click.echo(f"{one.model}: {one.action}{since}")


@click.command()
@click.option("--model", "models", multiple=True, help="Only these models (may be given again).")
def export(models: tuple[str, ...]) -> None:
    """Print the stored monitors as YAML that `apply` takes.

    \b
    driftbell export > monitors.yaml
    """  # noqa: D301
    engine = ready_engine(load_from_environment())
    click.echo(export_monitors(engine, lambda model: not models or model in models), nl=False)
