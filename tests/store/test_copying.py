"""Columns go into a table and come out of a query with every bit they had."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine, text

from service.store.copying import copy_in, read_columns
from service.store.engine import connect, transaction

pytestmark = pytest.mark.postgres

KINDS = {"a": "i8", "b": "i4", "c": "f8"}
COLUMNS = [
    np.array([-(2**63), 0, 2**63 - 1]),
    np.array([-(2**31), 7, 2**31 - 1], np.int32),
    np.array([np.nan, -np.inf, 1e-300]),
]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    yield made
    made.dispose()


def test_what_goes_in_comes_out(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE kept (a BIGINT, b INTEGER, c DOUBLE PRECISION)"))
        copy_in(connection, "kept", COLUMNS)
        found = read_columns(connection, "SELECT * FROM kept ORDER BY a", KINDS)
        assert connection.execute(text("SELECT count(*) FROM kept WHERE c = 'NaN'")).scalar_one() == 1
    order = np.argsort(found[0])
    for column, written in zip(found, COLUMNS, strict=True):
        np.testing.assert_array_equal(column[order], written)
        assert column.dtype == written.dtype


def test_no_rows_are_empty_columns(engine: Engine) -> None:
    with transaction(engine) as connection:
        found = read_columns(connection, "SELECT 1::bigint AS a, 2 AS b, 3.0::float8 AS c WHERE false", KINDS)
    assert [len(column) for column in found] == [0, 0, 0]
