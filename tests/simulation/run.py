"""One seed: choose what happens, let it happen, end all faults, read to the end, and judge."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from service.messages import UnknownModels
from tests.simulation.happenings import HAPPENINGS, INTERRUPTING, undeafen
from tests.simulation.judge import judge
from tests.simulation.traffic import MONITORS
from tests.simulation.world import Trace, World

STEPS = 120
MOST_TURNS_TO_END = 600
"""A fenced partition waits a minute, a retry up to half of one: in turns of a second, twice that and more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed: the trace's hash, which kinds of things could happen, and all that was wrong."""

    seed: int
    digest: str
    kinds: tuple[str, ...]
    problems: tuple[str, ...]
    lines: tuple[str, ...] = ()

    @property
    def reproduction(self) -> str:
        """The command that shows it once more."""
        return f"python -m tests.simulation --seed {self.seed}"


def run(seed: int, *, keep_trace: bool = False) -> Outcome:
    """The whole life of one simulated installation; the same seed gives the same trace."""
    random = Random(seed)
    world, kinds = _made(random, Trace(keep_trace))
    for _ in range(STEPS):
        world.clock.move(random.uniform(0.05, 1.2))
        _happen(world, kinds)
    problems = [] if _ended(world) else [f"it does not come to the end: {_unfinished(world)}"]
    problems += judge(world)
    world.trace(repr(sorted(world.store.tables.rows.items())))
    return Outcome(seed, world.trace.digest, kinds, tuple(problems), tuple(world.trace.lines))


def _made(random: Random, trace: Trace) -> tuple[World, tuple[str, ...]]:
    """A world with some of the kinds of faults, and the names of what can happen in it."""
    optional = [name for name, one in HAPPENINGS.items() if not one.always]
    chosen = set(random.sample(optional, random.randint(0, 8)))
    kinds = tuple(name for name, one in HAPPENINGS.items() if one.always or name in chosen)
    topics = random.choice((("events",), ("events",), ("events", "labels")))
    unknown = random.choice((UnknownModels.LEARN, UnknownModels.QUARANTINE, UnknownModels.IGNORE))
    world = World(random, topics, unknown, eager=random.random() < 0.3, trace=trace)
    for name in topics:
        world.cluster.create(name, random.randint(1, 3))
    weather = world.weather
    weather.unreached, weather.reply_lost = random.choice((0, 0, 0.03)), random.choice((0, 0, 0.03, 0.1))
    weather.death, weather.interruption = random.choice((0, 0, 0.02)), random.choice((0, 0.05, 0.2))
    world.traffic.oddity = random.choice((0.0, 0.2, 0.5))
    world.traffic.untimed = random.choice((frozenset(), frozenset(), frozenset({0})))
    between = tuple(name for name in INTERRUPTING if name in kinds)
    world.meanwhile = lambda: _happen(world, between)
    world.store.apply(*MONITORS)
    trace(f"kinds {kinds}, topics {topics}, unknown {unknown}, {weather.chances}")
    world.start()
    return world, kinds


def _happen(world: World, kinds: tuple[str, ...]) -> None:
    (name,) = world.random.choices(kinds, [HAPPENINGS[kind].weight for kind in kinds])
    world.trace(f"{world.clock.seconds:.3f} {name}")
    HAPPENINGS[name].act(world)


def _ended(world: World) -> bool:
    """No more faults: read to the end."""
    world.trace("no more faults")
    world.weather.clear()
    world.cluster.away = world.cluster.shy = False
    undeafen(world)
    for turns in range(MOST_TURNS_TO_END):
        world.clock.move(1.0)
        if turns % 5 == 0:
            world.bury()
        if not world.workers:
            world.start()
        for _, worker in sorted(world.workers.items()):
            world.turn(worker)
        if turns % 15 == 14:
            world.evaluating.turn()
            if not _unfinished(world):
                return True
    return False


def _unfinished(world: World) -> list[str]:
    said = []
    for partition in world.cluster.partitions():
        row, log = world.store.tables.rows.get(partition), world.cluster.log(partition)
        if row is None:
            said.append(f"{partition} was never claimed")
        elif row.halted is None and not log.read_to_end_at <= row.next_offset <= log.end:
            said.append(f"{partition} is at {row.next_offset} of {log.read_to_end_at}")
        elif row.halted is None and str(world.cluster.topics[partition.topic].id) != row.topic_id:
            said.append(f"{partition} is another topic than before, and goes on")
    return said
