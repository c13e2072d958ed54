"""Monitors, their versions, grids and references, as stored; every change raises one revision number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from service.configuration import ALWAYS_MS, Configuration, ModelVersion
from service.contract.grids import grid_for
from service.errors import ConfigurationError
from service.monitor import Monitor
from service.monitor_file import dump_monitors, parse_monitors
from service.sketches.codec import grid_from_bytes, grid_to_bytes
from service.sketches.grids import Grid
from service.store.engine import make_durable, transaction
from service.store.tables import grid, model_version, reference, revision, source_partition

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping

_SETTLE_MS = 30_000
_APPLIED, _LEARNED = "applied", "learned"


@dataclass(frozen=True, slots=True)
class StoredReference:
    """A reference profile's bytes, and what is needed of it without reading them; `answers` None: it has no labels."""

    name: str
    model: str
    grid: Grid
    rows: int
    profile: bytes
    answers: bytes | None = None


def load_configuration(engine: Engine) -> Configuration:
    """All models' versions as of one revision."""
    with transaction(engine) as connection:
        return _load(connection)


def _load(connection: Connection) -> Configuration:
    number = connection.execute(select(revision.c.number)).scalar_one()
    rows = (
        connection.execute(select(model_version).order_by(model_version.c.model, model_version.c.number))
        .mappings()
        .all()
    )
    wanted = {row["grid_id"] for row in rows}
    found = connection.execute(select(grid).where(grid.c.id.in_(wanted))).mappings()
    grids = {row["id"]: grid_from_bytes(row["definition"]) for row in found}
    models: dict[str, list[ModelVersion]] = {}
    for row in rows:
        monitor = parse_monitors(row["monitor"], f"stored monitor {row['model']}")[0]
        made = ModelVersion(
            monitor, grids[row["grid_id"]], row["number"], row["since_ms"], row["reference_name"]
        )
        models.setdefault(row["model"], []).append(made)
    origins = {row["model"]: row["origin"] for row in rows}  # of the newest version, which comes last
    return Configuration(models, number, sum(origin == _LEARNED for origin in origins.values()))


def current_revision(engine: Engine) -> int:
    """The revision number, to see whether anything changed."""
    with transaction(engine) as connection:
        return int(connection.execute(select(revision.c.number)).scalar_one())


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying did to one model."""

    model: str
    action: str
    since_ms: int


def apply_monitors(
    engine: Engine, monitors: Sequence[Monitor], references: Iterable[StoredReference], now_ms: int
) -> tuple[Applied, ...]:
    """Store all monitors and the references that come with them, or none: one transaction.

    A changed monitor is a new version from a pane's border that no partition has reached. Raises ConfigurationError
    with every reference that is neither given nor stored.
    """
    with transaction(engine) as connection:
        only_we_configure(connection)
        return apply_within(connection, monitors, references, now_ms)


def only_we_configure(connection: Connection) -> None:
    """Let no other change of monitors and references happen until this transaction, which is durable, has ended."""
    make_durable(connection)
    connection.execute(select(revision.c.number).with_for_update())


def apply_within(
    connection: Connection, monitors: Sequence[Monitor], references: Iterable[StoredReference], now_ms: int
) -> tuple[Applied, ...]:
    """`apply_monitors` as a part of a transaction that configures alone and decides more than this."""
    replaced = [_put_reference(connection, one) for one in references]
    _require_references(connection, monitors)
    border = _untouched_border(connection, now_ms)
    applied = tuple(_apply(connection, monitor, border) for monitor in monitors)
    if any(replaced) or any(one.action != "unchanged" for one in applied):
        _raise_revision(connection)
    return applied


def _raise_revision(connection: Connection) -> None:
    connection.execute(update(revision).values(number=revision.c.number + 1))


def _require_references(connection: Connection, monitors: Sequence[Monitor]) -> None:
    stored = set(connection.execute(select(reference.c.name)).scalars())
    known = ", ".join(sorted(stored)) or "none yet"
    missing = [
        f"{m.model}: there is no reference {m.reference!r} (stored: {known}); build it with `driftbell reference build`"
        for m in monitors
        if m.reference and m.reference not in stored
    ]
    if missing:
        raise ConfigurationError(*missing)


def _untouched_border(connection: Connection, now_ms: int) -> int:
    highest = connection.execute(select(func.max(source_partition.c.highest_ms))).scalar()
    return max(now_ms, highest or 0) + _SETTLE_MS


def _apply(connection: Connection, monitor: Monitor, border_ms: int) -> Applied:
    of_model = model_version.c.model == monitor.model
    last = (
        connection.execute(
            select(model_version).where(of_model).order_by(model_version.c.number.desc()).limit(1)
        )
        .mappings()
        .first()
    )
    document, grid_id = dump_monitors([monitor]), _grid_of(connection, monitor)
    if last is not None and (last["monitor"], last["grid_id"], last["reference_name"]) == (
        document,
        grid_id,
        monitor.reference,
    ):
        return _adopt(connection, last)
    # Never before the version it follows, which may not have begun: the order of versions is that of their times.
    since = (
        ALWAYS_MS
        if last is None
        else -(-max(border_ms, last["since_ms"]) // monitor.pane_ms) * monitor.pane_ms
    )
    connection.execute(
        insert(model_version).values(
            model=monitor.model, number=1 if last is None else last["number"] + 1, since_ms=since, monitor=document,
            reference_name=monitor.reference, grid_id=grid_id,
        )
    )  # fmt: skip
    return Applied(monitor.model, "created" if last is None else "changed", since)


def _adopt(connection: Connection, last: RowMapping) -> Applied:
    """The version as it is: one that was learned is a person's from now on, and takes no place of those."""
    if last["origin"] == _APPLIED:
        return Applied(last["model"], "unchanged", last["since_ms"])
    of_version = (model_version.c.model == last["model"], model_version.c.number == last["number"])
    connection.execute(update(model_version).where(*of_version).values(origin=_APPLIED))
    return Applied(last["model"], "changed", last["since_ms"])


