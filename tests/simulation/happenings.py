"""All that can happen, by name; a seed chooses which of these do, how often, and when.

Not every seed has every kind: a few kinds at a time reach states that all of them together would hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from service.messages import Partition
from tests.simulation.cluster import Record
from tests.simulation.traffic import MONITORS
from tests.simulation.world import Worker, World

MOST_WORKERS = 3
MOST_PARTITIONS = 5


@dataclass(frozen=True, slots=True)
class Happening:
    """`weight` is how often it happens beside a turn of a worker, which has 100."""

    act: Callable[[World], None]
    weight: float
    always: bool = False


def _worker(world: World) -> Worker | None:
    return (
        world.random.choice(sorted(world.workers.values(), key=lambda w: w.name)) if world.workers else None
    )


def _partition(world: World) -> Partition:
    return world.random.choice(world.cluster.partitions())


def turn(world: World) -> None:
    """A worker goes on."""
    worker = _worker(world)
    if worker is not None:
        world.turn(worker)


def write(world: World) -> None:
    """Producers write to a partition, unless an election there has not been noticed yet.

    Without a stored leader epoch, nobody could tell what was written in place of what had been read before.
    """
    partition = _partition(world)
    if world.is_noticed(partition):
        count = world.random.choice((1, 3, 8, 20))
        world.cluster.log(partition).append(*world.traffic.records(partition, world.now_ms(), count))
        world.trace(f"{count} records to {partition.number}")


def evaluate(world: World) -> None:
    """The evaluator looks at all models."""
    world.evaluating.turn()


def start(world: World) -> None:
    """One more worker."""
    if len(world.workers) < MOST_WORKERS:
        world.start()


def stop(world: World) -> None:
    """A worker is told to stop."""
    worker = _worker(world)
    if worker is not None:
        world.stop(worker)


def kill(world: World) -> None:
    """A worker dies between two turns."""
    worker = _worker(world)
    if worker is not None:
        world.kill(worker)


def bury(world: World) -> None:
    """The group gives up its dead."""
    world.bury()


def expire_member(world: World) -> None:
    """The group gives up somebody who lives, and will hear of it at the next poll."""
    worker = _worker(world)
    if worker is not None and worker.source.member is not None:
        world.trace(f"{worker.name} is given up by the group")
        world.group.leave(worker.source.member)


def deafen(world: World) -> None:
    """Somebody who lives is given up, and does not hear of it: a zombie."""
    worker = _worker(world)
    if worker is not None and worker.source.member is not None:
        world.trace(f"{worker.name} is a zombie")
        worker.source.member.deaf = True
        world.group.leave(worker.source.member)


def undeafen(world: World) -> None:
    """All zombies hear again."""
    for _, worker in sorted(world.workers.items()):
        if worker.source.member is not None:
            worker.source.member.deaf = False


def rebalance(world: World) -> None:
    """The partitions are dealt anew."""
    world.trace("rebalance")
    world.group.rebalance()


def database_away(world: World) -> None:
    """An outage of the database begins or ends."""
    world.weather.away = not world.weather.away
    world.trace(f"the database is away: {world.weather.away}")


def log_away(world: World) -> None:
    """An outage of the log begins or ends."""
    world.cluster.away = not world.cluster.away
    world.trace(f"the log is away: {world.cluster.away}")


def log_shy(world: World) -> None:
    """The log hands over records, but does not describe itself, or does again."""
    world.cluster.shy = not world.cluster.shy
    world.trace(f"the log is shy: {world.cluster.shy}")


def back_up(world: World) -> None:
    """Somebody copies the database."""
    if all(world.is_noticed(p) for p in world.cluster.partitions()):
        world.trace("a backup is made")
        world.back_up()


def restore(world: World) -> None:
    """The database goes back to a copy."""
    if world.backups:
        world.trace("the database is restored")
        world.restore(world.random.choice(world.backups))


def expire(world: World) -> None:
    """Retention takes the oldest records of a partition, read or not."""
    log = world.cluster.log(partition := _partition(world))
    if log.end > log.start:
        log.expire(world.random.randint(log.start + 1, log.end))
        world.trace(f"{partition.number} begins at {log.start} now")


def truncate(world: World) -> None:
    """An unclean election takes the newest records of a partition."""
    log = world.cluster.log(partition := _partition(world))
    if log.end > log.start and world.is_noticed(partition):
        log.truncate(world.random.randint(max(log.start, log.end - 15), log.end - 1))
        world.backups.clear()  # beyond the log's end, as above
        world.trace(f"{partition.number} ends at {log.end} now")


def recreate(world: World) -> None:
    """A topic is deleted and made again: shorter than before, as long, or longer."""
    topic = world.cluster.topics[world.random.choice(world.topics)]
    if topic.born_ms:
        return
    ends = [log.end for log in topic.logs]
    made = world.cluster.create(topic.name, len(ends), world.now_ms())
    for number, end in enumerate(ends):
        length = max(0, end + world.random.choice((-end, -3, 0, 0, 4, 30)))
        partition = Partition(topic.name, number)
        made.logs[number].append(*world.traffic.records(partition, world.now_ms(), length))
        world.trace(f"{partition} was made anew, with {length} records in place of {end}")


def grow(world: World) -> None:
    """A topic has one more partition."""
    if len(world.cluster.partitions()) < MOST_PARTITIONS:
        world.trace("one more partition")
        world.cluster.grow(world.random.choice(world.topics))


def stall(world: World) -> None:
    """A partition hands over nothing for a while."""
    world.cluster.log(_partition(world)).stalled_until_ms = (
        world.now_ms() + world.random.randint(5, 90) * 1000
    )


def leave_holes(world: World) -> None:
    """Transactions are aborted."""
    if world.is_noticed(partition := _partition(world)):
        world.cluster.log(partition).leave_holes(world.random.randint(1, 4))


def compact(world: World) -> None:
    """The log cleaner takes single records."""
    log = world.cluster.log(_partition(world))
    for offset in world.random.sample(sorted(log.records), min(3, len(log.records))):
        log.compact(offset)


def write_killer(world: World) -> None:
    """A record that kills whoever reads it."""
    if world.is_noticed(partition := _partition(world)):
        record = Record(world.now_ms(), b"kills", written_ms=world.now_ms(), kills=True)
        world.cluster.log(partition).append(record)
        world.trace(f"a killer in {partition.number}")


def jump(world: World) -> None:
    """Nothing at all happens for a while."""
    world.clock.move(world.random.choice((10, 40, 120)))


def change_monitors(world: World) -> None:
    """A person applies a changed monitor."""
    monitor = world.random.choice(MONITORS)
    world.store.apply(replace(monitor, disorder_ms=world.random.choice((0, 1_000, 3_000))))
    world.trace(f"{monitor.model} has another monitor, revision {world.store.revision()}")


def resume(world: World) -> None:
    """A person lets the halted partitions of a topic go on."""
    world.trace("halted partitions are resumed")
    world.store.resume(world.random.choice(world.topics))


HAPPENINGS = {
    "turn": Happening(turn, 100, always=True),
    "write": Happening(write, 22, always=True),
    "evaluate": Happening(evaluate, 8, always=True),
    "start": Happening(start, 6, always=True),
    "bury": Happening(bury, 4, always=True),
    "stop": Happening(stop, 2),
    "kill": Happening(kill, 3),
    "expire_member": Happening(expire_member, 3),
    "deafen": Happening(deafen, 3),
    "undeafen": Happening(undeafen, 2, always=True),
    "rebalance": Happening(rebalance, 4),
    "database_away": Happening(database_away, 4),
    "log_away": Happening(log_away, 3),
    "log_shy": Happening(log_shy, 3),
    "back_up": Happening(back_up, 2, always=True),
    "restore": Happening(restore, 2),
    "expire": Happening(expire, 2),
    "truncate": Happening(truncate, 2),
    "recreate": Happening(recreate, 0.7),
    "grow": Happening(grow, 2),
    "stall": Happening(stall, 3),
    "leave_holes": Happening(leave_holes, 3),
    "compact": Happening(compact, 2),
    "write_killer": Happening(write_killer, 0.5),
    "jump": Happening(jump, 2),
    "change_monitors": Happening(change_monitors, 1.5),
    "resume": Happening(resume, 1),
}
LOSING = frozenset({"expire", "truncate", "recreate", "write_killer"})
"""These take records; of all others every record must be counted."""
INTERRUPTING = ("turn", "kill", "start", "rebalance", "restore", "change_monitors", "evaluate", "write")
"""These also happen between a worker's decision and its call of the database."""
