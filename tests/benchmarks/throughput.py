"""Events a second through each part and the whole, beside the bare client and decoder in the same run.

`make bench` prints it. Events have 20 number features, a category, a prediction with a score, an id and a time.
"""

from __future__ import annotations

import csv
import gc
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from service.configuration import Configuration, ModelVersion
from service.embedded import EmbeddedBroker, EmbeddedPostgres
from service.intake.decoder import Decoder
from service.intake.kafka_writer import create_topic
from service.intake.source import Records
from service.messages import Partition
from service.monitor import Monitor, WindowSpec
from service.opening import make_engine
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from service.reference.builder import build_reference
from service.reference.profile import ReferenceProfile, profile_to_bytes
from service.reference.specification import ReferenceSpec
from service.runner import calm_collection
from service.settings import Settings, load_settings
from service.store.configuration import StoredReference, apply_monitors
from service.store.migrate import migrate
from service.wiring import kafka_settings, make_collector, make_metrics, make_replay, make_source

FEATURES, BATCH, CATEGORIES = 20, 10_000, ("DE", "FR", "GB", "US")
EVENTS = 800_000
PARTITIONS = 4
MODEL, TOPIC = "churn", "bench"


def make_events(n: int, start_ms: int) -> list[bytes]:
    """Events of some minutes, in time order."""
    random = np.random.default_rng(7)
    numbers, scores = random.normal(size=(n, FEATURES)).round(6).tolist(), random.random(n).round(6).tolist()
    encode = msgspec.json.encode
    return [
        encode({
            "type": "prediction", "model": MODEL, "version": "7", "id": f"p-{i:09d}", "ts": start_ms + i // 10,
            "features": {**{f"f{j}": v for j, v in enumerate(row)}, "country": CATEGORIES[i % 4]},
            "prediction": {"label": "yes" if i % 3 else "no", "score": scores[i]},
        })
        for i, row in enumerate(numbers)
    ]  # fmt: skip


def make_reference(folder: Path) -> ReferenceProfile:
    """A reference of such events, built as a user would."""
    random, rows = np.random.default_rng(8), 20_000
    path = folder / "reference.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"f{j}" for j in range(FEATURES)), "country", "prediction", "score"])
        numbers, scores = (
            random.normal(size=(rows, FEATURES)).round(6).tolist(),
            random.random(rows).round(6).tolist(),
        )
        for i, row in enumerate(numbers):
            writer.writerow([*row, CATEGORIES[i % 4], "yes" if i % 3 else "no", scores[i]])
    return build_reference(path, ReferenceSpec(MODEL, "bench", prediction="prediction", score="score"))


def rate(work: Callable[[], int], times: int = 3) -> float:
    """Events a second of the best of some runs."""
    best = 0.0
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        done = work()
        best = max(best, done / (time.perf_counter() - start))
    return best


class Bench:
    """What all measurements share."""

    def __init__(self, events: int, folder: Path) -> None:
        self.profile = make_reference(folder)
        self.start_ms = time.time_ns() // 1_000_000 - 600_000
        self.values = make_events(events, self.start_ms)
        monitor = Monitor(model=MODEL, reference="bench", windows=(WindowSpec.tumbling(300_000),))
        self.version = ModelVersion(monitor, self.profile.grid)
        self.rows: list[tuple[str, float]] = []

    def measure(self, name: str, work: Callable[[], int], times: int = 3) -> None:
        """One line of the table."""
        print(f"measuring {name} ...", file=sys.stderr, flush=True)  # noqa: T201
        self.rows.append((name, rate(work, times)))

    def bare_decoding(self) -> int:
        """Msgspec alone, into structures of the same shape."""
        feature = {f"f{j}": float for j in range(FEATURES)} | {"country": str}
        features = msgspec.defstruct("Features", list(feature.items()), gc=False)
        fields = [
            ("type", str),
            ("model", str),
            ("version", str),
            ("id", str),
            ("ts", int),
            ("features", features),
        ]
        decode = msgspec.json.Decoder(msgspec.defstruct("Event", fields, gc=False)).decode
        for start in range(0, len(self.values), BATCH):
            list(map(decode, self.values[start : start + BATCH]))
        return len(self.values)

    def decode_and_sketch(self) -> int:
        """The collector's pure middle: decode, times, ids, duplicates, panes, and a checkpoint every batch."""
        decoder = Decoder(Configuration({MODEL: (self.version,)}))
        pipeline = PartitionPipeline(Partition(TOPIC, 0), decoder, PartitionPanes(), 0)
        for start in range(0, len(self.values), BATCH):
            values = self.values[start : start + BATCH]
            offsets = np.arange(start, start + len(values), dtype=np.int64)
            times = np.full(len(values), self.start_ms + 600_000, np.int64)
            pipeline.take(Records(Partition(TOPIC, 0), offsets, times, values, [None] * len(values)))
            pipeline.checkpoint()
            pipeline.committed()
        return len(self.values)

    def replay(self, folder: Path) -> int:
        """`driftbell replay` over a plain file."""
        file = folder / "events.jsonl"
        if not file.exists():
            file.write_bytes(b"\n".join(self.values) + b"\n")
        run = make_replay([self.version.monitor], {"bench": self.profile}, file, 1, lambda _: None)
        return run.run().records.accepted


