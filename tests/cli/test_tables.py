"""Tables at a terminal and in a pipe: nothing that is needed is cut, and no name does anything."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from service.cli.tables import line, numbers, show, table_of, texts, whole

COLUMNS = (*whole("id"), *numbers("rows"), *texts("model"), line("what"))
ROWS = [
    ("i-5c0e8f1a2b3c4d5e", "1,234,567", "a model with a long name", "a sentence that goes on and on"),
    ("i-1", "12", "m", "short"),
]


def at_a_terminal(width: int, *rows: tuple[str | Text, ...]) -> list[str]:
    """The lines that a terminal so wide shows."""
    console = Console(
        width=width, file=io.StringIO(), force_terminal=True, highlight=False, color_system=None
    )
    show(table_of(COLUMNS, rows or ROWS, width=width), console=console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_ids_and_numbers_are_whole_at_any_width(width: int) -> None:
    first = at_a_terminal(width)[1]
    assert first.startswith("i-5c0e8f1a2b3c4d5e  1,234,567  ")


def test_where_it_is_narrow_sentences_end_with_dots_and_then_names_go_on_below() -> None:
    head, first, _ = at_a_terminal(76)
    assert len(head) == len(first) == 76
    assert first.endswith("  a model with a long name  a sentence that go…")
    _, first, below, _ = at_a_terminal(20)
    assert first.endswith("  a model with a    a sentence that…")
    assert below.split() == ["long", "name"]


def test_numbers_stand_right() -> None:
    lines = at_a_terminal(200)
    assert lines[0].index("rows") + len("rows") == lines[1].index("567") + 3 == lines[2].index("12") + 2


def test_a_pipe_gets_every_row_as_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    show(table_of(COLUMNS, [("i-1", "1", "m" * 300, "s" * 300)]), table_of(COLUMNS, ROWS, "the second"))
    first, second = capsys.readouterr().out.split("\n\n")
    assert "m" * 300 in first.splitlines()[1]
    assert "s" * 300 in first.splitlines()[1]
    assert second.splitlines()[0].rstrip() == "the second"


def test_a_name_is_no_markup_and_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    show(table_of(texts("[red]"), [("[bold]x[/bold]\x1b[2J\nnext",)], "[blue]t"))
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "[red]" in out
    assert "[blue]t" in out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 3


def test_a_cell_keeps_the_colour_that_it_was_given() -> None:
    console = Console(width=80, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(table_of(texts("verdict"), [(Text("identical", "green"),)]))
    file = console.file
    assert isinstance(file, io.StringIO)
    assert "\x1b[32midentical" in file.getvalue()
