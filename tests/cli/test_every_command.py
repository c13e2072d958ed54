"""What every command has: help by example, and facts for programs."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from service.cli.main import main

WITHOUT_JSON = {
    "demo": "tells a story until it is stopped",
    "demo-traffic": "sends events until it is stopped",
    "migrate": "does one thing, and says that it is done",
    "collect": "runs until it is stopped, and logs",
    "evaluate": "runs until it is stopped, and logs",
    "serve": "runs until it is stopped, and logs",
    "run": "runs until it is stopped, and logs",
    "apply": "says for each monitor what became of it; `export` has the facts",
    "check": "says mistakes, each with its line, or none",
    "export": "prints YAML that `apply` takes, for programs as for people",
    "reference build": "makes a reference; `reference show --json` tells of it",
    "reference learn": "makes a reference; `reference show --json` tells of it",
    "reference accept": "asks and does; `reference history --json` tells of it",
    "contract infer": "prints YAML that a monitor takes, for programs as for people",
    "replay": "its --out is a JSON object a line",
    "inject": "writes a log",
    "partitions reset": "does one thing, and says that it is done",
    "partitions resume": "does one thing, and says that it is done",
    "incidents mark": "does one thing; `incidents show --json` tells of it",
    "incidents ack": "does one thing; `incidents show --json` tells of it",
    "incidents release": "does one thing; `incidents show --json` tells of it",
    "incidents silence": "does one thing, and says for how long",
    "incidents unsilence": "does one thing, and says that it is done",
    "incidents expect": "does one thing, and says for how long",
    "dead-letters export": "prints a JSON object a line, to all",
    "dead-letters replay": "asks and writes",
    "keys create": "prints the key and nothing else",
    "keys revoke": "does one thing; `keys list --json` tells of it",
}


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by what one types for it; the kinds of `inject` are one."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group) and name != "inject":
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


ALL = dict(commands())


@pytest.mark.parametrize("name", ALL)
def test_help_has_an_example_that_can_be_typed(name: str) -> None:
    told = ALL[name].help or ""
    examples = told.partition("\b\n")[2]
    assert any(
        line.startswith(f"driftbell {name}") or f" driftbell {name}" in line for line in examples.splitlines()
    ), told


@pytest.mark.parametrize("name", ALL)
def test_what_prints_facts_prints_them_for_programs_too(name: str) -> None:
    takes_json = any("--json" in one.opts for one in ALL[name].params)
    assert takes_json is not (name in WITHOUT_JSON)


def test_every_exception_is_a_command() -> None:
    assert WITHOUT_JSON.keys() <= ALL.keys()
