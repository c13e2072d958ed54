"""What is the file log's own: layouts, compressions, splitting and broken files."""

from __future__ import annotations

import gzip
import itertools
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import zstandard

from service.errors import ConfigurationError
from service.intake import line_reader
from service.intake.file_log import FileLogSource, KeyOf
from service.intake.source import Bounds, Gap
from service.messages import Partition
from tests.servers.logs import Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "jsonl": bytes,
    "jsonl.gz": gzip.compress,
    "jsonl.zst": zstandard.compress,
}


def opened(path: Path, **options: object) -> Reader:
    """A reader that has begun every partition at 0."""
    reader = Reader(FileLogSource(path, sleep=lambda _: None, **options))  # type: ignore[arg-type]  # test options
    reader.join(1)
    for partition in sorted(reader.owned):
        reader.source.begin(partition, 0)
    return reader


def drained(reader: Reader, max_records: int = 10_000) -> Reader:
    """Read to the end."""
    while reader.poll(max_records=max_records):
        pass
    return reader


def test_numbered_files_are_partitions(tmp_path: Path) -> None:
    """Sorted by number, not by name, and whatever their compression."""
    for number in range(11):
        (tmp_path / f"topic-{number}.jsonl").write_bytes(b'{"p":%d}\n' % number)
    (tmp_path / "topic-11.jsonl.gz").write_bytes(gzip.compress(b'{"p":11}\n'))
    (tmp_path / "notes.txt").write_text("no log")
    reader = drained(opened(tmp_path))
    assert reader.values == {Partition(tmp_path.name, n): [b'{"p":%d}' % n] for n in range(12)}


def test_files_without_such_numbers_are_one_log_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Dates are no partition numbers."""
    for day in ("2026-11-03", "2026-11-01", "2026-11-02"):
        (tmp_path / f"{day}.jsonl").write_text(f'"{day}"\n')
    reader = drained(opened(tmp_path))
    assert reader.values == {
        Partition(tmp_path.name, 0): [b'"2026-11-01"', b'"2026-11-02"', b'"2026-11-03"'],
    }


@pytest.mark.parametrize("ending", COMPRESS)
def test_every_compression_brings_the_same_lines(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks that cut lines anywhere, two members or frames, blank lines, no last newline."""
    monkeypatch.setattr(line_reader, "BLOCK_BYTES", 7)
    monkeypatch.setattr(line_reader, "ZSTD_SLICE_BYTES", 5)
    lines = [b'{"n":1}', b"", b"null", b"x" * 50, b"", b'{"n":"\xc3\xa4"}']
    halves = (b"\n".join(lines[:4]) + b"\n", b"\n".join(lines[4:]))
    compress = COMPRESS[ending]
    file = tmp_path / f"log.{ending}"
    file.write_bytes(b"".join(map(compress, halves)))
    reader = drained(opened(file), max_records=2)
    partition = Partition(file.name, 0)
    assert reader.values[partition] == lines
    assert reader.offsets[partition] == list(range(6))
    assert reader.timestamps_ms[partition] == [-1] * 6
    assert reader.source.bounds(partition) == Bounds(0, 6)


def test_a_split_file_keeps_the_lines_of_a_key_together_and_in_order(tmp_path: Path) -> None:
    """Each partition counts its own lines; a string and a number that look alike are one key."""
    file = tmp_path / "log.jsonl"
    lines = [b'{"nested":{"id":"no"},"id":"k%d","n":%d}' % (n % 17, n) for n in range(200)]
    lines += [b'{"id":5}', b'{"id":"5"}', b"broken", b"[1]", b"{}"]
    file.write_bytes(b"\n".join(lines) + b"\n")
    reader = drained(opened(file, partitions=4), max_records=13)
    assert Counter(itertools.chain(*reader.values.values())) == Counter(lines)
    owner: dict[bytes | None, Partition] = {}
    for partition, keys in reader.keys.items():
        assert reader.offsets[partition] == list(range(len(keys)))
        assert reader.values[partition] == [line for line in lines if line in set(reader.values[partition])]
        for key in keys:
            assert owner.setdefault(key, partition) == partition
    assert owner[b""] == Partition(file.name, 0)


