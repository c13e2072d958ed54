"""Every input that ever mattered is replayed; random bytes and mutations of the corpus go on looking."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.run import CORPUS, TARGETS

if TYPE_CHECKING:
    from pathlib import Path

OneInput = Callable[[bytes], None]
MOST_MEMORY_BYTES = 64 * 2**20
MUTATIONS = 250


def target_of(name: str) -> OneInput:
    """The function that one target is."""
    found: OneInput = import_module(f"tests.fuzz.fuzz_{name}").one_input
    return found


def inputs_of(name: str) -> list[Path]:
    """The corpus of one target."""
    return sorted((CORPUS / name).iterdir())


EVERY = [(name, path) for name in TARGETS for path in inputs_of(name)]


def test_every_target_has_a_corpus() -> None:
    assert TARGETS == ["batches", "events", "monitors", "names", "sketches", "tables", "timestamps"]
    assert min(len(inputs_of(name)) for name in TARGETS) >= 20
    assert max(path.stat().st_size for _, path in EVERY) < 32_768


@pytest.mark.parametrize(("name", "path"), EVERY, ids=[f"{name}-{path.name}" for name, path in EVERY])
def test_an_input_of_the_corpus_breaks_nothing_and_costs_little_memory(name: str, path: Path) -> None:
    one_input, data = target_of(name), path.read_bytes()
    one_input(data)  # what is made once and kept is made now
    tracemalloc.start()
    try:
        one_input(data)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_of_the_corpus_break_nothing(name: str) -> None:
    chance, one_input = random.Random(name), target_of(name)
    seeds = [path.read_bytes() for path in inputs_of(name)]
    for _ in range(MUTATIONS):
        data = mutated(chance, chance.choice(seeds), chance.choice(seeds))
        try:
            one_input(data)
        except BaseException as error:
            error.add_note(f"the input, for the corpus: {data!r}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_random_bytes_break_nothing(name: str) -> None:
    one_input = target_of(name)
    kinds = st.sampled_from([b"", b"t", b"d", b"i", b"p", b"g", b"r", b"\xff"])

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(kinds, st.one_of(st.binary(max_size=200), st.text(max_size=60).map(str.encode)))
    def search(kind: bytes, rest: bytes) -> None:
        one_input(kind + rest)

    search()
