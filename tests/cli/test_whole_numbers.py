"""What is no whole number is told what one is asked for."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from service.cli.main import main


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["dead-letters", "show", "inference", "x", "1"], "'x' is not a whole number of 0 or more"),
        (["dead-letters", "show", "inference", "0", "1.5"], "'1.5' is not a whole number of 0 or more"),
        (["dead-letters", "list", "--before", "x"], "'x' is not a whole number of 1 or more"),
        (["incidents", "list", "--limit", "ten"], "'ten' is not a whole number from 1 to 10,000"),
        (["incidents", "list", "--limit", "0"], "0 is not in the range 1<=x<=10000"),
    ],
)
def test_what_is_no_whole_number_is_told_what_is(command: list[str], said: str) -> None:
    failed = CliRunner().invoke(main, command)
    assert failed.exit_code == 2
    assert said in failed.stderr