def _grid_of(connection: Connection, monitor: Monitor) -> str:
    return _put_grid(connection, grid_for(monitor, _reference_grid(connection, monitor.reference)))


def _reference_grid(connection: Connection, name: str | None) -> Grid:
    if not name:
        return Grid()
    query = select(grid.c.definition).join(reference, reference.c.grid_id == grid.c.id)
    return grid_from_bytes(connection.execute(query.where(reference.c.name == name)).scalar_one())


def _put_grid(connection: Connection, made: Grid) -> str:
    connection.execute(
        upsert(grid).values(id=made.id, definition=grid_to_bytes(made)).on_conflict_do_nothing()
    )
    return made.id


def _put_reference(connection: Connection, one: StoredReference) -> bool:
    """Store it; returns whether another one stood under its name, which evaluators may have read already."""
    query = select(reference.c.profile, reference.c.grid_id).where(reference.c.name == one.name)
    before = connection.execute(query.with_for_update()).first()
    if before is not None and (bytes(before.profile), before.grid_id) == (one.profile, one.grid.id):
        return False
    values = {
        "model": one.model,
        "grid_id": _put_grid(connection, one.grid),
        "profile": one.profile,
        "rows": one.rows,
        "answers": one.answers,
    }
    statement = upsert(reference).values(name=one.name, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[reference.c.name], set_={**values, "created_at": func.now()}
        )
    )
    return before is not None


def store_reference(engine: Engine, one: StoredReference, *, must_be_new: bool = False) -> None:
    """Store a reference under its name; evaluators score against it from their next turn on.

    Raises ConfigurationError when one of another model has the name, or (`must_be_new`) any has.
    """
    with transaction(engine) as connection:
        only_we_configure(connection)
        refuse_to_replace(connection, one.name, one.model, must_be_new=must_be_new)
        if _put_reference(connection, one):
            _raise_revision(connection)


def refuse_to_replace(connection: Connection, name: str, model: str, *, must_be_new: bool) -> None:
    """Raise ConfigurationError when a reference of another model has the name, or (`must_be_new`) any has."""
    stored = connection.execute(select(reference.c.model).where(reference.c.name == name)).scalar()
    if stored is not None and stored != model:
        raise ConfigurationError(
            f"the reference {name!r} is of another model, {stored!r}, and stays; give another name"
        )
    if stored is not None and must_be_new:
        raise ConfigurationError(f"there is a reference {name!r} already; give another name")


def load_reference(engine: Engine, name: str) -> bytes | None:
    """The bytes of a stored profile; None when there is none of that name."""
    with transaction(engine) as connection:
        return reference_bytes(connection, name)


def reference_bytes(connection: Connection, name: str) -> bytes | None:
    """The same, as a part of a transaction."""
    found = connection.execute(select(reference.c.profile).where(reference.c.name == name)).scalar()
    return None if found is None else bytes(found)


def learn_models(connection: Connection, names: Iterable[str]) -> None:
    """Give models that were met without a monitor a default one, inside the checkpoint that met them."""
    grid_id = _put_grid(connection, Grid())
    values = [
        {"model": name, "number": 1, "since_ms": ALWAYS_MS, "monitor": dump_monitors([Monitor(model=name)]),
         "grid_id": grid_id,
         "origin": _LEARNED}
        for name in names
    ]  # fmt: skip
    made = connection.execute(
        upsert(model_version).on_conflict_do_nothing().returning(model_version.c.model), values
    ).all()
    if made:
        _raise_revision(connection)


def export_monitors(engine: Engine, keep: Callable[[str], bool] = lambda _: True) -> str:
    """The YAML of every model's newest monitor."""
    configuration = load_configuration(engine)
    newest = [versions[-1].monitor for model, versions in configuration.models.items() if keep(model)]
    return dump_monitors(newest)


def load_grid(engine: Engine, grid_id: str) -> bytes | None:
    """The bytes of a stored grid."""
    with transaction(engine) as connection:
        found = connection.execute(select(grid.c.definition).where(grid.c.id == grid_id)).scalar()
    return None if found is None else bytes(found)
