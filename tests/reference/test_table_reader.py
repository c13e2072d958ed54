"""Tables as people have them, and sentences for those that cannot be read."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from pyarrow import parquet

from service.errors import ConfigurationError
from service.messages import Missing
from service.reference.csv_file import sniff_delimiter
from tests.reference.tables import built, summary, written


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path, delimiter) -> None:
    lines = ["a b c", "1 'x,y;z|' 2.5", "2 '' 3"]
    text = "\n".join(delimiter.join(line.split()) for line in lines).replace("'", '"')
    made = built(written(tmp_path / "t.csv", text))
    assert [one.column.name for one in made.columns] == ["a", "c", "b"]


def test_a_decimal_comma_is_no_delimiter_where_semicolons_are() -> None:
    assert sniff_delimiter("a;b;c\n1,5;2,5;3,5\n1,5;2;3\n") == ";"


def test_a_byte_order_mark_windows_line_ends_and_newlines_in_quotes_are_no_trouble(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", '\ufeffa,b\r\n1,"x\r\ny"\r\n2,z\r\n'))
    assert summary(made, "a").numeric
    assert summary(made, "b").top == (("x\r\ny", 1), ("z", 1))


def test_a_header_over_two_lines_and_blank_lines_before_it_are_read(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", '\n\n"long\nname",b\n1,2\n3,4\n'))
    assert {one.column.name: one.rows for one in made.columns} == {"longname": 2, "b": 2}


@pytest.mark.parametrize("word", ["NA", "N/A", "NaN", "nan", "null", "NULL", ""])
def test_words_for_missing_are_missing_unless_they_are_quoted_in_a_column_of_texts(tmp_path, word) -> None:
    made = built(written(tmp_path / "t.csv", f'n,c,q\n1,x,y\n{word},{word},"{word}"\n3,z,y\n'))
    assert summary(made, "n").numeric
    assert [summary(made, name).missing[Missing.NULL] for name in "nc"] == [1, 1]
    assert summary(made, "q").distinct == (2 if word else 1)


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        (["1", "-2.5", "+3e-4"], True),
        ([" 1", "2 ", "3"], True),
        (["1", "inf", "nan"], True),
        (["1", '"NA"', "2"], True),
        (["0", "0.5", "-0"], True),
        (["0123", "0456", "1"], False),
        (["1_000", "2"], False),
        (["0x10", "1"], False),
        (["1", "two"], False),
        (["inf", "-inf"], False),
        (["\u0661", "\u0662"], False),
    ],
)
def test_a_column_is_numeric_when_every_present_cell_is_a_number(tmp_path, cells, numeric) -> None:
    made = built(written(tmp_path / "t.csv", "x,y\n" + "".join(f"{cell},1\n" for cell in cells)))
    assert summary(made, "x").numeric == numeric


@pytest.mark.parametrize("words", [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_truth_values_are_the_categories_that_events_hold(tmp_path, words) -> None:
    made = built(written(tmp_path / "t.csv", "x\n{}\n{}\n{}\n".format(*words, words[0])))
    assert summary(made, "x").top == (("true", 2), ("false", 1))


def test_texts_of_digits_in_parquet_stay_texts(tmp_path) -> None:
    parquet.write_table(pa.table({"code": ["1", "2"], "n": [1, 2]}), tmp_path / "t.parquet")
    made = built(tmp_path / "t.parquet")
    assert (summary(made, "code").numeric, summary(made, "n").numeric) == (False, True)


def test_nan_and_infinity_of_parquet_are_counted_apart(tmp_path) -> None:
    parquet.write_table(pa.table({"x": [1.0, float("nan"), float("inf"), None]}), tmp_path / "t.parquet")
    missing = summary(built(tmp_path / "t.parquet"), "x").missing
    assert [missing[kind] for kind in (Missing.NAN, Missing.INFINITE, Missing.NULL)] == [1, 1, 1]


def test_dictionaries_of_parquet_are_their_values(tmp_path) -> None:
    texts = pa.array(["a", "b", None, "a"]).dictionary_encode()
    numbers = pa.array([1, 2, None, 1]).dictionary_encode()
    parquet.write_table(pa.table({"c": texts, "n": numbers}), tmp_path / "t.parquet")
    made = built(tmp_path / "t.parquet")
    assert summary(made, "c").top == (("a", 2), ("b", 1))
    assert (summary(made, "n").numeric, summary(made, "n").high) == (True, 2.0)


def test_an_index_without_a_name_and_nested_columns_are_left_out_and_told(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", ",x\n0,1\n1,2\n"))
    assert made.warnings == ("column 1 has no usable name (an index that was saved along?): it is left out",)
    parquet.write_table(pa.table({"x": [1], "v": [[1, 2]]}), tmp_path / "t.parquet")
    assert built(tmp_path / "t.parquet").warnings == (
        "the column 'v' holds neither numbers nor texts: it is left out",
    )


def test_a_column_that_is_empty_throughout_is_kept_and_told(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", "x,y\n1,\n2,\n"))
    assert summary(made, "y").missing[Missing.NULL] == 2
    assert made.warnings == ("the column 'y' is empty in every row that was looked at",)


@pytest.mark.parametrize(
    ("text", "spec", "sentence"),
    [
        ("", {}, "is empty: a header and rows are expected"),
        ("a,b\n", {}, "has a header but no rows"),
        ("a,a\n1,2\n", {}, "the column 'a' is there twice"),
        ("a,b\n1,2\n3\n", {}, "t.csv, line 3: 1 cell where the header has 2 columns"),
        ('a,b\n1,"x\ny"\n\n3,4,5\n', {}, "t.csv, line 5: 3 cells where the header has 2 columns"),
        (
            "age,b\n1,2\n",
            {"label": "agee"},
            "no column 'agee' for label (did you mean 'age'?); the columns are age, b",
        ),
        (
            "a,b\n1,2\n",
            {"label": "a", "score": "a"},
            "'a' is named as label and as score: it can be one of them only",
        ),
        ("a\n1\n", {"id": "a"}, "no column is left to count"),
        ("a,t\n1,x\n", {"time": "t"}, "no time can be read in the time column"),
        ("a,p\n1,x\n", {"score": "p"}, "the score holds texts: a score needs numbers"),
        ("y,p\n0,.5\n1,.25\n", {"label": "y", "prediction": "p"}, "name it as the score"),
        ("a\n\xff\n", {}, "is not in UTF-8"),
        ("a\0b\n1\n", {}, "neither CSV in UTF-8 nor Parquet"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_a_sentence(tmp_path, text, spec, sentence) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        built(path, **spec)


def test_all_columns_that_are_named_but_not_there_are_said_at_once(tmp_path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        built(written(tmp_path / "t.csv", "a\n1\n"), label="y", score="s", exclude=("z",))
    assert len(caught.value.problems) == 3


def test_a_file_that_is_not_there_is_said_with_its_near_miss(tmp_path) -> None:
    written(tmp_path / "reference.csv", "a\n1\n")
    with pytest.raises(ConfigurationError, match=r"no file .*refrence.csv; did you mean .*/reference.csv\?"):
        built(tmp_path / "refrence.csv")
    with pytest.raises(ConfigurationError, match="nor a folder"):
        built(tmp_path / "nowhere" / "t.csv")
    with pytest.raises(ConfigurationError, match="is a folder"):
        built(tmp_path)


def test_a_damaged_file_is_said_to_be_damaged(tmp_path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(ConfigurationError, match="is not a Parquet file"):
        built(tmp_path / "t.parquet")
    (tmp_path / "t.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 no gzip")
    with pytest.raises(ConfigurationError, match="cut or damaged"):
        built(tmp_path / "t.csv.gz")


def test_a_label_of_one_class_is_a_warning(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", "x,y\n1,a\n2,a\n"), label="y")
    assert made.warnings == (
        "the label has one class only: performance cannot be told from a constant answer",
    )
