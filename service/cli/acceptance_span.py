"""The time that is to become the new normal, as it is asked for on the command line."""

from __future__ import annotations

from service.accepting import USUAL_MS, AskedSpan
from service.cli.times import span_of, time_of
from service.errors import ConfigurationError


def asked_span(since: str | None, until: str | None, last: str | None) -> AskedSpan:
    """What --from, --to and --last say together."""
    if last is not None and since is not None:
        raise ConfigurationError("say --from or --last, not both")
    return AskedSpan(
        None if since is None else time_of(since, "--from"),
        None if until is None else time_of(until, "--to"),
        USUAL_MS if last is None else span_of(last, "--last"),
        f"--to {until}",
    )
