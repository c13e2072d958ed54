"""How far a long command is: shown on a terminal, and nowhere else."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from rich.console import Console

from service.cli.log_places import records_in
from service.cli.progress import progress


def terminal() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=True, width=120, color_system=None), file


def test_a_terminal_sees_how_much_how_fast_and_how_long_it_takes() -> None:
    console, file = terminal()
    clock = [0.0]
    with progress(console=console) as bar:
        bar.get_time = lambda: clock[0]
        task = bar.add_task("replaying [log]", total=12_000)
        for second in range(1, 5):
            clock[0] = float(second)
            bar.update(task, advance=1_000)
        bar.refresh()
        shown = file.getvalue()
    assert "replaying [log]" in shown
    assert "4,000 of 12,000" in shown
    assert "1,000/s" in shown
    assert "left 0:00:08" in shown


def test_without_a_total_it_says_what_is_done() -> None:
    console, file = terminal()
    with progress(console=console) as bar:
        bar.update(bar.add_task("reading", total=None), completed=3)
        bar.refresh()
        assert " 3 " in file.getvalue()
        assert " of " not in file.getvalue()


def test_a_pipe_gets_nothing_even_where_colours_are_forced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress() as bar:
        bar.advance(bar.add_task("reading", total=1))
    assert capsys.readouterr() == ("", "")


def test_quiet_is_quiet_on_a_terminal_too() -> None:
    console, file = terminal()
    with progress(quiet=True, console=console) as bar:
        bar.advance(bar.add_task("reading", total=1))
    assert not file.getvalue()


def test_a_logs_records_are_counted_only_for_a_bar_that_is_shown(tmp_path: Path) -> None:
    log, damaged = tmp_path / "log.jsonl.gz", tmp_path / "damaged.jsonl.gz"
    log.write_bytes(gzip.compress(b"{}\n" * 7))
    damaged.write_bytes(gzip.compress(b"{}\n" * 7)[:-9])
    shown = progress(console=terminal()[0])
    assert records_in(str(log), shown) == 7
    assert records_in(str(damaged), shown) is None
    assert records_in("topic:inference-log", shown) is None
    assert records_in(str(log), progress(quiet=True)) is None
