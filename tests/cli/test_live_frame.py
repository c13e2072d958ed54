"""The frame of `driftbell top` in terminals of any size, and what names may do in it: nothing."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from service.cli.live_frame import Room, frame_of, sparkline
from service.cli.live_state import Halted, LiveState, Pipeline
from service.monitor import HOUR_MS
from service.store.incidents import IncidentRow
from service.store.queries import OpenAlerts
from service.web.api.overview import BudgetSpent, OverviewModel, Spark
from service.web.condition import ModelState
from tests.web.seeding import HOSTILE_NAMES, NOW_MS

QUIET = Pipeline(2, 0, (), {})


def model(
    name: str, state: ModelState = ModelState.WELL, *percents: int | None, incidents: int = 0
) -> OverviewModel:
    windows = [*[None] * (48 - len(percents)), *percents]
    return OverviewModel(
        model=name, state=state, sentence="", versions=["1"], reference_name=name, events_a_minute=1_200.0,
        last_event_ms=NOW_MS - 12_000, last_label_ms=None, last_window_end_ms=NOW_MS,
        spark=Spark(window="5m", every_ms=300_000, last_end_ms=NOW_MS, percents=windows),
        budget=BudgetSpent(promised=1, per_ms=HOUR_MS, marked_false=0, unmarked=0, spent=0, expected=0),
        open_incidents=incidents, worst_incidents=[], open_alerts=OpenAlerts(),
    )  # fmt: skip


def incident(number: int = 1, summary: str = "weight is in lb") -> IncidentRow:
    return IncidentRow(
        f"i-5c0e8f1a2b3c4d5{number}", "churn", "firing", "page", "unit_change", "1", "", "weight", summary,
        NOW_MS - HOUR_MS, None, NOW_MS, NOW_MS, 1, None, None, None, None,
    )  # fmt: skip


def looked(
    *models: OverviewModel, incidents: tuple[IncidentRow, ...] = (), pipeline: Pipeline = QUIET
) -> LiveState:
    totals: dict[str, int] = {}
    for one in models:
        totals[one.state.value] = totals.get(one.state.value, 0) + 1
    return LiveState(NOW_MS, totals, models, incidents, pipeline)


def lines(state: LiveState, width: int = 120, height: int | None = None, *, plain: bool = False) -> list[str]:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(frame_of(state, Room(width, height, plain=plain), "q ends it"), crop=False)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


MANY = looked(
    *(model(f"model-{n:02}-with-a-long-name", ModelState.ALERT, 20, 340, incidents=1) for n in range(40)),
    incidents=tuple(incident(n) for n in range(9)),
    pipeline=Pipeline(
        3, 1_234, (Halted("events", 2, "its id differs"),), {"bad_json": 1_100, "unknown_model": 3}
    ),
)


@pytest.mark.parametrize("width", [40, 53, 54, 65, 66, 79, 80, 89, 90, 109, 110, 129, 130, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(cell_len(line) for line in lines(MANY, width)) <= width


@pytest.mark.parametrize("height", [12, 24, 40])
def test_a_frame_is_not_taller_than_the_terminal_and_counts_what_it_leaves_out(height: int) -> None:
    shown = lines(MANY, 120, height)
    assert len(shown) <= height
    assert any("more models" in line for line in shown)
    assert any("more open incidents" in line for line in shown)
    assert shown[-1].startswith("q ends it")


def test_without_a_height_all_is_shown() -> None:
    shown = "\n".join(lines(MANY, 160))
    assert all(f"model-{n:02}-with-a-long-name" in shown for n in range(40))
    assert "more models" not in shown


def test_the_narrower_the_fewer_columns_but_never_the_state_the_name_and_the_number() -> None:
    heads = [lines(MANY, width)[1].split("  ") for width in (40, 54, 66, 80, 90, 130)]
    counts = [len([cell for cell in head if cell.strip()]) for head in heads]
    assert counts == [3, 4, 5, 6, 7, 8]
    assert all(line.split()[0] == "Alert" for line in lines(MANY, 40)[2:42])
    assert all("340 %" in line for line in lines(MANY, 40)[2:42])


def test_a_bar_is_as_tall_as_the_share_of_the_limit_and_taller_only_above_it() -> None:
    drawn = sparkline([None, 0, 50, 100, 101, 200, 9_999])
    assert drawn.plain == "·▁▄▆▇██"
    assert [str(span.style) for span in drawn.spans] == ["dim", *["green"] * 3, *["bold red"] * 3]


def test_a_terminal_without_such_signs_gets_others() -> None:
    text = "\n".join(lines(looked(model("churn", ModelState.WELL, 20, 340)), 120, plain=True))
    assert text.isascii()


def test_a_silent_model_and_one_that_was_never_scored_say_so() -> None:
    never = model("quiet", ModelState.WAITING).model_copy(
        update={"last_event_ms": None, "events_a_minute": None}
    )
    row = lines(looked(never))[2]
    assert row.split() == ["Waiting", "quiet", "·" * 24, "-", "-", "never"]


def test_who_is_not_well_says_why_where_there_is_room() -> None:
    late = model("late", ModelState.UNSCORED).model_copy(
        update={"sentence": "No window was scored for an hour."}
    )
    well = model("well").model_copy(update={"sentence": "Nothing is over its limit."})
    shown = "\n".join(lines(looked(late, well), 160))
    assert "No window was scored for an hour." in shown
    assert "Nothing is over its limit." not in shown


def test_who_has_an_incident_stands_beside_it() -> None:
    taken = replace(incident(), acknowledged_by="anna")
    (line,) = [line for line in lines(looked(incidents=(taken,))) if taken.id in line]
    assert "page for 1h, anna has it  weight is in lb" in line


def test_the_pipeline_says_what_halts_and_why() -> None:
    shown = lines(MANY)
    assert any("1 halted of 3 partitions, 1,234 records behind, 1,103 dead letters" in line for line in shown)
    assert any(line.strip() == "HALTED events 2: its id differs" for line in shown)
    many = Pipeline(9, None, tuple(Halted("events", n, "why") for n in range(9)), {})
    shown = lines(replace(MANY, pipeline=many))
    assert any("nobody reads" in line for line in shown)
    assert any("and 6 more halted" in line for line in shown)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_text_and_end_no_line(name: str) -> None:
    halted = Pipeline(1, 0, (Halted(name, 0, f"{name}\x1b[2J"),), {name: 1})
    state = looked(
        model(name, ModelState.ALERT, 340), incidents=(incident(1, f"{name}\x1b]0;x\x07"),), pipeline=halted
    )
    shown = lines(state)
    assert len(shown) == len(
        lines(looked(model("a"), incidents=(incident(),), pipeline=Pipeline(1, 0, halted.halted, {})))
    )
    assert not any(sign in "".join(shown) for sign in ("\x1b", "\x07", "\u202e"))