def test_a_split_partition_can_start_anywhere_whatever_the_others_do(tmp_path: Path) -> None:
    """A restart gives each partition an offset of its own."""
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(b'{"id":%d}\n' % n for n in range(300)))
    whole = drained(opened(file, partitions=3)).values
    reader = opened(file, partitions=3)
    places = sorted(reader.owned)
    reader.source.begin(places[1], 40)
    reader.source.end(places[2])
    drained(reader, max_records=11)
    reader.source.begin(places[2], 7)
    reader.source.begin(places[0], len(whole[places[0]]) - 2)
    drained(reader, max_records=11)
    assert reader.values[places[0]] == whole[places[0]] + whole[places[0]][-2:]
    assert reader.values[places[1]] == whole[places[1]][40:]
    assert reader.values[places[2]] == whole[places[2]][7:]


def test_the_same_calls_bring_the_same_records_in_the_same_order(tmp_path: Path) -> None:
    """Partitions take turns in the order of their numbers."""
    for number in range(3):
        (tmp_path / f"a-{number}.jsonl").write_bytes(b"1\n" * (3 + number))
    source = FileLogSource(tmp_path, sleep=lambda _: None)
    source.start()
    for partition in source.changes().assigned:
        source.begin(partition, 0)
    order = []
    while records := source.poll(0.1, 6).records:
        order += [(batch.partition.number, len(batch)) for batch in records]
    assert order == [(0, 2), (1, 2), (2, 2), (0, 1), (1, 2), (2, 2), (2, 1)]


def test_an_offset_beyond_the_end_of_a_split_file_is_a_gap(tmp_path: Path) -> None:
    """The file was replaced by a shorter one."""
    file = tmp_path / "log.jsonl"
    file.write_bytes(b'{"id":1}\n' * 5)
    reader = opened(file, partitions=2)
    (full,) = drained(reader).values
    reader.source.begin(full, 99)
    drained(reader)
    assert reader.gaps == [Gap(full, 99, 0, 5)]


def test_a_file_that_breaks_off_names_its_line_after_all_lines_before(tmp_path: Path) -> None:
    """What is whole is read; what is not is a person's business."""
    file = tmp_path / "log.jsonl"
    file.write_bytes(b'{"n":1}\n{"n":2}\n{"n":')
    reader = opened(file)
    with pytest.raises(ConfigurationError, match=r"log.jsonl, line 3: breaks off in the middle"):
        drained(reader)
    assert reader.values[Partition(file.name, 0)] == [b'{"n":1}', b'{"n":2}']


@pytest.mark.parametrize("ending", ["gz", "zst"])
@pytest.mark.parametrize("how", ["cut", "spoilt"])
def test_a_broken_compressed_file_is_told_by_name_and_line(tmp_path: Path, ending: str, how: str) -> None:
    """Both kinds of damage happen to uploads."""
    file = tmp_path / f"log.jsonl.{ending}"
    plain = b"".join(b'{"n":%d,"hash":%d}\n' % (n, hash((n, "x")) if n else 0) for n in range(2000))
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    packed = gzip.compress(plain) if ending == "gz" else compressor.compress(plain)
    file.write_bytes(packed[: len(packed) // 2] if how == "cut" else packed[:-40] + b"\x00" * 40)
    with pytest.raises(ConfigurationError, match=rf"log.jsonl.{ending}, after line \d+: cannot be read on"):
        drained(opened(file))


def test_a_line_without_end_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(line_reader, "MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(line_reader, "BLOCK_BYTES", 100)
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"1\n" + b"x" * 2000 + b"\n")
    with pytest.raises(ConfigurationError, match="line 2: longer than"):
        drained(opened(file))


def test_a_folder_without_logs_is_a_mistake(tmp_path: Path) -> None:
    """An empty replay would look like success."""
    with pytest.raises(ConfigurationError, match=r"holds no \.jsonl"):
        FileLogSource(tmp_path).start()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"id":"a"}', b"a"),
        (b'{"x":{"id":"b"},"id":12}', b"12"),
        (b'{"x":1}', b""),
        (b"", b""),
        (b"\xff", b""),
        (b'{"id":', b""),
    ],
)
def test_the_key_is_the_value_of_a_top_level_field(line: bytes, key: bytes) -> None:
    """A line without one has the empty key."""
    assert KeyOf("id")(line) == key
