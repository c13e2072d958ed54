"""The `driftbell` command and what all its commands share."""

from __future__ import annotations

import importlib
import sys
from io import TextIOWrapper

import click
from click.shell_completion import CompletionItem

from service import __version__
from service.errors import ConfigurationError, DriftbellError, FormatError
from service.parsers import nearest

_COMMANDS = {
    "demo": "service.cli.demo:demo",
    "demo-traffic": "service.cli.demo:demo_traffic",
    "migrate": "service.cli.roles:migrate",
    "collect": "service.cli.roles:collect",
    "evaluate": "service.cli.roles:evaluate",
    "serve": "service.cli.roles:serve",
    "run": "service.cli.roles:run",
    "sniff": "service.cli.sniff:sniff",
    "apply": "service.cli.monitors:apply",
    "check": "service.cli.monitors:check",
    "export": "service.cli.monitors:export",
    "reference": "service.cli.reference:reference",
    "contract": "service.cli.contract:contract",
    "replay": "service.cli.replay:replay",
    "inject": "service.cli.inject:inject",
    "gameday": "service.cli.gameday:gameday",
    "tune": "service.cli.tune:tune",
    "top": "service.cli.top:top",
    "partitions": "service.cli.partitions:partitions",
    "incidents": "service.cli.incidents:incidents",
    "report": "service.cli.report:report",
    "performance": "service.cli.performance:performance",
    "slices": "service.cli.slices:slices",
    "health": "service.cli.health:health",
    "labels": "service.cli.labels:labels",
    "compare": "service.cli.compare:compare",
    "feedback": "service.cli.feedback:feedback",
    "score": "service.cli.score:score",
    "dead-letters": "service.cli.dead_letters:dead_letters",
    "keys": "service.cli.keys:keys",
    "verify": "service.cli.verify:verify",
    "doctor": "service.cli.doctor:doctor",
    "settings": "service.cli.settings:settings",
}


class Commands(click.Group):
    """Loads a command's module only when it is wanted, and turns our errors into sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command that there is not is told which was probably meant; click itself looks at loaded ones only."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            meant = nearest(name, _COMMANDS)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {meant!r}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names alone: what each is for would take as long as to load them all."""
        names = [CompletionItem(name) for name in _COMMANDS if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            sys.exit(_say(error.problems, 2))
        except (DriftbellError, FormatError) as error:
            sys.exit(_say((str(error),), 3))


def _say(problems: tuple[str, ...], code: int) -> int:
    for problem in problems:
        click.secho(f"driftbell: {problem}", fg="red", err=True)
    return code


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="driftbell")
def main() -> None:
    """Notices when a machine-learning model dies quietly.

    \b
    Try it:          driftbell demo
    Set it up:       driftbell migrate
                     driftbell reference build --model churn --data training.csv --label churned
                     driftbell apply -f monitors.yaml
    Run it:          driftbell collect | evaluate | serve   (or `driftbell run`: all three on one host)
    Ask it:          driftbell replay --monitors monitors.yaml --events log.jsonl --out out.jsonl --summary

    Settings come from the environment; `driftbell settings` lists them.
    """  # noqa: D301 - click reads \b
    if isinstance(sys.stdout, TextIOWrapper) and "utf" not in sys.stdout.encoding.lower():
        sys.stdout.reconfigure(errors="replace")  # a sign that the terminal lacks ends no command
