"""Cases with a known truth, made of the two data sets that ship with the demo: a reference, a log, and what is wrong.

Shuffled cases are stationary but for one injected fault; natural ones keep the rows' order. A log is a function of the
case's name and numbers alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from zlib import crc32

import numpy as np

from service.demo.models import DemoModel, _training
from service.demo.small_model import design_for, fit_logistic, fit_ridge
from service.demo.tables import Features, Table, bike_rentals, power_price
from service.injection.drills import Drill
from service.injection.fault import NOTHING, Expected
from service.injection.injector import Injector, Scope, Written
from service.injection.log import ReaderLog
from service.injection.survey import survey
from service.intake.file_log_reader import FileLogReader
from service.messages import Alert, Severity, State
from service.monitor import DAY_MS, HOUR_MS, Monitor, Task, WindowSpec
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from service.wiring import make_replay
from tests.benchmarks.rivals import Cells

BIKES, POWER = "bike-rentals", "power-price"
START_MS = 1_767_225_600_000
"""2026-01-01, for streams that have no time of their own."""
_TABLES: Mapping[str, Callable[[], Table]] = {BIKES: bike_rentals, POWER: power_price}
_TASKS = {BIKES: Task.REGRESSION, POWER: Task.BINARY}
_REFERENCE_ROWS = {BIKES: 6_000, POWER: 15_000}


@dataclass(frozen=True)
class Case:
    """One stream. `within` is by how many windows after its begin a fault should have been found."""

    name: str
    model: str
    rows: int
    windows: int
    drill: Drill | None = None
    within: int = 1
    at: int | None = None
    segments: tuple[str, ...] = ()
    labels: bool = False
    natural: bool = False
    window_ms: int = HOUR_MS

    @property
    def expected(self) -> Expected:
        """What should ring."""
        return NOTHING if self.drill is None else self.drill.fault.expects()

    @property
    def start_ms(self) -> int:
        """When the first window begins."""
        return START_MS

    @property
    def fault_ms(self) -> int:
        """When the fault begins; the end where there is none."""
        return START_MS + (self.windows if self.at is None else self.at) * self.window_ms

    @property
    def quiet_windows(self) -> int:
        """How many of its windows, the first ones, have nothing wrong in them."""
        harmless = self.at is None or self.expected.is_quiet
        return self.windows if harmless else int(self.at or 0)

    @property
    def end_ms(self) -> int:
        """When the last window ends."""
        return START_MS + self.windows * self.window_ms


@dataclass(frozen=True)
class Ring:
    """An alert that somebody is told of: its window's end, and what it says."""

    at: float
    alert: Alert


@dataclass(frozen=True)
class Built:
    """A case on disk, with the rows that it was made of."""

    case: Case
    folder: Path
    model: DemoModel

    @cached_property
    def reference(self) -> Cells:
        """The reference's feature columns."""
        return _cells(self.model.table.features.rows(self.model.table.first_part))

    @property
    def events(self) -> Path:
        """The log."""
        return self.folder / "events.jsonl"

    def windows(self) -> Iterator[Cells]:
        """Feature columns of each window, as a table of the log has them: a number that came as a text is missing."""
        rows: list[list[Mapping[str, object]]] = [[] for _ in range(self.case.windows)]
        for line in self.events.open(encoding="utf-8"):
            event = json.loads(line)
            place = (_ms(event["ts"]) - START_MS) // self.case.window_ms
            if event["type"] == "prediction" and 0 <= place < len(rows):
                rows[place].append(event["features"])
        for window in rows:
            yield {name: _column(window, name, cells) for name, cells in self.reference.items()}

    def rings(self) -> Sequence[Ring]:
        """What driftbell says of it, pages and tickets, in the order of time."""
        table = self.folder / "reference.csv"
        self.model.write_training_table(table)
        score = "score" if self.model.task is Task.BINARY else None
        spec = ReferenceSpec(
            self.case.model, self.case.model, label="label", prediction="prediction", score=score,
            task=self.model.task, ordered=self.case.natural,
        )  # fmt: skip
        monitor = Monitor(
            self.case.model, self.model.task, reference=self.case.model, pane_ms=self.case.window_ms // 4,
            windows=(WindowSpec.tumbling(self.case.window_ms),), allowed_lateness_ms=4 * self.case.window_ms,
            segments=self.case.segments,
        )  # fmt: skip
        profile = build_reference(table, spec)
        run = make_replay([monitor], {self.case.model: profile}, self.events, 1, lambda _: None)
        told = [a for a in run.run().fired if a.severity is not Severity.INFO and a.state is State.FIRING]
        told.sort(key=lambda a: a.at_ms)
        return [Ring((a.at_ms - START_MS) / self.case.window_ms, a) for a in told]


def build(case: Case, folder: Path) -> Built:
    """Write the log of a case into a folder of its own."""
    random = np.random.default_rng(crc32(case.name.encode()))
    table = _TABLES[case.model]()
    rows = _REFERENCE_ROWS[case.model]
    order = np.arange(len(table.label)) if case.natural else random.permutation(len(table.label))
    model = _fitted(case.model, Table(table.features.rows(order), table.label[order], rows))
    wanted = case.rows * case.windows
    rest = np.arange(rows, len(order))
    live = rest[:wanted] if case.natural else rest[random.integers(0, len(rest), wanted)]
    made = Built(case, folder / case.name.replace("/", " per "), model)
    made.folder.mkdir(parents=True, exist_ok=True)
    _write(made, live, random)
    if case.drill is not None:
        _inject(made, case.drill)
    return made


