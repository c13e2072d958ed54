"""A game day from end to end, on a small part of the demo's electricity data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pytest

from service.injection.columns import Columns
from service.injection.drills import Drill, drills
from service.injection.gameday import GameDay, ModelLog, Played, found_share
from service.injection.gaps import Missing
from service.injection.log import ReaderLog
from service.injection.survey import survey
from service.injection.verdict import Outcome
from service.intake.file_log_reader import FileLogReader
from service.messages import Alert, Cause, Column, Role, Severity, State
from service.monitor import HOUR_MS, Monitor, WindowSpec
from service.reference.profile import profile_from_bytes
from service.wiring import make_replay
from tests.injection.logs import START_MS, Event, log_of, row, rows, surveyed
from tests.injection.power import MODEL, monitor, write_game

KINDS = ("missing", "rename", "silence", "duplicates", "late", "far-future")


class Game:
    """The electricity model's log and monitor, and its game day."""

    def __init__(self, folder: Path) -> None:
        self.folder = write_game(folder, windows=8)
        self.profile = profile_from_bytes((folder / "power.profile").read_bytes())

    @cached_property
    def day(self) -> GameDay:
        """Eight windows."""
        path = self.folder / "log.jsonl"
        log = ModelLog(ReaderLog(lambda: FileLogReader(path), path.name), MODEL)
        copies = self.folder / "copies"
        copies.mkdir()
        return GameDay(survey(log, MODEL), log, monitor(), self.rings, copies)

    def rings(self, path: Path) -> Sequence[Alert]:
        """A replay."""
        return make_replay([monitor()], {MODEL: self.profile}, path, 1, lambda _: None).run().fired

    @cached_property
    def played(self) -> dict[str, Played]:
        """The drills, played."""
        wanted = drills(Columns(self.day.survey, self.day.monitor), KINDS)
        return {str(drill): self.day.play(drill) for drill in wanted}


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Game:
    """One game for all tests of this file."""
    return Game(tmp_path_factory.mktemp("game"))


def test_the_clean_log_rings_nothing(game: Game) -> None:
    assert game.day.clean.alerts == []
    assert game.day.from_ms == START_MS + 4 * HOUR_MS


@pytest.mark.slow
def test_plain_faults_are_found_and_named_in_their_first_windows(game: Game) -> None:
    for kind in ("missing", "rename", "silence"):
        verdicts = [p.verdict for name, p in game.played.items() if name.startswith(kind)]
        assert verdicts
        for verdict in verdicts:
            assert (verdict.outcome, verdict.named, verdict.false_pages) == (Outcome.FOUND, True, 0), kind
            assert verdict.delay_windows is not None
            assert verdict.delay_windows <= 3


def test_harmless_faults_are_left_alone(game: Game) -> None:
    harmless = [p for p in game.played.values() if p.drill.fault.expects().is_quiet]
    assert len(harmless) == 3
    assert all(p.verdict.outcome is Outcome.QUIET for p in harmless)
    assert all(p.hit > 0 for p in harmless)


def test_a_drill_is_told_for_programs(game: Game) -> None:
    told = next(iter(game.played.values())).document()
    assert (told["kind"], told["outcome"], told["named"], told["delay_windows"]) == (
        "missing",
        "found",
        True,
        1.0,
    )
    assert told["expected_causes"] == ["missing"]
    assert told["alert"]["cause"] == "missing"


def test_the_share_is_of_what_should_ring(game: Game) -> None:
    assert found_share(list(game.played.values())) == 1.0
    assert found_share([p for p in game.played.values() if p.drill.fault.expects().is_quiet]) == 1.0
    assert found_share([]) == 1.0


# ---------------------------------------------------------------- without a real monitor
def fake_day(folder: Path, rings: object) -> GameDay:
    """A hundred and ten rows, and a monitor that rings as told."""
    events = rows(110)
    made = Monitor("churn", windows=(WindowSpec.tumbling(600_000), WindowSpec.tumbling(HOUR_MS)))
    return GameDay(surveyed(events), log_of(events), made, rings, folder)  # type: ignore[arg-type] - a plain function


def alert(at_ms: int) -> Alert:
    """A page on the amount."""
    return Alert(
        "a", "i", "churn", "1", "", "10m", Column(Role.FEATURE, "amount"), "missing", Cause.MISSING, Severity.PAGE,
        State.FIRING, at_ms, at_ms, "missing",
    )  # fmt: skip


def test_the_clean_log_is_replayed_once_and_each_copy_takes_the_place_of_the_last(tmp_path: Path) -> None:
    replayed: list[int] = []

    def rings(path: Path) -> Sequence[Alert]:
        replayed.append(path.read_bytes().count(b'"amount":null'))
        return [alert(START_MS + 60 * 60_000)] if replayed[-1] else []

    day = fake_day(tmp_path, rings)
    played = [day.play(Drill(Missing("amount"))) for _ in range(2)]
    assert replayed == [0, 60, 60]
    assert [p.verdict.delay_windows for p in played] == [1.0, 1.0]
    assert len(list(tmp_path.iterdir())) == 1
    assert day.from_ms == START_MS + 50 * 60_000


def test_a_drill_that_ends_leaves_the_rest_of_the_log(tmp_path: Path) -> None:
    day = fake_day(tmp_path, lambda _: [])
    assert (day.scope(Drill(Missing("amount"), lasts=0.5)).to_ms - day.from_ms) // 60_000 == 20
    assert day.scope(Drill(Missing("amount"))).to_ms > day.survey.last_ms


def test_a_models_log_holds_what_is_its_own_or_nobodys_up_to_a_time() -> None:
    events: list[Event | bytes] = [row(0), {**row(1), "model": "fraud"}, b"junk", row(2), row(3), row(4)]
    cut = ModelLog(log_of(events), "churn", START_MS + 3 * 60_000)
    assert [r.value[:4] for r in cut()].count(b"junk") == 1
    assert len(list(cut())) == 3
