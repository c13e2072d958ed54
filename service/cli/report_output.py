"""How a report is shown: as Markdown, HTML or JSON, in the terminal or in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.reports.markdown import markdown_of
from service.web.report_page import html_of

if TYPE_CHECKING:
    from service.reports.document import Report

_FORMATS = {"markdown": markdown_of, "html": html_of}


@dataclass(frozen=True, slots=True)
class Shown:
    """How a report is wanted, and where: `out` None is the standard output."""

    form: str
    out: Path | None

    def show(self, report: Report) -> None:
        """Write it there. Raises ConfigurationError for a file that cannot be written."""
        text = (
            json.dumps(asdict(report), default=sorted) + "\n"
            if self.form == "json"
            else _FORMATS[self.form](report)
        )
        if self.out is None:
            click.echo(text.encode() if self.form == "html" else text, nl=False)
            return
        try:
            self.out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"cannot write {self.out}: {error.strerror}") from None
        click.echo(f"wrote {visible(str(self.out))}, {len(text.encode()):,} bytes")


def shown_as_asked(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that say how its report is shown, as one `shown`."""

    def call(form: str, out: Path | None, *, as_json: bool, **others: Any) -> None:
        command(shown=Shown("json" if as_json else form, out), **others)

    call.__doc__ = command.__doc__
    call.__name__ = command.__name__
    options = (
        click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="markdown",
                     show_default=True, help="Markdown for a ticket, or one HTML file that needs nothing else."),
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file."),
        click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object."),
    )  # fmt: skip
    wrapped: Callable[..., None] = call
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