def _fitted(name: str, table: Table) -> DemoModel:
    features, label = _training(table)
    design = design_for(features)
    matrix = design.matrix(features)
    fit = fit_ridge if _TASKS[name] is Task.REGRESSION else fit_logistic
    target = label if _TASKS[name] is Task.REGRESSION else label == "up"
    return DemoModel(name, "1", _TASKS[name], table, {}, design, fit(matrix, np.asarray(target, np.float64)))


def _write(built: Built, live: np.ndarray, random: np.random.Generator) -> None:
    case, model = built.case, built.model
    features, label = model.table.features.rows(live), model.table.label[live].tolist()
    answers = model.answer(features)
    scores = answers.scores if answers.scores is not None else np.full(len(live), np.nan)
    columns = {name: column.tolist() for name, column in {**features.numbers, **features.texts}.items()}
    step = case.window_ms / case.rows
    delays = random.exponential(case.window_ms, len(live)) if case.labels else []
    lines: list[tuple[int, int, dict[str, object]]] = []
    for i, (answer, score) in enumerate(zip(answers.predictions.tolist(), scores.tolist(), strict=True)):
        ts = START_MS + int(i * step)
        said = {"value": answer} if model.task is Task.REGRESSION else {"label": answer, "score": score}
        event = {
            "type": "prediction", "model": case.model, "version": "1", "id": f"{case.name}-{i}", "ts": ts,
            "features": {name: column[i] for name, column in columns.items()}, "prediction": said,
        }  # fmt: skip
        lines.append((ts, i, event))
        if case.labels:
            at = ts + int(delays[i])
            truth = {"type": "label", "model": case.model, "id": event["id"], "ts": at, "label": label[i]}
            lines.append((at, i, truth))
    lines.sort(key=lambda one: one[:2])
    text = "\n".join(json.dumps(event, separators=(",", ":")) for _, _, event in lines)
    built.events.write_text(text + "\n", encoding="utf-8")


def _inject(built: Built, drill: Drill) -> None:
    case, clean = built.case, built.events.with_name("clean.jsonl")
    built.events.rename(clean)
    log = ReaderLog(partial(FileLogReader, clean), clean.name)
    until = case.fault_ms + int(drill.lasts * (case.end_ms - case.fault_ms))
    scope = Scope(case.fault_ms, until, drill.share, drill.where)
    injector = Injector(drill.fault, scope, survey(log), crc32(case.name.encode()))
    records: Sequence[Written] = list(injector.run(log()))
    built.events.write_bytes(b"".join(record.value + b"\n" for record in records))
    clean.unlink()


def _cells(features: Features) -> Cells:
    return {**features.numbers, **features.texts}


def _column(rows: Sequence[Mapping[str, object]], name: str, like: np.ndarray) -> np.ndarray:
    values = [row.get(name) for row in rows]
    if like.dtype.kind == "f":
        return np.array([float(v) if isinstance(v, int | float) else np.nan for v in values])
    return np.array([v if isinstance(v, str) else "" for v in values], dtype=str)


def _ms(ts: object) -> int:
    return ts if isinstance(ts, int) else START_MS - 1


def natural(windows: int | None = None) -> list[Case]:
    """Rows in their order: bicycles by the day and by the week, electricity by the day."""
    cases = [
        Case("bicycles by the day", BIKES, 24, 474, natural=True, window_ms=DAY_MS),
        Case("bicycles by the week", BIKES, 168, 67, natural=True, window_ms=7 * DAY_MS),
        Case("electricity by the day", POWER, 48, 631, natural=True, window_ms=DAY_MS),
    ]
    return cases if windows is None else [replace(case, windows=min(windows, case.windows)) for case in cases]


def export(case: Case, folder: Path) -> None:
    """Write a case as tables, for what reads no event log. Missing cells and what came as another type are empty."""
    built = build(case, folder)
    names = list(built.reference)
    _write_table(built.folder / "reference.csv", names, [built.reference])
    _write_table(built.folder / "windows.csv", ["window", *names], _numbered(built.windows()))
    built.events.unlink()
    truth = {
        "name": case.name, "natural": case.natural, "is_fault": not case.expected.is_quiet, "within": case.within,
        "quiet": case.quiet_windows, "features": sorted(f for f in case.expected.features or names if f),
        "texts": [name for name in names if built.reference[name].dtype.kind != "f"],
    }  # fmt: skip
    (built.folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")


def _numbered(windows: Iterator[Cells]) -> Iterator[Cells]:
    for number, window in enumerate(windows):
        rows = len(next(iter(window.values())))
        yield {"window": np.full(rows, str(number)), **window}


def _write_table(path: Path, names: Sequence[str], parts: Iterable[Cells]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(names)
        for part in parts:
            cells = [["" if v != v else v for v in part[name].tolist()] for name in names]  # noqa: PLR0124 - NaN
            lines.writerows(zip(*cells, strict=True))
