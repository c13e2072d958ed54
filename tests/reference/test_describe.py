"""What people and programs are shown of a reference."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

from service.reference.bins import BinnedColumn
from service.reference.describe import as_document, describe, histogram
from tests.reference.tables import OUTPUTS, built, mixed_columns, write_csv, written


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return built(write_csv(tmp_path_factory.mktemp("t") / "t.csv", mixed_columns(2_000)), **OUTPUTS)


def shown(profile) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(describe(profile))
    return out.getvalue()


def test_every_column_is_shown_within_100_columns_and_without_escapes(profile) -> None:
    text = shown(profile)
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    assert all(one.column.name in text for one in profile.columns)


def test_the_header_names_model_rows_task_and_time(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", "x,y,t\n1,a,2024-01-01\n2,b,2024-03-05\n"), label="y", time="t")
    text = shown(made)
    for said in ("bank-1", "bank", "binary", "2, 2 with a label", "2024-01-01 00:00 to 2024-03-05 00:00 UTC"):
        assert said in text


def test_markup_in_names_and_categories_is_text(tmp_path) -> None:
    text = shown(built(written(tmp_path / "t.csv", "[red]n,[b]c\n1,[/]\n2,[bold]\n")))
    assert all(said in text for said in ("[red]n", "[b]c", "[/] 50.0 %", "[bold] 50.0 %"))


def test_long_names_and_warnings_fit(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", f"{'n' * 150},y\n1,{'c' * 150}\n2,{'d' * 150}\n"), label="y")
    assert max(map(len, shown(made).splitlines())) <= 100


@pytest.mark.parametrize(
    ("counts", "bars"),
    [([0, 12, 0], "████████████"), ([0, 0, 0], "")],
)
def test_a_histogram_has_equally_wide_bars(counts, bars) -> None:
    assert (
        histogram(BinnedColumn(np.array([0.0, 1.0]), np.array(counts), 0.0, np.nextafter(1.0, 0.0))) == bars
    )


def test_the_document_is_json_and_holds_every_column(profile) -> None:
    document = json.loads(json.dumps(as_document(profile), allow_nan=False))
    assert [one["name"] for one in document["columns"]] == [one.column.name for one in profile.columns]
    assert document["columns"][0]["missing"].keys() == {
        "null",
        "absent",
        "nan",
        "infinite",
        "empty",
        "wrong_type",
    }
    assert (document["task"], document["rows"], document["blocks"]) == ("binary", 2_000, len(profile.blocks))