def fill(bench: Bench, settings: Settings) -> None:
    """Write all events to the topic, by partition."""
    from confluent_kafka import Producer

    create_topic(kafka_settings(settings), TOPIC, PARTITIONS)
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka.bootstrap_servers[0],
            "queue.buffering.max.messages": 1_000_000,
            "linger.ms": 50,
        }
    )
    for i, value in enumerate(bench.values):
        producer.produce(TOPIC, value, partition=i % PARTITIONS)
        if i % 50_000 == 0:
            producer.poll(0)
    producer.flush()


def settings_for(postgres: EmbeddedPostgres, broker: EmbeddedBroker, client: str, group: str) -> Settings:
    """A collector's settings."""
    return load_settings({
        "DRIFTBELL_DATABASE_URL": postgres.url, "DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "DRIFTBELL_KAFKA_TOPICS": TOPIC, "DRIFTBELL_KAFKA_CLIENT": client, "DRIFTBELL_KAFKA_GROUP": group,
        "DRIFTBELL_KAFKA_SESSION_TIMEOUT": "6s",
    })  # fmt: skip


def timed_from_first(work: Callable[[], int], total: int) -> tuple[int, float]:
    """How long it takes from the first record on: joining the group is not the throughput's business."""
    start = None
    while (seen := work()) < total:
        start = time.perf_counter() if start is None and seen else start
    return total, time.perf_counter() - (start or time.perf_counter())


def client_rate(bench: Bench, settings: Settings) -> float:
    """Records a second of the bare source, from its first record on."""
    source = make_source(settings)
    source.start()
    seen = [0]

    def turn() -> int:
        for partition in source.changes().assigned:
            source.begin(partition, 0)
        seen[0] += sum(len(records) for records in source.poll(0.2, BATCH).records)
        return seen[0]

    total, seconds = timed_from_first(turn, len(bench.values))
    source.close()
    return total / seconds


def collector_rate(bench: Bench, settings: Settings) -> float:
    """Events a second of the whole collector, from its first commit to Postgres to one near the end."""
    engine = make_engine(settings)
    metrics = make_metrics()
    collector = make_collector(settings, engine, metrics)
    calm_collection()
    stop = threading.Event()
    thread = threading.Thread(target=collector.run, args=(stop,), daemon=True)
    thread.start()

    def accepted() -> int:
        return int(metrics.registry.get_sample_value("driftbell_events_total", {"outcome": "accepted"}) or 0)

    while not (first := accepted()):
        time.sleep(0.02)  # seldom: each look takes the interpreter from the collector
    start = time.perf_counter()
    while (last := accepted()) < 0.95 * len(bench.values):  # the last commit waits for its second
        time.sleep(0.02)
    seconds = time.perf_counter() - start
    stop.set()
    thread.join(30)
    engine.dispose()
    return (last - first) / seconds


def measure_kafka(bench: Bench, folder: Path, clients: Sequence[str]) -> None:
    """The clients and the whole collector on the broker of the wheel."""
    profile = bench.profile
    for client in clients:
        for name, run in (
            ("bare client", client_rate),
            ("whole collector, commits to Postgres", collector_rate),
        ):
            place = folder / f"{client}-{name[:4]}"
            with EmbeddedPostgres(place / "pg") as postgres, EmbeddedBroker(place / "broker") as broker:
                settings = settings_for(postgres, broker, client, f"group-{client}-{name[:4]}")
                engine = make_engine(settings)
                migrate(engine)
                reference = StoredReference(
                    "bench", MODEL, profile.grid, profile.rows, profile_to_bytes(profile)
                )
                apply_monitors(engine, [bench.version.monitor], [reference], 0)
                fill(bench, settings)
                print(f"measuring {name}, {client} ...", file=sys.stderr, flush=True)  # noqa: T201
                bench.rows.append((f"{name}, {client}", run(bench, settings)))
                engine.dispose()


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp(prefix="driftbell-bench-"))
    bench = Bench(EVENTS, folder)
    try:
        bench.measure("bare decoding (msgspec)", bench.bare_decoding)
        bench.measure("decode + sketch, one core", bench.decode_and_sketch)
        bench.measure("replay of a plain file", lambda: bench.replay(folder), 1)
        measure_kafka(bench, folder, ("kafka-python", "confluent"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(bench)


def show(bench: Bench) -> None:
    """The table, and the same as one line of JSON."""
    base = bench.rows[0][1]
    table = Table(
        "part",
        "events/s",
        "us/event",
        "of bare decoding",
        title=f"{EVENTS:,} events of {FEATURES} numbers and a category, {len(bench.values[0])} bytes",
    )
    for name, value in bench.rows:
        table.add_row(name, f"{value:,.0f}", f"{1e6 / value:.2f}", f"{value / base:.2f}")
    Console(width=110).print(table)
    Console().print_json(json.dumps({name: round(value) for name, value in bench.rows}))


if __name__ == "__main__":
    main()
