"""The second look at bytes: what is forgiven, and the depth of brackets."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.intake.rejection import Rejected, nesting, parse_json
from service.messages import Reason

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False), st.text('ab"\\[]{}', max_size=6),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text('a"[\\', max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


def depth_of(value: object) -> int:
    """How deep lists and mappings are nested."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@settings(max_examples=150, deadline=None, derandomize=True)
@given(JSON)
def test_nesting_is_that_of_the_value_with_brackets_in_texts_left_out(value: object) -> None:
    assert nesting(json.dumps(value).encode()) == depth_of(value)
    assert parse_json(json.dumps(value).encode(), 32) == value


@pytest.mark.parametrize(
    "hostile",
    [
        b'"' * 2**20, b'"\\' * 2**19, b'"\\\n' * 2**18, b"[" * 2**20, b"[]" * 2**19, b'{"' * 2**19,
        b'"' + b"a" * 2**20, b"\\" * 2**20, b"NaN" * 2**18,
    ],
    ids=range(9),
)  # fmt: skip
def test_a_mebibyte_of_hostile_bytes_is_refused_in_time(hostile: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(Rejected):
        parse_json(hostile, 32)
    assert time.perf_counter() - started < 5


def test_nan_is_read_only_where_it_is_wanted() -> None:
    value = b'{"a": [NaN, Infinity, -Infinity, 1e999]}'
    with pytest.raises(Rejected) as refused:
        parse_json(value, 32)
    assert refused.value.reason is Reason.NONFINITE_NUMBER
    read = parse_json(value, 32, nonfinite_as_missing=True)
    assert [str(number) for number in read["a"]] == ["nan", "inf", "-inf", "inf"]


@pytest.mark.parametrize(
    "value", [b'{"a": -NaN}', b'{"a": nan}', b'{"a": Infinityx}', b'{"a": NaN', b"1" * 5_000]
)
def test_what_is_no_json_even_with_nan_stays_refused(value: bytes) -> None:
    with pytest.raises(Rejected):
        parse_json(value, 32, nonfinite_as_missing=True)
