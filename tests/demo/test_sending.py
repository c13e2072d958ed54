"""Logs and the demo's traffic reach a real broker."""

from __future__ import annotations

import json
import time
from threading import Event, Timer

import pytest
from kafka import KafkaConsumer, TopicPartition

from service.demo.pacing import replay_live
from service.demo.send import send_traffic
from service.demo.terminal import Terminal
from service.errors import ConfigurationError
from service.intake.kafka_settings import KafkaSettings
from service.settings import load_settings

kafka = pytest.mark.kafka


def values_in(broker, topic, partitions, count):
    """At least so many values of a topic, by partition."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
    found = {number: [] for number in range(partitions)}
    deadline = time.monotonic() + 20
    while sum(map(len, found.values())) < count and time.monotonic() < deadline:
        for place, records in consumer.poll(200).items():
            found[place.partition] += [record.value for record in records]
    consumer.close()
    return found


@kafka
def test_a_live_replay_sends_every_event_in_its_order(embedded_broker, tmp_path):
    topic = embedded_broker.new_topic(partitions=2)
    events = [{"id": f"p-{i % 50}", "n": i, "ts": 1_795_305_600_000 + i} for i in range(1_000)]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    settings = KafkaSettings(embedded_broker.bootstrap_servers, (topic,), "nobody")
    assert replay_live(settings, path, topic, speed=10.0, tell=lambda *_: None) == 1_000
    found = values_in(embedded_broker, topic, 2, 1_000)
    numbers = {partition: [json.loads(value)["n"] for value in values] for partition, values in found.items()}
    assert sorted(numbers[0] + numbers[1]) == list(range(1_000))
    assert all(of == sorted(of) for of in numbers.values())


@kafka
def test_traffic_alone_is_sent_until_it_is_stopped(embedded_broker, capsys):
    topic = embedded_broker.new_topic()
    settings = load_settings({
        "DRIFTBELL_KAFKA_BOOTSTRAP_SERVERS": embedded_broker.bootstrap_servers,
        "DRIFTBELL_KAFKA_TOPICS": topic,
    })  # fmt: skip
    stop = Event()
    Timer(8.0, stop.set).start()
    send_traffic(settings, stop, Terminal(), speed=5.0, forever=True)
    said = capsys.readouterr().out
    sent = int(said.split()[-5].replace(",", ""))
    assert f"{sent:,} events sent to {topic}" in said
    assert "the script: all is well" in said
    assert len(values_in(embedded_broker, topic, 1, sent)[0]) == sent > 1_000


def test_traffic_needs_to_know_where_it_goes():
    with pytest.raises(ConfigurationError, match="DRIFTBELL_KAFKA_TOPICS"):
        send_traffic(load_settings({}), Event(), Terminal(), speed=1.0, forever=False)
