"""Ten thousand hostile values among good events: none stops the collector, none is lost, each has its reason."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import pytest

from service.messages import Reason
from service.monitor import Monitor
from service.sketches.codec import pane_from_bytes
from service.sketches.grids import Grid
from tests.faults.sizes import PATIENCE_SECONDS, by_size
from tests.flow.stack import Stack, running
from tests.fuzz.judge import judge
from tests.fuzz.mutation import hostile_event, mutated
from tests.fuzz.run import CORPUS
from tests.servers.fixtures import Broker

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

NOW_MS = 1_795_305_072_000
GOOD = "good"
MODELS = ("labels", "values", "bare")
HOSTILE = by_size(10_000, 100_000)
GOOD_FOR_EACH = 10
PARTITIONS = 2


@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_among_hostile_values_every_good_event_is_counted_and_every_bad_one_has_its_reason(
    client: str, database: str, embedded_broker: Broker, tmp_path: Path
) -> None:
    topic = embedded_broker.new_topic(PARTITIONS)
    stack = Stack(database, embedded_broker.bootstrap_servers, topic, tmp_path, client=client)
    stack.prepare([Monitor(model) for model in (GOOD, *MODELS)])
    count = HOSTILE if client == "confluent" else HOSTILE // 4
    logs = [log(seed, count // PARTITIONS) for seed in range(PARTITIONS)]
    for partition, values in enumerate(logs):
        times = [NOW_MS] * len(values)
        embedded_broker.topics.produce(topic, values, partition=partition, timestamps_ms=times)
    total = sum(map(len, logs))

    with running(stack):
        collector = stack.start("collect")
        stack.wait_until(
            lambda: sum(stack.consumed().values()) >= total, "all is read", PATIENCE_SECONDS + 60
        )
        collector.send_signal(signal.SIGTERM)
        assert collector.wait(60) == 0

    assert "Traceback" not in stack.logs()
    check_outcomes(stack, logs)
    check_good_events(stack, count * GOOD_FOR_EACH)


def log(seed: int, hostile: int) -> list[bytes | None]:
    """One partition's values: so many hostile ones, tombstones among them, and ten good events for each."""
    chance = random.Random(seed)
    seeds = [path.read_bytes() for path in sorted((CORPUS / "events").iterdir())]
    values: list[bytes | None] = [good_event(seed, i) for i in range(hostile * GOOD_FOR_EACH)]
    values += [None if i % 100 == 0 else hostile_value(chance, seeds) for i in range(hostile)]
    chance.shuffle(values)
    return values


def good_event(partition: int, i: int) -> bytes:
    body = {
        "type": "prediction", "model": GOOD, "version": "1", "id": f"{partition}-{i}", "ts": NOW_MS - i % 60_000,
        "features": {"x": i % 1_000 / 8},
    }  # fmt: skip
    return json.dumps(body).encode()


def hostile_value(chance: random.Random, seeds: list[bytes]) -> bytes:
    kind = chance.random()
    if kind < 0.05:
        return chance.choice(seeds)
    if kind < 0.1:
        return chance.randbytes(chance.randrange(64))
    if kind < 0.4:
        return hostile_event(chance, MODELS, NOW_MS)
    return mutated(chance, chance.choice(seeds), chance.choice(seeds))


def check_outcomes(stack: Stack, logs: list[list[bytes | None]]) -> None:
    """The dead letters are those of the judge, each with a reason that he allows; all else was counted."""
    dead = {
        (p, o): Reason(r) for p, o, r in stack.rows('SELECT partition, "offset", reason FROM dead_letter')
    }
    judged = {
        (p, o): reasons
        for p, values in enumerate(logs)
        for o, value in enumerate(values)
        if value is not None and (reasons := judge(value, NOW_MS, (GOOD, *MODELS)))
    }
    assert dead.keys() == judged.keys()
    assert not {place: (dead[place], judged[place]) for place in dead if dead[place] not in judged[place]}
    assert len(set(dead.values())) > 12  # the chance is wide enough to find most reasons
    consumed = stack.consumed()
    assert consumed["dead"] == len(judged)
    assert consumed["tombstone"] == sum(value is None for values in logs for value in values)
    assert sum(consumed.values()) == sum(map(len, logs))
    assert consumed["lost"] == 0


def check_good_events(stack: Stack, good: int) -> None:
    """To the last one, and to the last value."""
    panes = stack.rows("SELECT sketch FROM pane WHERE model = %s AND segment = ''", GOOD)
    sketches = [pane_from_bytes(data, Grid()) for (data,) in panes]
    assert sum(sketch.inferences for sketch in sketches) == good
    extras = [extra for sketch in sketches for extra in sketch.extras.values()]
    assert sum(int(extra.numbers.counts.sum()) for extra in extras) == good
    assert not any(extra.numbers.missing.any() or extra.texts.total for extra in extras)
