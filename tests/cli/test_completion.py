"""Shells complete commands, options and choices, and no command is loaded for its name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from service.cli.main import main

DRIFTBELL = "import sys; sys.argv[0] = 'driftbell'; from service.cli import main; main()"


def answer(instruction: str, words: str = "", at: int = 0) -> list[str]:
    """What the command says to a shell that asks."""
    asked = {"_DRIFTBELL_COMPLETE": instruction, "COMP_WORDS": words, "COMP_CWORD": str(at)}
    said = subprocess.run(
        [sys.executable, "-c", DRIFTBELL], env=os.environ | asked, capture_output=True, text=True, check=True
    )
    return said.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        ("driftbell do", 1, ["plain,doctor"]),
        ("driftbell re", 1, ["plain,reference", "plain,replay", "plain,report"]),
        ("driftbell incidents m", 2, ["plain,mark"]),
        ("driftbell doctor --j", 2, ["plain,--json"]),
    ],
)
def test_bash_completes_commands_and_options(words: str, at: int, expected: list[str]) -> None:
    assert answer("bash_complete", words, at) == expected


def test_every_command_is_completed() -> None:
    completed = {line.partition(",")[2] for line in answer("bash_complete", "driftbell ", 1)}
    assert completed == set(main.list_commands(None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("instruction", "line"),
    [
        ("bash_source", "    complete -o nosort -F _driftbell_completion driftbell"),
        ("zsh_source", "#compdef driftbell"),
        ("fish_source", 'complete --no-files --command driftbell --arguments "(_driftbell_completion)";'),
    ],
)
def test_each_shell_gets_a_script_that_switches_it_on(instruction: str, line: str) -> None:
    assert line in answer(instruction)


def test_names_are_completed_without_loading_the_commands() -> None:
    program = (
        "import sys, click; from service.cli.main import main\n"
        "names = [one.value for one in main.shell_complete(click.Context(main), 'ver')]\n"
        "print(names, 'service.cli.verify' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "['verify'] False\n"
